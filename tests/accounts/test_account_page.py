"""A person's own page: passkeys and sessions, theirs and nobody else's."""

import pytest
import time_machine
from django.conf import settings

from accounts.models import Session
from audit.models import Entry, Event
from oidc.models import LogoutDelivery
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.accounts.test_registration import refusal, timedelta_from_now
from tests.oidc.app import an_app
from tests.support.authenticator import Authenticator

pytestmark = pytest.mark.postgres


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.fixture
def second_key(at_home: Browser) -> Authenticator:
    key = Authenticator(settings.APP_URL)
    at_home.add_passkey(key)
    return key


def test_a_stranger_is_sent_to_sign_in_and_back(browser: Browser, person: Person) -> None:
    assert browser.get("/settings/account?x=1")["Location"] == "/login?redirect=%2Fsettings%2Faccount%3Fx%3D1"


def test_somebody_without_a_passkey_is_asked_for_one_first(browser: Browser) -> None:
    browser.send("/api/signup/setup", {"username": "alice"})
    assert browser.get("/settings/account")["Location"] == "/signup/add-passkey"


def test_it_shows_passkeys_and_sessions(at_home: Browser, person: Person) -> None:
    elsewhere = Browser()
    elsewhere.defaults["HTTP_USER_AGENT"] = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Mobile/15E148 Safari/604.1"
    )
    elsewhere.sign_in(person)
    page = at_home.get("/settings/account").text
    for shown in ("New Passkey", "Firefox on Linux", "Safari on iOS"):
        assert shown in page


def test_a_passkey_is_renamed(at_home: Browser, person: Person) -> None:
    assert (
        at_home.post(
            f"/settings/passkeys/{person.passkey.pk}/rename",
            {"csrfmiddlewaretoken": token_of(at_home), "name": "  My key  "},
        ).status_code
        == 302
    )
    assert person.passkey.name == "My key"


@pytest.mark.parametrize("name", ["", "   ", "x" * 51])
def test_a_name_has_1_to_50_characters(at_home: Browser, person: Person, name: str) -> None:
    at_home.post(
        f"/settings/passkeys/{person.passkey.pk}/rename", {"csrfmiddlewaretoken": token_of(at_home), "name": name}
    )
    assert person.passkey.name == "New Passkey"
    assert "A name has 1 to 50 characters." in at_home.get("/settings/account").text


def test_one_of_two_passkeys_is_removed(at_home: Browser, person: Person, second_key: Authenticator) -> None:
    removed = person.user.passkeys.last()
    answer = at_home.post(f"/settings/passkeys/{removed.pk}/delete", {"csrfmiddlewaretoken": token_of(at_home)})
    assert answer.status_code == 302
    assert removed not in person.user.passkeys.all()
    assert Entry.objects.get(event=Event.PASSKEY_REMOVED).data == {"passkeyName": "New Passkey"}
    assert refusal(Browser().try_to_sign_in(second_key)) == (401, "webauthn_authentication_failed")


def test_removing_a_passkey_asks_first_also_without_scripts(
    at_home: Browser, person: Person, second_key: Authenticator
) -> None:
    removed = person.user.passkeys.last()
    page = at_home.get("/settings/account").text
    assert page.count(f'href="/settings/passkeys/{removed.pk}/delete"') == 1
    question = at_home.get(f"/settings/passkeys/{removed.pk}/delete")
    assert "Delete the passkey “New Passkey”?" in question.text
    assert "Also sign out" not in question.text
    assert person.user.passkeys.count() == 2
    assert at_home.press("passkey-remove", question)["Location"] == "/settings/account"
    assert person.user.passkeys.count() == 1


@pytest.mark.parametrize("asked", [True, False], ids=["asked to sign out", "not asked"])
def test_the_sessions_that_a_removed_passkey_began_end_when_asked(
    at_home: Browser, person: Person, second_key: Authenticator, asked: bool
) -> None:
    """The one in which it is asked goes on, and so do those of the other passkey; apps hear of those that end."""
    removed = person.user.passkeys.last()
    assert at_home.try_to_sign_in(second_key).status_code == 200  # so this session was proved with it too
    thief, laptop = Browser(), Browser()
    app = an_app("Wiki", backchannel_logout_url="https://wiki.example.com/bye")
    assert thief.try_to_sign_in(second_key).status_code == 200
    app.code(thief)
    laptop.sign_in(person)
    question = at_home.get(f"/settings/passkeys/{removed.pk}/delete")
    assert "Also sign out where it signed you in: Firefox on Linux" in question.text
    at_home.press("passkey-remove", question, **({"end_sessions": "yes"} if asked else {}))
    assert at_home.get("/api/webauthn/credentials").status_code == 200
    assert laptop.get("/api/webauthn/credentials").status_code == 200
    assert thief.get("/api/webauthn/credentials").status_code == (401 if asked else 200)
    assert LogoutDelivery.objects.count() == (1 if asked else 0)


def test_the_last_passkey_stays(at_home: Browser, person: Person) -> None:
    at_home.post(f"/settings/passkeys/{person.passkey.pk}/delete", {"csrfmiddlewaretoken": token_of(at_home)})
    assert person.user.passkeys.count() == 1
    assert "your only passkey" in at_home.get("/settings/account").text
    assert refusal(at_home.delete(f"/api/webauthn/credentials/{person.passkey.pk}")) == (409, "last_passkey")


