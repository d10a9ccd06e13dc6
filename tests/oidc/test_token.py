"""The token endpoint: who may redeem a code, and what each refusal says."""

import base64
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Group
from oidc import client_secrets
from oidc.models import AccessToken, ClientSecret, Grant, RefreshToken
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, basic, http, post_form, userinfo

pytestmark = pytest.mark.postgres


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def refusal(response) -> tuple[int, str]:
    """Status and error; each has a description that an app can show."""
    body = response.json()
    assert body.keys() == {"error", "error_description"}
    assert body["error_description"]
    assert (response["Cache-Control"], response["Pragma"], response["Content-Type"]) == (
        "no-store",
        "no-cache",
        "application/json;charset=UTF-8",
    )
    return response.status_code, body["error"]


INVALID_GRANT = (400, "invalid_grant")
INVALID_CLIENT = (401, "invalid_client")


@pytest.mark.spec("RFC 6749", "5.1")
@pytest.mark.spec("conformance", "R10")
def test_the_answer_has_its_shape_and_is_kept_by_no_cache(at_home: Browser, client_app: App) -> None:
    response = client_app.redeem(client_app.code(at_home))
    assert (response["Cache-Control"], response["Pragma"], response["Content-Type"]) == (
        "no-store",
        "no-cache",
        "application/json;charset=UTF-8",
    )
    body = response.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 3600, "openid profile email")
    assert "Set-Cookie" not in response.headers
    assert not response.cookies


@pytest.mark.spec("conformance", "R9")
def test_nothing_that_was_given_is_kept_in_clear(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home, scope="openid offline_access")
    tokens = client_app.redeem(code).json()
    kept = " ".join(
        str(value)
        for model in (Grant, AccessToken, RefreshToken, ClientSecret)
        for row in model.objects.values()
        for value in row.values()
    )
    for secret in (code, tokens["access_token"], tokens["refresh_token"], client_app.secret):
        assert secret not in kept
    assert len(code) >= 43


# Client authentication


@pytest.mark.spec("OIDC Core", "9")
@pytest.mark.parametrize("authentication", ["basic", "post"])
def test_a_secret_comes_either_way(at_home: Browser, client_app: App, authentication: str) -> None:
    code = client_app.code(at_home)
    assert client_app.redeem(code, authentication=authentication).status_code == 200


@pytest.mark.spec("RFC 6749", "2.3.1")
@pytest.mark.spec("conformance", "R11")
def test_basic_credentials_are_form_encoded_first(at_home: Browser) -> None:
    app = an_app("Odd", client_id="odd.client-id_1")
    app.secret = "pä ss:w+r%d/☃"
    ClientSecret.objects.create(client=app.client, secret_hash=client_secrets.hash_secret(app.secret))
    assert app.redeem(app.code(at_home)).status_code == 200


@pytest.mark.spec("RFC 6749", "2.3.1")
def test_the_scheme_is_written_in_any_case(at_home: Browser, client_app: App) -> None:
    header = basic(client_app.client.client_id, client_app.secret).replace("Basic", "bAsIc")
    form = {
        "grant_type": "authorization_code",
        "code": client_app.code(at_home),
        "redirect_uri": client_app.redirect_uri,
    }
    assert post_form("/api/oidc/token", form, headers={"Authorization": header}).status_code == 200


@pytest.mark.spec("RFC 6749", "2.3.1")
def test_each_of_several_secrets_works_until_it_ends(at_home: Browser, client_app: App) -> None:
    first = client_app.secret
    _row, second = client_secrets.create(client_app.client, expires_at=timezone.now() + timedelta(minutes=1))
    for secret in (first, second):
        client_app.secret = secret
        assert client_app.redeem(client_app.code(at_home)).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert refusal(client_app.redeem(client_app.code(at_home))) == INVALID_CLIENT
        client_app.secret = first
        assert client_app.redeem(client_app.code(at_home)).status_code == 200


