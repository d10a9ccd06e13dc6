"""Getting in, or getting more, without being entitled to: attacks on sessions, codes, set-up and accounts (attacks.md D)."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from accounts import groups, login_codes, sessions, signup
from accounts.models import Session, User
from siteconfig import configure
from siteconfig.models import SiteConfiguration
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.api.people.script import Script, refusal
from tests.oidc.app import App
from tests.oidc.test_token import INVALID_GRANT
from tests.oidc.test_token import refusal as token_refusal
from tests.support.mailbox import Mailbox
from tests.support.server import Server


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


@pytest.mark.spec("attacks.md", "D24")
def test_d24_people_at_the_same_moment_are_never_mixed_up(live_database: str) -> None:
    """Threads and processes of the server share whatever a mistake would keep in them: each gets only what is theirs."""
    import requests

    static, names = {"X-API-Key": "a static key of the tests"}, [f"person{number}" for number in range(8)]
    environment = {"DISABLE_RATE_LIMITING": "true", "STATIC_API_KEY": static["X-API-Key"]}
    with Server(database_url=live_database, environment=environment) as server:

        def sign_in(name: str) -> requests.Session:
            body = {"username": name, "email": f"{name}@example.org"}
            made = requests.post(f"{server.base_url}/api/users", json=body, headers=static, timeout=30).json()["id"]
            path = f"{server.base_url}/api/users/{made}/one-time-access-token"
            code = requests.post(path, json={"ttl": "1h"}, headers=static, timeout=30).json()["token"]
            answer = requests.post(f"{server.base_url}/api/one-time-access-token/{code}", timeout=30)
            session = requests.Session()
            session.headers["Cookie"] = answer.headers["Set-Cookie"].split(";")[0]
            return session

        def use(name: str) -> set[str]:
            session, seen = sign_in(name), set()
            for _ in range(15):
                seen.add(session.get(f"{server.base_url}/api/users/me", timeout=30).json()["username"])
                seen.update(
                    re.findall(r"person\d", session.get(f"{server.base_url}/settings/account", timeout=30).text)
                )
                seen.update(re.findall(r"person\d", session.get(f"{server.base_url}/api/audit-logs", timeout=30).text))
            return seen

        with ThreadPoolExecutor(len(names)) as pool:
            assert dict(zip(names, pool.map(use, names), strict=True)) == {name: {name} for name in names}
        assert "Traceback" not in server.log, server.log[-4000:]


@pytest.mark.spec("attacks.md", "D25")
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"id": "", "response": {}}'], ids=repr)
def test_d25_no_step_is_skipped_by_sending_nothing(person: Person, body: bytes) -> None:
    """Each way in has two steps, and the second without the first, or without what the first asked for, is nobody's."""
    browser = Browser()
    asked = browser.send("/api/device-login/requests").json()
    for address in (
        "/api/webauthn/login/finish",
        "/api/webauthn/register/finish",
        "/api/webauthn/reauthenticate",
        "/api/webauthn/logout",
        f"/api/device-login/requests/{asked['id']}/exchange",
        "/api/one-time-access-token/",
        "/api/one-time-access-token/%20",
        "/login/alternative/code",
        "/login/alternative/device",
    ):
        browser.login_options()
        browser.post(address, body, content_type="application/json")
        assert browser.get("/api/users/me").status_code == 401, address
    assert not Session.objects.exists()


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
