"""Who may do what, and what nobody is told: attacks on accounts, keys and the management API (attacks.md D and G)."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.urls import reverse
from django.utils import timezone

from accounts import groups, login_codes, sessions, signup
from accounts.models import Group, Session, User
from apikeys import scopes
from apikeys.models import ApiKey
from audit.models import Entry
from oidc import clients, scim_providers
from oidc.clients import ClientSettings
from oidc.models import Client
from siteconfig import configure
from siteconfig.models import SiteConfiguration
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.api.people.script import Script, refusal
from tests.oidc.app import App, answer
from tests.oidc.test_token import INVALID_GRANT
from tests.oidc.test_token import refusal as token_refusal
from tests.security.test_fuzz_routes import routes
from tests.support.html_form import forms
from tests.support.mailbox import Mailbox
from tests.support.server import Server

LATER = "2099-01-01T00:00:00Z"


@pytest.fixture
def at_home(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


# D: sessions, signing in, setting up


@pytest.mark.spec("attacks.md", "D1")
def test_d1_a_session_from_before_is_not_the_session_afterwards(person: Person) -> None:
    """Whether it was made up, stolen from somebody else, or the person's own."""
    browser = Browser()
    browser.cookies["access_token"] = "fixed by an attacker"
    browser.sign_in(person)
    first = browser.session_key
    assert first != "fixed by an attacker"
    browser.sign_in(person)
    assert browser.session_key != first
    old = Browser()
    old.cookies["access_token"] = first
    assert old.get("/api/users/me").status_code == 401


@pytest.mark.spec("attacks.md", "D1")
def test_d1_signing_in_as_somebody_else_ends_the_first_session(person: Person, admin: Person) -> None:
    browser = Browser()
    browser.sign_in(person)
    first = browser.copy()
    browser.sign_in(admin)
    assert browser.get("/api/users/me").json()["id"] == admin.subject
    assert first.get("/api/users/me").status_code == 401


@pytest.mark.spec("attacks.md", "D2")
def test_d2_a_ceremony_that_has_only_begun_is_no_session(person: Person) -> None:
    browser = Browser()
    browser.login_options()
    browser.send("/api/device-login/requests")
    assert browser.get("/api/users/me").status_code == 401
    assert browser.get("/settings/account").status_code == 302
    for name, morsel in list(browser.cookies.items()):
        thief = Browser()
        thief.cookies["access_token"] = morsel.value
        assert thief.get("/api/users/me").status_code == 401, name
        assert thief.get("/api/users/me", headers={"Authorization": f"Bearer {morsel.value}"}).status_code == 401


@pytest.mark.spec("attacks.md", "D14")
def test_d14_signing_in_tells_nobody_who_has_an_account(person: Person) -> None:
    """The start names no passkeys, and an unknown one is refused as a wrong one is."""
    options = Browser().login_options()
    assert not options.get("allowCredentials")
    stranger = a_person("mallory")
    stranger.user.passkeys.all().delete()
    wrong = person.device.get(Browser().login_options())  # for another browser's challenge
    unknown = Browser()
    refused = [
        unknown.send("/api/webauthn/login/finish", stranger.device.get(unknown.login_options())),
        unknown.send("/api/webauthn/login/finish", wrong | {"id": "AAAA", "rawId": "AAAA"}),
    ]
    assert refusal(refused[0]) == (401, "webauthn_authentication_failed")
    assert refusal(refused[1])[0] in (400, 401)
    assert "mallory" not in refused[0].text


@pytest.mark.spec("attacks.md", "D16")
@pytest.mark.parametrize(
    "body",
    [
        {"email": "bob@example.org", "to": "mallory@evil.example", "recipient": "mallory@evil.example"},
        {"email": "BOB@EXAMPLE.ORG"},
    ],
    ids=str,
)
def test_d16_a_code_goes_to_the_address_of_the_account(
    person: Person, body: dict, django_capture_on_commit_callbacks
) -> None:
    with Mailbox() as mailbox:
        configure.change(
            {
                "smtp_host": "127.0.0.1",
                "smtp_port": mailbox.port,
                "smtp_from": "id@example.org",
                "email_one_time_access_as_unauthenticated_enabled": True,
            }
        )
        with django_capture_on_commit_callbacks(execute=True):
            assert Script().make("/api/one-time-access-email", body).status_code == 204
        assert mailbox.next()["To"] == "bob@example.org"