def b64(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    ("header", "form"),
    [
        (lambda app: basic(app.client.client_id, "wrong"), {}),
        (lambda app: basic(app.client.client_id, ""), {}),
        (lambda app: basic(app.client.client_id, app.secret + " "), {}),
        (lambda app: basic(app.client.client_id, app.secret[:-1]), {}),
        (lambda app: basic("unknown", app.secret), {}),
        (lambda app: basic("", app.secret), {}),
        (lambda app: b64(app.client.client_id), {}),
        (lambda app: b64(b"\xff\xfe:x"), {}),
        (lambda app: b64("a\x00b:x"), {}),
        (lambda app: b64("%00:x"), {}),
        (lambda app: b64("%ff:%fe"), {}),
        (lambda app: "Basic", {}),
        (lambda app: "Basic ====", {}),
        (lambda app: "Basic ü", {}),
        (lambda app: "Basic " + "A" * 6000, {}),
        (lambda app: "Bearer x", {}),
        (lambda app: None, {}),
        (lambda app: None, {"client_id": "{id}"}),
        (lambda app: None, {"client_id": "{id}", "client_secret": ""}),
        (lambda app: None, {"client_id": "{id}", "client_secret": "wrong"}),
        (lambda app: None, {"client_id": "{id}", "client_secret": " {secret}"}),
        (lambda app: None, {"client_id": "{id}", "client_secret": "{hash}"}),
        (lambda app: None, {"client_id": "unknown", "client_secret": "{secret}"}),
        (lambda app: None, {"client_secret": "{secret}"}),
        (lambda app: basic(app.client.client_id, app.secret), {"client_secret": "{secret}"}),
        (lambda app: basic(app.client.client_id, app.secret), {"client_id": "another"}),
    ],
)
def test_a_client_that_cannot_prove_itself_is_refused_and_burns_no_code(
    at_home: Browser, client_app: App, header, form: dict[str, str]
) -> None:
    known = {
        "id": client_app.client.client_id,
        "secret": client_app.secret,
        "hash": ClientSecret.objects.get().secret_hash,
    }
    code = client_app.code(at_home)
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": client_app.redirect_uri} | {
        name: value.format(**known) for name, value in form.items()
    }
    given = header(client_app)
    response = post_form("/api/oidc/token", sent, headers={"Authorization": given} if given else {})
    assert refusal(response) == INVALID_CLIENT
    # Only Basic is challenged (RFC 6749 section 5.2), in words for libraries that read no further.
    text = response.json()["error_description"]
    challenge = f'Basic realm="token", charset="UTF-8", error="invalid_client", error_description="{text}"'
    assert response.headers.get("WWW-Authenticate") == (challenge if given else None)
    assert client_app.redeem(code).status_code == 200


@pytest.mark.spec("RFC 6749", "2.1")
def test_a_public_client_has_no_secret(at_home: Browser, public_app: App) -> None:
    code = public_app.code(at_home)
    assert refusal(public_app.redeem(code, client_secret="x")) == INVALID_CLIENT
    assert public_app.redeem(code).status_code == 200


@pytest.mark.spec("RFC 6749", "2.3")
def test_the_same_attempt_with_the_other_authentication_is_no_replay(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home)
    assert refusal(client_app.redeem(code, authentication="none")) == INVALID_CLIENT
    assert client_app.redeem(code, authentication="post").status_code == 200