def test_an_old_session_removes_nothing_before_its_person_is_seen_again(
    at_home: Browser, person: Person, second_key: Authenticator
) -> None:
    removed = person.user.passkeys.last()
    token = token_of(at_home)
    with time_machine.travel(timedelta_from_now(minutes=11)):
        assert (
            at_home.post(f"/settings/passkeys/{removed.pk}/delete", {"csrfmiddlewaretoken": token})["Location"]
            == "/login?reauthenticate&redirect=/settings/account"
        )
        assert refusal(at_home.delete(f"/api/webauthn/credentials/{removed.pk}")) == (401, "reauthentication_required")
    assert person.user.passkeys.count() == 2


def test_a_session_elsewhere_is_ended(at_home: Browser, person: Person) -> None:
    elsewhere = Browser()
    elsewhere.sign_in(person)
    other = Session.objects.exclude(key_hash=Session.objects.order_by("created_at").first().key_hash).get()
    at_home.post(f"/settings/sessions/{other.pk}/end", {"csrfmiddlewaretoken": token_of(at_home)})
    assert elsewhere.get("/api/webauthn/credentials").status_code == 401
    assert at_home.get("/api/webauthn/credentials").status_code == 200


@pytest.mark.parametrize("page", ["passkeys/{passkey}/rename", "passkeys/{passkey}/delete", "sessions/{session}/end"])
def test_what_belongs_to_somebody_else_is_not_found(at_home: Browser, admin: Person, page: str) -> None:
    hers = Browser()
    hers.sign_in(admin)
    path = "/settings/" + page.format(passkey=admin.passkey.pk, session=Session.objects.get(user=admin.user).pk)
    at_home.post(path, {"csrfmiddlewaretoken": token_of(at_home), "name": "mine now"})
    assert admin.passkey.name == "New Passkey"
    assert hers.get("/api/webauthn/credentials").status_code == 200


def test_the_pages_need_their_csrf_token(at_home: Browser, person: Person) -> None:
    for path in (
        f"passkeys/{person.passkey.pk}/rename",
        f"passkeys/{person.passkey.pk}/delete",
        f"sessions/{Session.objects.get().pk}/end",
    ):
        assert at_home.post(f"/settings/{path}", {"name": "x"}).status_code == 403
    assert at_home.post("/logout").status_code == 403


# The same over REST


@pytest.mark.spec("Pocket ID contract", "6.1")
def test_passkeys_over_rest(at_home: Browser, person: Person) -> None:
    (only,) = at_home.get("/api/webauthn/credentials").json()
    assert only.keys() == {
        "id",
        "name",
        "credentialID",
        "attestationType",
        "transport",
        "backupEligible",
        "backupState",
        "createdAt",
        "aaguid",
        "hasIcon",
    }
    renamed = at_home.patch(
        f"/api/webauthn/credentials/{only['id']}", {"name": "Blue key"}, content_type="application/json"
    )
    assert (renamed.status_code, renamed.json()) == (200, only | {"name": "Blue key"})


@pytest.mark.parametrize(("name", "code"), [("", "required"), ("x" * 51, "too_long"), (None, "required")])
def test_a_wrong_name_is_refused_over_rest(at_home: Browser, person: Person, name: object, code: str) -> None:
    answer = at_home.patch(
        f"/api/webauthn/credentials/{person.passkey.pk}", {"name": name}, content_type="application/json"
    )
    assert refusal(answer) == (400, "validation_failed")
    assert [(each["field"], each["code"]) for each in answer.json()["details"]["fields"]] == [("name", code)]


@pytest.mark.spec("Pocket ID contract", "1.6")
@pytest.mark.parametrize("name", [["a"], {"a": 1}, 7, True], ids=str)
def test_a_name_of_another_json_type_is_no_request(at_home: Browser, person: Person, name: object) -> None:
    answer = at_home.patch(
        f"/api/webauthn/credentials/{person.passkey.pk}", {"name": name}, content_type="application/json"
    )
    assert refusal(answer) == (400, "invalid_request_body")
    assert person.passkey.name == "New Passkey"


@pytest.mark.parametrize("passkey_id", ["3b241101-e2bb-4255-8caf-4136c566a962", "no-uuid", "0", "%00", "x" * 300])
def test_an_unknown_passkey_is_not_found(at_home: Browser, passkey_id: str) -> None:
    answer = at_home.patch(f"/api/webauthn/credentials/{passkey_id}", {"name": "x"}, content_type="application/json")
    assert refusal(answer) == (404, "not_found")
    assert refusal(at_home.delete(f"/api/webauthn/credentials/{passkey_id}")) == (404, "not_found")


def test_nobody_sees_passkeys_without_being_signed_in(browser: Browser, person: Person) -> None:
    for answer in (
        browser.get("/api/webauthn/credentials"),
        browser.delete(f"/api/webauthn/credentials/{person.passkey.pk}"),
    ):
        assert refusal(answer) == (401, "not_signed_in")


def token_of(browser: Browser) -> str:
    """The CSRF token of this browser's pages."""
    return browser.get("/settings/account").context["csrf_token"]