@pytest.mark.spec("attacks.md", "D16")
@pytest.mark.parametrize(
    "email",
    [
        "bob@example.org,mallory@evil.example",
        "bob@example.org\r\nBcc: mallory@evil.example",
        ["bob@example.org"],
        {"a": 1},
    ],
    ids=str,
)
def test_d16_two_addresses_are_none(person: Person, email: object) -> None:
    configure.change({"email_one_time_access_as_unauthenticated_enabled": True})
    assert Script().make("/api/one-time-access-email", {"email": email}).status_code == 400


@pytest.mark.spec("attacks.md", "D17")
def test_d17_a_token_of_one_purpose_is_worth_nothing_for_another(person: Person, admin: Person) -> None:
    invitation = signup.create_token(usage_limit=1)
    code = login_codes.create(person.user, ttl=timedelta(hours=1)).code
    assert refusal(Script().make(f"/api/one-time-access-token/{invitation.token}")) == (401, "token_invalid_or_expired")
    body = {"username": "mallory", "email": "mallory@example.org", "token": code}
    assert refusal(Script().make("/api/signup", body)) == (401, "token_invalid_or_expired")
    script = Script(person.user)
    for token in (code, invitation.token):
        refused = script.make("/api/users/me/verify-email", {"token": token})
        assert refusal(refused) == (400, "invalid_email_verification_token")
    for token in (code, invitation.token, script.secret):
        bearer = {"Authorization": f"Bearer {token}"}
        assert refusal(Script().call("GET", "/api/users/me", headers=bearer)) == (401, "not_signed_in")
    # None of this has used them up.
    assert Script().make(f"/api/one-time-access-token/{code}").status_code == 200


MORE = {
    "id": "11111111-2222-4333-8444-555555555555",
    "isAdmin": True,
    "is_admin": True,
    "is_staff": True,
    "emailVerified": True,
    "email_verified": True,
    "disabled": False,
    "groups": ["administrators"],
    "customClaims": [{"key": "role", "value": "admin"}],
    "ldapId": "x",
}


@pytest.mark.spec("attacks.md", "D20")
def test_d20_nobody_gives_themselves_rights_when_they_sign_up(admin: Person) -> None:
    group = groups.create(name="administrators", friendly_name="Administrators")
    configure.change({"allow_user_signups": "open"})
    body = {"username": "mallory", "email": "m@example.org", "userGroupIds": [str(group.pk)]} | MORE
    made = Script().make("/api/signup", body).json()
    assert (made["isAdmin"], made["emailVerified"], made["userGroups"], made["customClaims"]) == (False, False, [], [])
    assert (made["ldapId"], made["id"] != MORE["id"]) == (None, True)


@pytest.mark.spec("attacks.md", "D20")
def test_d20_nobody_gives_themselves_rights_in_their_account(person: Person) -> None:
    group = groups.create(name="administrators", friendly_name="Administrators")
    browser = Browser()
    browser.sign_in(person)
    User.objects.filter(pk=person.user.pk).update(email_verified=False)
    body = {"username": "bob", "email": "bob@example.org", "userGroupIds": [str(group.pk)]} | MORE
    for script in (
        Script(person.user).change,
        lambda path, body: browser.put(path, json.dumps(body), content_type="application/json"),
    ):
        changed = script("/api/users/me", body).json()
        assert (changed["isAdmin"], changed["emailVerified"], changed["userGroups"]) == (False, False, [])
        assert (changed["customClaims"], changed["id"]) == ([], person.subject)


@pytest.mark.spec("attacks.md", "D20")
def test_d20_the_first_administrator_is_no_less_than_that(browser: Browser) -> None:
    made = browser.send("/api/signup/setup", {"username": "alice"} | MORE | {"isAdmin": False, "disabled": True}).json()
    assert (made["isAdmin"], made["disabled"], made["emailVerified"], made["id"] != MORE["id"]) == (
        True,
        False,
        False,
        True,
    )