# The request


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"grant_type": None}, (400, "invalid_request")),
        ({"grant_type": ""}, (400, "invalid_request")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": "implicit"}, (400, "unsupported_grant_type")),
        ({"code": None}, INVALID_GRANT),
        ({"code": ""}, INVALID_GRANT),
        ({"code": "pocket_id_ac_unknown"}, INVALID_GRANT),
        ({"code": "x" * 9000}, (400, "invalid_request")),
        ({"code": "a\x00b"}, (400, "invalid_request")),
        ({"redirect_uri": None}, INVALID_GRANT),
        ({"redirect_uri": "https://app.example.org/callback/"}, INVALID_GRANT),
        ({"redirect_uri": ""}, INVALID_GRANT),
        ({"code_verifier": "x" * 43}, INVALID_GRANT),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_wrong_request_is_refused(
    at_home: Browser, client_app: App, form: dict[str, str | None], expected: tuple[int, str]
) -> None:
    usual = {
        "grant_type": "authorization_code",
        "code": client_app.code(at_home),
        "redirect_uri": client_app.redirect_uri,
    }
    assert refusal(client_app.token(**usual | form)) == expected
    assert not AccessToken.objects.exists()


@pytest.mark.spec("RFC 6749", "3.2")
def test_a_parameter_that_comes_twice_is_refused(at_home: Browser, client_app: App) -> None:
    body = urlencode(
        [
            ("grant_type", "authorization_code"),
            ("code", client_app.code(at_home)),
            ("redirect_uri", client_app.redirect_uri),
            ("code", "x"),
        ]
    )
    response = http().post(
        "/api/oidc/token",
        body,
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": basic(client_app.client.client_id, client_app.secret)},
    )
    assert refusal(response) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_a_form_is_read(at_home: Browser, client_app: App, kind: str) -> None:
    body = urlencode(
        {"grant_type": "authorization_code", "code": client_app.code(at_home), "redirect_uri": client_app.redirect_uri}
    )
    response = http().post(
        "/api/oidc/token",
        body,
        content_type=kind,
        headers={"Authorization": basic(client_app.client.client_id, client_app.secret)},
    )
    assert refusal(response) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "3.2")
def test_a_charset_after_the_type_is_fine(at_home: Browser, client_app: App) -> None:
    body = urlencode(
        {"grant_type": "authorization_code", "code": client_app.code(at_home), "redirect_uri": client_app.redirect_uri}
    )
    kind = "application/x-www-form-urlencoded;charset=UTF-8"
    assert (
        http()
        .post(
            "/api/oidc/token",
            body,
            content_type=kind,
            headers={"Authorization": basic(client_app.client.client_id, client_app.secret)},
        )
        .status_code
        == 200
    )


@pytest.mark.spec("RFC 6749", "3.2")
def test_the_query_is_never_read(at_home: Browser, client_app: App) -> None:
    query = urlencode(
        {"grant_type": "authorization_code", "code": client_app.code(at_home), "redirect_uri": client_app.redirect_uri}
    )
    assert refusal(
        post_form(
            "/api/oidc/token?" + query,
            {},
            headers={"Authorization": basic(client_app.client.client_id, client_app.secret)},
        )
    ) == (400, "invalid_request")


@pytest.mark.spec("Pocket ID contract", "3.3")
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_post(db: None, method: str) -> None:
    response = getattr(http(), method)("/api/oidc/token")
    assert (response.status_code, response.json()) == (404, {"error": "API endpoint not found"})


# The code


