"""People in the console: what its forms do is what the verbs do, and what they refuse is said."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import sessions
from accounts.models import CustomClaim, Group, LoginCode, Passkey, Session, SignupToken, User
from apikeys import static_key
from audit.models import Entry, Event
from oidc.models import LogoutDelivery
from siteconfig import configure
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.console.forms import act, fill_in, notes
from tests.oidc.app import App, an_app

pytestmark = pytest.mark.postgres

USERS, SESSIONS, PASSKEYS = "/admin/accounts/user/", "/admin/accounts/session/", "/admin/accounts/passkey/"


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


@pytest.fixture
def chat(db: None) -> App:
    """An app that wants to hear of sign-outs."""
    return an_app("Chat", backchannel_logout_url="https://chat.example.com/bye")


@pytest.fixture
def bobs(person: Person, chat: App) -> Browser:
    """Bob's browser, signed in to the app."""
    browser = Browser()
    browser.sign_in(person)
    chat.code(browser)
    return browser


def change(console: Browser, user: User, **values: object):
    return fill_in(console, f"{USERS}{user.pk}/change/", having="username", **values)


# Accounts


@pytest.mark.parametrize("step", [{"is_admin": None}, {"disabled": "on"}], ids=["demote", "disable"])
def test_the_last_administrator_stays_one_and_the_form_says_why(
    console: Browser, admin: Person, step: dict[str, str]
) -> None:
    page = change(console, admin.user, first_name="Renamed", **step)
    assert page.status_code == 200
    assert "This is the last administrator." in page.text
    assert 'value="Renamed"' in page.text
    admin.user.refresh_from_db()
    assert (admin.user.is_staff, admin.user.first_name) == (True, "Alice")
    assert notes(console) == ""


def test_the_last_administrator_is_not_deleted_and_nothing_says_so(console: Browser, admin: Person) -> None:
    fill_in(console, f"{USERS}{admin.user.pk}/delete/", having="post")
    assert notes(console) == "This is the last administrator. Make another person an administrator first."
    assert User.objects.filter(pk=admin.user.pk).exists()


def test_the_user_of_a_static_key_is_not_the_administrator_who_must_stay(console: Browser, admin: Person) -> None:
    static = static_key.user()
    fill_in(console, f"{USERS}{admin.user.pk}/delete/", having="post")
    assert notes(console) == "This is the last administrator. Make another person an administrator first."
    for step in ({"is_admin": None}, {"disabled": "on"}):
        assert "This is the last administrator." in change(console, admin.user, **step).text
    act(console, USERS, "delete_selected", static, admin.user, post="yes")
    assert set(User.objects.filter(is_admin=True, disabled=False)) == {static, admin.user}


def test_of_several_people_all_are_deleted_or_none(console: Browser, admin: Person, person: Person) -> None:
    act(console, USERS, "delete_selected", person.user, admin.user, post="yes")
    assert "last administrator" in notes(console)
    assert User.objects.count() == 2
    act(console, USERS, "delete_selected", person.user, post="yes")
    assert not User.objects.filter(pk=person.user.pk).exists()
    assert Entry.objects.get(event=Event.ACCOUNT_DELETED).data == {"username": "bob"}


def test_a_name_in_use_is_said_on_the_form(console: Browser, admin: Person, person: Person) -> None:
    page = change(console, person.user, username="ALICE")
    assert "already in use" in page.text
    assert User.objects.filter(username="bob").exists()


def test_a_new_person_joins_the_groups_of_new_people(console: Browser) -> None:
    group = Group.objects.create(name="all", friendly_name="All")
    configure.change(
        {
            "signup_default_user_group_ids": f'["{group.pk}"]',
            "signup_default_custom_claims": '[{"key": "team", "value": "new"}]',
        }
    )
    done = fill_in(console, f"{USERS}add/", having="username", username="carol", email="carol@example.org")
    assert done.status_code == 302, done.text
    carol = User.objects.get(username="carol")
    assert [found.name for found in carol.groups.all()] == ["all"]
    assert carol.custom_claims.get().value == "new"
    entry = Entry.objects.get(event=Event.ACCOUNT_CREATED)
    assert (entry.username, entry.actor_username) == ("carol", "alice")


