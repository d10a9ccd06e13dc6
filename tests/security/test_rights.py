"""Who may do what, and what nobody is told: attacks on keys and the management API (attacks.md G)."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.contrib.admin import site
from django.urls import reverse
from django.utils import timezone

from accounts import groups, login_codes, sessions
from accounts.models import Group, Session, User
from apikeys import scopes
from apikeys.models import ApiKey
from audit.models import Entry
from oidc import clients, scim_providers
from oidc.clients import ClientSettings
from oidc.models import Client
from siteconfig import configure
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal
from tests.oidc.app import App, answer
from tests.oidc.test_token import INVALID_GRANT
from tests.oidc.test_token import refusal as token_refusal
from tests.security.test_fuzz_routes import routes
from tests.support.html_form import forms
from tests.support.mailbox import Mailbox
from tests.support.server import Server

LATER = "2099-01-01T00:00:00Z"
CHOSEN = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def at_home(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


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
    body |= {"token": "chosen by me", "key_hash": "0" * 64, "id": CHOSEN, "lastUsedAt": LATER, "createdAt": LATER}
    made = at_home.send("/api/api-keys", body).json()
    key = ApiKey.objects.get()
    assert (key.user, str(key.pk) != CHOSEN, key.last_used_at) == (admin.user, True, None)
    assert re.fullmatch(r"pid_[\w-]{43}", made["token"])
    assert made["token"].startswith(key.prefix)


@pytest.mark.spec("attacks.md", "D6, G5")
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


@pytest.mark.spec("attacks.md", "D28, G13")
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


@pytest.mark.spec("attacks.md", "G8")
@pytest.mark.parametrize(
    "query",
    [
        "search=" + "a" * 6000,
        "search=" + "%25" * 1000 + "_" * 1000,
        "search=" + "(a%2B)%2B" * 300 + "$",
        "search=*)(uid=*))(|(uid=*",
        "search=' OR 1=1 --",
        "search=%00%F0%9F%98%80",
        "sort[column]=user__key_hash",
        "sort[column]=sessions__key_hash&sort[direction]=asc",
        "sort[column]=password",
        "filters[sessions__key_hash__startswith]=a",
        "filters[passkeys__user__api_keys__key_hash__gt]=a",
        "&".join(f"filters[isAdmin][{number}]=true" for number in range(300)),
        "filters[isAdmin]=" + "[" * 2000,
        "pagination[limit]=99999999999999999999&pagination[page]=-1",
    ],
    ids=lambda query: query[:40],
)
@pytest.mark.parametrize(
    "path", ["/api/users", "/api/user-groups", "/api/oidc/clients", "/api/api-keys", "/api/audit-logs/all"]
)
def test_g8_no_search_takes_long_or_reaches_another_table(
    admin: Person, person: Person, path: str, query: str, django_assert_max_num_queries
) -> None:
    """What is no column of the list is ignored: it could be asked, letter by letter, what nobody is shown."""
    script = Script(admin.user)
    plain = script.read(path).json()["data"]
    with django_assert_max_num_queries(20):
        found = script.read(f"{path}?{query}")
    assert found.status_code in (200, 400), found.content[:200]
    if found.status_code == 200 and "search" not in query and "isAdmin" not in query and "pagination" not in query:
        assert len(found.json()["data"]) == len(plain)


@pytest.mark.spec("attacks.md", "G1, G16")
def test_g1_stored_passwords_are_in_no_log_and_no_export(tmp_path: Path) -> None:
    """Set, used, refused and exported on a server that is as talkative as it can be."""
    import requests

    hidden = {"smtpPassword": "smtp-password-of-the-tests", "ldapBindPassword": "ldap-password-of-the-tests"}
    token = "scim-token-of-the-tests"
    static = "a static key of the tests"
    with (
        Mailbox() as mailbox,
        Server(environment={"LOG_LEVEL": "debug", "STATIC_API_KEY": static}) as server,
    ):

        def send(method: str, path: str, body: object = None) -> requests.Response:
            return requests.request(
                method, server.base_url + path, json=body, headers={"X-API-Key": static}, timeout=30
            )

        def settings() -> dict[str, str]:
            return {each["key"]: each["value"] for each in send("GET", "/api/application-configuration/all").json()}

        mail = {"smtpHost": "127.0.0.1", "smtpPort": str(mailbox.port), "smtpFrom": "id@example.org", "smtpUser": "id"}
        assert send("PUT", "/api/application-configuration", settings() | mail | hidden).status_code == 200
        assert settings().items() >= hidden.items()
        assert send("PUT", "/api/application-configuration", settings() | {"smtpPort": "x"}).status_code == 400
        me = send("GET", "/api/users/me").json()
        alice = {"username": "alice", "email": "alice@example.org", "isAdmin": True}
        assert send("POST", "/api/users", alice).status_code == 201
        assert send("POST", "/api/application-configuration/test-email").status_code in (409, 502), me
        client = send("POST", "/api/oidc/clients", {"name": "Wiki"}).json()["id"]
        provider = {"endpoint": "https://scim.example.org", "token": token, "oidcClientId": client}
        assert send("POST", "/api/scim/service-provider", provider).json()["token"] == token
        (tmp_path / "password").write_text("another-password-of-the-tests")
        (tmp_path / "declared.yaml").write_text("configuration: {smtpPassword: {file: password}, smtpPort: 26}\n")
        planned = server.run("apply", "--dry-run", str(tmp_path / "declared.yaml"))
        assert planned.returncode == 2, planned.stderr
        assert server.run("export", str(tmp_path / "export.zip")).returncode == 0
        with ZipFile(tmp_path / "export.zip") as file:
            exported = b"".join(file.read(name) for name in file.namelist())
        log = send("GET", "/api/audit-logs/all?pagination[limit]=100").text
        told = (server.log + planned.stdout + planned.stderr + log).encode() + exported
        for secret in (*hidden.values(), token, "another-password-of-the-tests", static):
            assert secret.encode() not in told, secret
            assert base64.b64encode(secret.encode()) not in told, secret


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