@pytest.mark.spec("RFC 6749", "4.1.2")
def test_a_code_ends_after_a_minute(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert refusal(client_app.redeem(code)) == INVALID_GRANT


@pytest.mark.spec("RFC 6749", "4.1.2")
def test_a_code_used_twice_takes_back_what_it_gave(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home, scope="openid offline_access")
    tokens = client_app.redeem(code).json()
    refreshed = client_app.refresh(tokens["refresh_token"]).json()
    assert refusal(client_app.redeem(code)) == INVALID_GRANT
    for access_token in (tokens["access_token"], refreshed["access_token"]):
        assert userinfo(access_token).status_code == 401
    for refresh_token in (tokens["refresh_token"], refreshed["refresh_token"]):
        assert refusal(client_app.refresh(refresh_token)) == INVALID_GRANT
    assert refusal(client_app.redeem(code)) == INVALID_GRANT


@pytest.mark.spec("RFC 6749", "4.1.3")
def test_a_code_belongs_to_its_client_and_is_burnt_by_another(at_home: Browser, client_app: App) -> None:
    thief = an_app("Thief")
    code = client_app.code(at_home)
    assert refusal(thief.redeem(code)) == INVALID_GRANT
    assert refusal(client_app.redeem(code)) == INVALID_GRANT


@pytest.mark.spec("RFC 6749", "4.1.3")
def test_a_redirect_uri_that_was_never_given_is_not_asked_for(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home, scope="profile", redirect_uri=None)
    assert client_app.redeem(code, redirect_uri=None).status_code == 200
    code = client_app.code(at_home, scope="profile", redirect_uri=None)
    assert refusal(client_app.redeem(code, redirect_uri="https://evil.example")) == INVALID_GRANT


# PKCE


@pytest.mark.spec("RFC 7636", "4.6")
@pytest.mark.parametrize("verifier", [None, "", "x" * 43, "{0} ", "{0}x", "short", "ü" * 43])
def test_a_wrong_verifier_is_refused(at_home: Browser, public_app: App, verifier: str | None) -> None:
    given = verifier.format(public_app.verifier) if verifier else verifier
    assert refusal(public_app.redeem(public_app.code(at_home), code_verifier=given)) == INVALID_GRANT


@pytest.mark.spec("RFC 7636", "4.6")
def test_the_challenge_itself_is_no_verifier(at_home: Browser, public_app: App) -> None:
    challenge = public_app.request()["code_challenge"]
    assert refusal(public_app.redeem(public_app.code(at_home), code_verifier=challenge)) == INVALID_GRANT


@pytest.mark.spec("RFC 7636", "4.6")
def test_a_confidential_client_with_pkce_needs_both(at_home: Browser, client_app: App) -> None:
    client_app.verifier = "v" * 64
    code = client_app.code(at_home)
    assert refusal(client_app.redeem(code, authentication="none")) == INVALID_CLIENT
    assert refusal(client_app.redeem(code, code_verifier=None)) == INVALID_GRANT


# The person


@pytest.mark.spec("RFC 6749", "5.2")
def test_a_person_disabled_meanwhile_gets_nothing(at_home: Browser, client_app: App, person: Person) -> None:
    code = client_app.code(at_home)
    person.user.disabled = True
    person.user.save()
    assert refusal(client_app.redeem(code)) == INVALID_GRANT


@pytest.mark.spec("RFC 6749", "5.2")
def test_a_person_deleted_meanwhile_gets_nothing(at_home: Browser, client_app: App, person: Person) -> None:
    code = client_app.code(at_home)
    person.user.delete()
    assert refusal(client_app.redeem(code)) == INVALID_GRANT


@pytest.mark.spec("RFC 6749", "5.2")
def test_a_person_taken_out_of_the_group_meanwhile_gets_nothing(
    at_home: Browser, client_app: App, person: Person
) -> None:
    staff = Group.objects.create(name="staff", friendly_name="Staff")
    person.user.groups.add(staff)
    client_app.client.is_group_restricted = True
    client_app.client.save()
    client_app.client.allowed_groups.add(staff)
    code = client_app.code(at_home)
    person.user.groups.remove(staff)
    assert refusal(client_app.redeem(code)) == INVALID_GRANT
    assert not AccessToken.objects.exists()


@pytest.mark.spec("issue 4", "item 5")
@pytest.mark.parametrize(
    ("path", "is_open"), [("token", True), ("introspect", True), ("revoke", True), ("userinfo", True), ("par", False)]
)
@pytest.mark.parametrize("body", ["&".join(f"a{n}=1" for n in range(1001)), "a=" + "x" * 2**20])
def test_an_app_in_a_browser_reads_what_is_wrong_with_its_body(db: None, path: str, is_open: bool, body: str) -> None:
    refused = http().post(f"/api/oidc/{path}", body, content_type="application/x-www-form-urlencoded")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert refused.get("Access-Control-Allow-Origin") == ("*" if is_open else None)