def test_disabling_somebody_signs_them_out_everywhere(console: Browser, bobs: Browser, person: Person) -> None:
    assert change(console, person.user, disabled="on").status_code == 302
    assert bobs.get("/api/webauthn/credentials").status_code == 401
    assert LogoutDelivery.objects.filter(subject=person.subject).exists()
    assert Entry.objects.get(event=Event.ACCOUNT_CHANGED).data == {"fields": "disabled"}


def test_losing_the_group_of_an_app_is_told_to_the_app(
    console: Browser, bobs: Browser, person: Person, chat: App
) -> None:
    group = Group.objects.create(name="staff", friendly_name="Staff")
    person.user.groups.add(group)
    chat.client.is_group_restricted = True
    chat.client.save()
    chat.client.allowed_groups.add(group)
    change(console, person.user, groups=[])
    assert not person.user.groups.exists()
    assert [each.subject for each in LogoutDelivery.objects.all()] == [person.subject]


# What a person has


def test_claims_are_replaced_by_the_verb(console: Browser, person: Person) -> None:
    added = {"custom_claims-TOTAL_FORMS": "1", "custom_claims-0-key": "team", "custom_claims-0-value": "red"}
    assert change(console, person.user, **added).status_code == 302
    assert [(claim.key, claim.value) for claim in person.user.custom_claims.all()] == [("team", "red")]
    assert Entry.objects.get(event=Event.CLAIMS_CHANGED).data == {"owner": "bob", "keys": "team"}
    reserved = change(console, person.user, **added | {"custom_claims-0-key": "email"})
    assert "reserved" in reserved.text
    assert CustomClaim.objects.get().key == "team"


def test_a_session_is_ended_from_its_persons_page(console: Browser, bobs: Browser, person: Person) -> None:
    session = person.user.sessions.get()
    done = change(console, person.user, **{"sessions-0-id": str(session.pk), "sessions-0-DELETE": "on"})
    assert done.status_code == 302
    assert bobs.get("/api/webauthn/credentials").status_code == 401
    assert LogoutDelivery.objects.get().sid == session.pk
    entry = Entry.objects.get(event=Event.SIGN_OUT)
    assert (entry.username, entry.actor_username) == ("bob", "alice")


def test_a_passkey_is_taken_away_on_its_persons_page_also_the_last(console: Browser, person: Person) -> None:
    passkey = person.passkey
    change(console, person.user, **{"passkeys-0-id": str(passkey.pk), "passkeys-0-DELETE": "on"})
    assert not person.user.passkeys.exists()
    entry = Entry.objects.get(event=Event.PASSKEY_REMOVED)
    assert (entry.username, entry.actor_username, entry.data) == ("bob", "alice", {"passkeyName": "New Passkey"})


@pytest.mark.parametrize("asked", [True, False])
def test_the_sessions_of_a_passkey_end_with_it_when_asked(
    console: Browser, bobs: Browser, person: Person, asked: bool
) -> None:
    address = f"{PASSKEYS}{person.passkey.pk}/delete/"
    assert 'name="end_sessions"' in console.get(address).text
    fill_in(console, address, having="post", **({"end_sessions": "yes"} if asked else {}))
    assert not Passkey.objects.filter(user=person.user).exists()
    assert bobs.get("/api/webauthn/credentials").status_code == (401 if asked else 200)
    assert LogoutDelivery.objects.count() == (1 if asked else 0)