@pytest.mark.spec("attacks.md", "D26")
def test_d26_whoever_is_disabled_is_out_at_once(person: Person, admin: Person, client_app: App) -> None:
    browser, script = Browser(), Script(person.user)
    browser.sign_in(person)
    tokens = client_app.tokens(browser, scope="openid offline_access")
    code = login_codes.create(person.user).code
    session, key = sessions.start(person.user, methods=[], place=sessions.Place(), lifetime=timedelta(hours=1))
    body = {"username": "bob", "email": "bob@example.org", "disabled": True}
    assert Script(admin.user).change(f"/api/users/{person.subject}", body).status_code == 200
    assert browser.get("/api/users/me").status_code == 401
    assert Script().call("GET", "/api/users/me", headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert not Session.objects.filter(pk=session.pk).exists()
    assert refusal(script.read("/api/users/me")) == (403, "user_disabled")
    assert refusal(Script().make(f"/api/one-time-access-token/{code}")) == (403, "user_disabled")
    assert refusal(Browser().try_to_sign_in(person.device))[0] in (401, 403)
    assert token_refusal(client_app.refresh(tokens["refresh_token"])) == INVALID_GRANT


# G: the management API


@pytest.fixture
def secrets(admin: Person, person: Person) -> dict[str, str]:
    """One secret of each kind, in the database."""
    configure.change(
        {"smtp_password": "smtp-password-of-the-tests", "ldap_bind_password": "ldap-password-of-the-tests"}
    )
    client, made = clients.create(ClientSettings(name="Wiki"), client_id="wiki", with_secret=True)
    scim_providers.create(client, endpoint="https://scim.example.org", token="scim-token-of-the-tests")
    _session, key = sessions.start(admin.user, methods=[], place=sessions.Place(), lifetime=timedelta(hours=1))
    assert made
    return {
        "smtp": "smtp-password-of-the-tests",
        "ldap": "ldap-password-of-the-tests",
        "scim": "scim-token-of-the-tests",
        "client secret": made.text,
        "its hash": made.row.secret_hash,
        "session": key,
        "its hash in the table": Session.objects.latest("created_at").key_hash,
        "API key": Script(person.user).secret,
        "hash of the key": ApiKey.objects.get(user=person.user).key_hash,
        "login code": login_codes.create(person.user, ttl=timedelta(hours=1)).code,
    }


def console() -> Iterator[str]:
    """Each list and each form that the console has."""
    for model in site._registry:
        yield (at := reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        for row in model._default_manager.all()[:5]:
            yield f"{at}{row.pk}/change/"


@pytest.mark.spec("attacks.md", "G1")
@pytest.mark.parametrize("asker", ["session", "scoped key"])
def test_g1_no_answer_and_no_page_holds_a_secret(
    secrets: dict[str, str], admin: Person, person: Person, asker: str
) -> None:
    """Every address of the API, of the pages and of the console, with the ids of what is there."""
    if asker == "session":
        browser = Browser()
        browser.sign_in(admin)
        ask = browser.get
    else:
        ask = Script(admin.user, scopes=scopes.ALL).read
    seen = 0
    ids = (
        "wiki",
        admin.subject,
        person.subject,
        str(Client.objects.get().pk),
        "1",
        str(ApiKey.objects.get(user=person.user).pk),
    )
    for route in [*sorted(set(routes())), *console()]:
        for each in ids if "{0}" in route else ("",):
            found = ask(route.format(each))
            seen += found.status_code == 200
            text = b"".join(found.streaming_content) if found.streaming else found.content
            told = [name for name, secret in secrets.items() if secret.encode() in text]
            assert told == [], (route, each)
    assert seen > (40 if asker == "session" else 15)
    written = str(list(Entry.objects.values()))
    assert [name for name, secret in secrets.items() if secret in written] == []


@pytest.mark.spec("attacks.md", "G2")
def test_g2_what_belongs_to_others_is_not_there(person: Person, admin: Person) -> None:
    theirs = Script(admin.user)
    _session, _key = sessions.start(admin.user, methods=[], place=sessions.Place(), lifetime=timedelta(hours=1))
    browser, script = Browser(), Script(person.user)
    browser.sign_in(person)
    passkey = f"/api/webauthn/credentials/{admin.passkey.pk}"
    assert refusal(script.remove(passkey)) == (404, "not_found")
    assert refusal(script.call("PATCH", passkey, {"name": "mine"})) == (404, "not_found")
    assert refusal(script.remove(f"/api/api-keys/{theirs.key.pk}")) == (404, "api_key_not_found")
    page = browser.get("/settings/account")
    token = next(form.fields["csrfmiddlewaretoken"] for form in forms(page.text, page_url="http://localhost:1411/"))
    for session in Session.objects.filter(user=admin.user):
        ended = browser.post(f"/settings/sessions/{session.pk}/end", {"csrfmiddlewaretoken": token})
        assert ended.status_code in (302, 404)
        assert Session.objects.filter(pk=session.pk).exists()
    for path in (
        f"/api/users/{admin.subject}",
        f"/api/users/{admin.subject}/webauthn-credentials",
        "/api/audit-logs/all",
    ):
        assert refusal(script.read(path)) == (403, "forbidden")
    own = script.read("/api/audit-logs").json()["data"]
    assert {entry["userID"] for entry in own} <= {person.subject}
    asked_for = script.read(f"/api/audit-logs?filters[userID]={admin.subject}").json()["data"]
    assert {entry["userID"] for entry in asked_for} <= {person.subject}


@pytest.mark.spec("attacks.md", "G5")
def test_g5_a_body_cannot_say_whose_key_it_is_or_what_it_is(at_home: Browser, admin: Person, person: Person) -> None:
    body = {"name": "mine", "expiresAt": LATER, "user": person.subject, "userId": person.subject, "prefix": "pid_x"}
    body |= {"token": "chosen by me", "key_hash": "0" * 64, "id": MORE["id"], "lastUsedAt": LATER, "createdAt": LATER}
    made = at_home.send("/api/api-keys", body).json()
    key = ApiKey.objects.get()
    assert (key.user, str(key.pk) != MORE["id"], key.last_used_at) == (admin.user, True, None)
    assert re.fullmatch(r"pid_[\w-]{43}", made["token"])
    assert made["token"].startswith(key.prefix)


@pytest.mark.spec("attacks.md", "G5")
@pytest.mark.parametrize(
    "given",
    [scopes.ALL, ("users:write", "api-keys:write", "passkeys:write", "signup-tokens:write")],
    ids=["all", "some"],
)
def test_g5_a_key_with_scopes_becomes_nothing_more(admin: Person, person: Person, given: tuple[str, ...]) -> None:
    """Neither it nor anybody whom it can make is an administrator afterwards, and no key is stronger."""
    script = Script(admin.user, scopes=given)
    group = groups.create(name="administrators", friendly_name="Administrators")
    me = f"/api/users/{admin.subject}"
    for method, path, body in (
        ("POST", "/api/users", {"username": "x", "email": "x@example.org", "isAdmin": True}),
        ("PUT", f"/api/users/{person.subject}", {"username": "bob", "email": "bob@example.org", "isAdmin": True}),
        ("PUT", me, {"username": "alice", "email": "mallory@evil.example", "isAdmin": True}),
        ("PUT", "/api/users/me", {"username": "alice", "email": "mallory@evil.example"}),
        ("POST", f"{me}/one-time-access-token", {}),
        ("POST", f"{me}/one-time-access-email", {}),
        ("PUT", f"{me}/user-groups", {"userGroupIds": [str(group.pk)]}),
        ("POST", "/api/api-keys", {"name": "stronger", "expiresAt": LATER}),
        ("POST", f"/api/api-keys/{script.key.pk}/renew", {"expiresAt": LATER}),
        ("DELETE", me, None),
    ):
        assert refusal(script.call(method, path, body))[0] == 403, (method, path)
    for method, path in (("GET", "/api/webauthn/register/start"), ("POST", "/api/webauthn/reauthenticate")):
        assert script.call(method, path).status_code in (401, 403)
    assert list(User.objects.filter(is_admin=True)) == [admin.user]
    assert (ApiKey.objects.count(), User.objects.get(pk=admin.user.pk).email) == (1, "alice@example.org")


@pytest.mark.spec("attacks.md", "G5")
def test_g5_a_key_ends_with_its_owner_and_loses_what_the_owner_loses(admin: Person, person: Person) -> None:
    User.objects.filter(pk=person.user.pk).update(is_admin=True)
    key = Script(person.user)
    assert key.read("/api/users").status_code == 200
    Script(admin.user).change(f"/api/users/{person.subject}", {"username": "bob", "email": "b@example.org"})
    assert refusal(key.read("/api/users")) == (403, "forbidden")
    assert Script(admin.user).remove(f"/api/users/{person.subject}").status_code == 204
    assert refusal(key.read("/api/users/me")) == (401, "not_signed_in")


@pytest.mark.spec("attacks.md", "G6")
@pytest.mark.parametrize("length", [0, 1, 46, 48, 1000, 7000])
def test_g6_a_key_of_any_length_is_compared_and_refused(admin: Person, length: int) -> None:
    good = Script(admin.user).secret
    assert refusal(Script(key=(good * 200)[:length] or "x").read("/api/users/me")) == (401, "not_signed_in")
    for character in ("é", "\x7f", "ﬀ"):
        mangled = good[:-1] + character
        assert Script().call("GET", "/api/users/me", headers={"X-API-Key": mangled}).status_code == 401


@pytest.mark.spec("attacks.md", "G13")
def test_g13_who_leaves_a_group_loses_what_it_opened_at_the_next_refresh(
    person: Person, admin: Person, client_app: App
) -> None:
    staff = groups.create(name="staff", friendly_name="Staff")
    groups.set_members(staff, [person.subject])
    Client.objects.filter(pk=client_app.client.pk).update(is_group_restricted=True)
    clients.set_allowed_groups(client_app.client.client_id, [str(staff.pk)])
    browser = Browser()
    browser.sign_in(person)
    tokens = client_app.tokens(browser, scope="openid groups offline_access")
    assert Script(admin.user).change(f"/api/user-groups/{staff.pk}/users", {"userIds": []}).status_code == 200
    assert token_refusal(client_app.refresh(tokens["refresh_token"])) == INVALID_GRANT
    refused = client_app.ask(browser, prompt="none")
    assert refused.status_code != 302 or "code" not in answer(refused)
    assert Group.objects.get().members.count() == 0


@pytest.mark.spec("attacks.md", "G17")
def test_g17_a_key_needs_no_origin_and_a_cookie_needs_ours(at_home: Browser, admin: Person) -> None:
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    body = {"name": "team", "friendlyName": "Team"}
    assert refusal(at_home.send("/api/user-groups", body, headers=evil)) == (403, "forbidden")
    assert not Group.objects.exists()
    assert Script(admin.user).make("/api/user-groups", body, headers=evil).status_code == 201


@pytest.mark.spec("attacks.md", "D8")
def test_d8_the_console_and_files_guard_the_last_administrator_as_rest_does(admin: Person) -> None:
    """Each by the verb that all of them call (tests/console, tests/automation)."""
    from accounts import lifecycle
    from accounts.errors import LastAdministrator

    for attempt in (
        lambda: lifecycle.delete(admin.user),
        lambda: lifecycle.update(admin.user, {"is_admin": False}),
        lambda: lifecycle.update(admin.user, {"disabled": True}),
    ):
        with pytest.raises(LastAdministrator):
            attempt()
    a_person("disabled", is_admin=True, disabled=True)
    with pytest.raises(LastAdministrator):
        lifecycle.delete(admin.user)
    assert SiteConfiguration.objects.get().pk == 1


@pytest.mark.spec("attacks.md", "D9, G16")
def test_g16_nothing_that_opens_a_door_is_in_the_log() -> None:
    """The real server, as talkative as it can be."""
    import requests

    with Server(environment={"LOG_LEVEL": "debug", "SETUP_TOKEN": "setup-token-of-the-tests"}) as server:
        url = server.base_url

        def send(method: str, path: str, **kwargs: object) -> requests.Response:
            return requests.request(method, url + path, timeout=10, **kwargs)

        setup = send("POST", "/api/one-time-access-token/setup", headers={"X-Setup-Token": "setup-token-of-the-tests"})
        session = setup.headers["Set-Cookie"].split(";")[0].split("=")[1]
        body = {"name": "of the tests", "expiresAt": (timezone.now() + timedelta(days=1)).isoformat()}
        key = send("POST", "/api/api-keys", json=body, headers={"Authorization": f"Bearer {session}"}).json()["token"]
        mine = {"X-API-Key": key}
        made = send("POST", "/api/oidc/clients", json={"name": "Wiki"}, headers=mine).json()
        secret = made["createdSecret"]["secret"]
        person = send("POST", "/api/users", json={"username": "bob", "email": "b@example.org"}, headers=mine).json()[
            "id"
        ]
        code = send("POST", f"/api/users/{person}/one-time-access-token", json={"ttl": "1h"}, headers=mine).json()[
            "token"
        ]
        signed_in = send("POST", f"/api/one-time-access-token/{code}")
        wrong = send("POST", "/api/one-time-access-token/WRONGCODE123")
        send("GET", f"/lc/{code}")
        token = send("POST", "/api/signup-tokens", json={"ttl": "1h", "usageLimit": 1}, headers=mine).json()["token"]
        send("GET", f"/st/{token}")
        send(
            "POST",
            "/api/oidc/token",
            data={"grant_type": "authorization_code", "code": "a-code-of-the-tests"},
            auth=(made["id"], secret),
        )
        send("GET", "/authorize?client_id=x&state=a-state-of-the-tests&code_challenge=a-challenge-of-the-tests")
        assert (signed_in.status_code, wrong.status_code) == (200, 401)
        cookie = signed_in.headers["Set-Cookie"].split(";")[0].split("=")[1]
        assert "POST /api/api-keys 201" in server.log
        hidden = {
            "setup token": "setup-token-of-the-tests",
            "session": session,
            "key": key,
            "client secret": secret,
            "login code": code,
            "wrong code": "WRONGCODE123",
            "sign-up token": token,
            "cookie": cookie,
            "authorization code": "a-code-of-the-tests",
            "state": "a-state-of-the-tests",
        }
        assert [name for name, text in hidden.items() if text in server.log] == []