def test_chosen_sessions_are_ended(console: Browser, bobs: Browser, person: Person, admin: Person) -> None:
    gone, _key = sessions.start(person.user, methods=["phr"], place=sessions.Place(), lifetime=timedelta(hours=1))
    Session.objects.filter(pk=gone.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    page = console.get(SESSIONS)
    assert page.context["cl"].result_count == 2
    assert "delete_selected" not in page.text
    act(console, SESSIONS, "end_sessions", *person.user.sessions.live())
    assert notes(console) == "1 session was ended."
    assert bobs.get("/api/webauthn/credentials").status_code == 401
    assert LogoutDelivery.objects.count() == 1


def test_a_login_code_is_shown_once_and_signs_in(console: Browser, person: Person) -> None:
    address = f"{USERS}{person.user.pk}/login-code/"
    assert f'href="{address}"' in console.get(f"{USERS}{person.user.pk}/change/").text
    page = console.press("login-code-show", console.get(address), minutes="60")
    code = re.findall(r'<code id="login-code"[^>]*>([^<]+)<', page.text)[0]
    assert len(code) == 12
    assert f"http://localhost:1411/lc/{code}" in page.text
    assert code not in console.get(address).text
    assert Entry.objects.get(event=Event.LOGIN_CODE_CREATED).data == {"person": "bob"}
    bobs = Browser()
    assert bobs.press("login-code-submit", bobs.get(f"/lc/{code}")).status_code == 302
    assert not LoginCode.objects.exists()


def test_a_code_is_mailed_only_where_mails_are_on(console: Browser, person: Person) -> None:
    address = f"{USERS}{person.user.pk}/login-code/"
    page = console.get(address)
    assert 'name="mail"' not in page.text
    console.post(
        address, {"minutes": "60", "mail": "yes", "csrfmiddlewaretoken": console.get(address).context["csrf_token"]}
    )
    assert "One-time access is disabled" in notes(console)
    assert not Entry.objects.filter(event=Event.LOGIN_CODE_CREATED).exists()


# Groups and links


def test_a_group_is_filled_by_names(console: Browser, person: Person, admin: Person) -> None:
    done = fill_in(
        console, "/admin/accounts/group/add/", having="people", name="staff", friendly_name="Staff", people="BOB\nalice"
    )
    assert done.status_code == 302, done.text
    group = Group.objects.get()
    assert set(group.members.all()) == {person.user, admin.user}
    address = f"/admin/accounts/group/{group.pk}/change/"
    wrong = fill_in(console, address, having="people", people="bob zebra")
    assert "Nobody is called: zebra" in wrong.text
    assert group.members.count() == 2
    assert fill_in(console, address, having="people", people="bob").status_code == 302
    assert list(group.members.all()) == [person.user]
    assert "alice" not in console.get(address).context["adminform"].form.initial["people"]
    fill_in(console, f"/admin/accounts/group/{group.pk}/delete/", having="post")
    assert not Group.objects.exists()
    assert list(Entry.objects.filter(event__startswith="GROUP_").order_by("id").values_list("event", flat=True)) == [
        "GROUP_CREATED",
        "GROUP_CHANGED",
        "GROUP_DELETED",
    ]


def test_a_sign_up_link_is_made_passed_on_and_taken_back(console: Browser) -> None:
    group = Group.objects.create(name="family", friendly_name="Family")
    page = fill_in(
        console,
        "/admin/accounts/signuptoken/add/",
        having="usage_limit",
        usage_limit="2",
        hours="168",
        groups=[str(group.pk)],
    )
    (link,) = re.findall(r'<code id="signup-link"[^>]*>http://localhost:1411([^<]+)<', page.text)
    token = SignupToken.objects.get()
    assert (token.usage_limit, [found.name for found in token.groups.all()]) == (2, ["family"])
    assert timedelta(days=6) < token.expires_at - timezone.now() <= timedelta(days=7)
    listed = console.get("/admin/accounts/signuptoken/").text
    assert link in listed
    assert "0 / 2" in listed
    assert console.get(f"/admin/accounts/signuptoken/{token.pk}/change/").status_code == 200
    newcomer = Browser()
    assert newcomer.get(newcomer.get(link)["Location"]).status_code == 200
    fill_in(console, f"/admin/accounts/signuptoken/{token.pk}/delete/", having="post")
    assert newcomer.get(newcomer.get(link)["Location"]).status_code == 403
    assert Entry.objects.filter(event=Event.SIGNUP_TOKEN_DELETED).count() == 1


@pytest.mark.parametrize("wrong", [{"usage_limit": "0"}, {"usage_limit": "101"}, {"hours": "9999"}], ids=str)
def test_a_wrong_sign_up_link_is_not_made(console: Browser, wrong: dict[str, str]) -> None:
    page = fill_in(console, "/admin/accounts/signuptoken/add/", having="usage_limit", **wrong)
    assert "errorlist" in page.text
    assert not SignupToken.objects.exists()


def test_an_old_session_makes_no_key(console: Browser, admin: Person) -> None:
    Session.objects.update(auth_time=timezone.now() - timedelta(minutes=11))
    page = fill_in(
        console,
        "/admin/apikeys/apikey/add/",
        having="name",
        name="Terraform",
        expires_at_0="2999-01-01",
        expires_at_1="00:00:00",
    )
    assert "Reauthentication is required" in page.text
    assert 'value="Terraform"' in page.text
    assert not admin.user.api_keys.exists()
