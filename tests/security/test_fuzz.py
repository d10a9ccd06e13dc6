"""Requests that no client would send: each gets a specified refusal, none an error of ours, and nothing is half-written."""

import base64
import json
from io import BytesIO
from urllib.parse import quote_from_bytes, urlencode

import pytest
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, http
from tests.security.soundness import is_sound

pytestmark = pytest.mark.postgres
FIXTURES_STAY = hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture])

PAGES = [
    "/",
    "/login",
    "/setup",
    "/authorize",
    "/interaction",
    "/logout",
    "/signed-out",
    "/settings/account",
    "/signup/add-passkey",
    "/i18n/setlang/",
    "/admin/",
    "/admin/login/",
    "/healthz",
    "/readyz",
]
FORMS = [
    "/authorize",
    "/interaction",
    "/logout",
    "/setup",
    "/i18n/setlang/",
    "/api/oidc/token",
    "/api/oidc/userinfo",
    "/api/oidc/end-session",
    "/api/oidc/introspect",
    "/api/oidc/revoke",
]
JSON = [
    "/api/signup/setup",
    "/api/webauthn/login/finish",
    "/api/webauthn/register/finish",
    "/api/webauthn/reauthenticate",
    "/api/webauthn/credentials",
    "/api/webauthn/credentials/x",
    "/api/oidc/interactions/x/complete",
]
EVERYWHERE = sorted(
    {
        *PAGES,
        *FORMS,
        *JSON,
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
        "/api/oidc/interactions/x",
        "/nowhere",
        "/api/nowhere",
        "/static/nowhere.css",
    }
)

# What a value can be that no database, no encoding and no parser likes.
VALUES = [
    b"",
    b"\x00",
    b"a\x00b",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    "☃\u202e\ufeff".encode(),
    b"%",
    b"%%%00",
    b"\r\nSet-Cookie: x=y",
    b"' OR 1=1 --",
    b"{{7*7}}{% x %}",
    b"${jndi:x}",
    b"../../etc/passwd",
    b"x" * 65_536,
    b"-1",
    b"9" * 400,
    b"NaN",
    b"[]",
    b"null",
    "\U0001f600".encode() * 50,
]
NAMES = [
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "response_mode",
    "response_type",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
    "id_token_hint",
    "ui_locales",
    "interaction",
    "decision",
    "redirect",
    "next",
    "reauthenticate",
    "grant_type",
    "code",
    "refresh_token",
    "client_secret",
    "code_verifier",
    "access_token",
    "token",
    "username",
    "email",
    "csrfmiddlewaretoken",
    "language",
    "post_logout_redirect_uri",
    "request_uri",
    "resource",
    "acr_values",
]


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_value_everywhere_in_a_query(at_home: Browser, path: str) -> None:
    for value in VALUES:
        query = "&".join(f"{name}={quote_from_bytes(value)}" for name in NAMES)
        assert is_sound(at_home.get(f"{path}?{query}"), (path, value[:20]))


def test_every_value_in_an_authorization_request(at_home: Browser, client_app: App) -> None:
    for name in NAMES:
        for value in VALUES:
            rest = urlencode({key: text for key, text in client_app.request().items() if key != name})
            assert is_sound(at_home.get(f"/authorize?{rest}&{name}={quote_from_bytes(value)}"), (name, value[:20]))


@pytest.mark.parametrize("path", FORMS)
def test_every_value_in_a_form(at_home: Browser, client_app: App, path: str) -> None:
    usual = {
        "csrfmiddlewaretoken": at_home.get("/login?reauthenticate").context["csrf_token"],
        "client_id": client_app.client.client_id,
        "client_secret": client_app.secret,
        "redirect_uri": client_app.redirect_uri,
        "scope": "openid",
        "response_type": "code",
    }
    for number, name in enumerate(NAMES):
        usual["grant_type"] = ("authorization_code", "refresh_token", "client_credentials")[number % 3]
        rest = urlencode({key: text for key, text in usual.items() if key != name})
        for value in (b"", b"a\x00b", b"\xff\xfe", b"\r\nX: y", b"x" * 65_536, b"9" * 400):
            body = f"{rest}&{name}={quote_from_bytes(value)}".encode()
            assert is_sound(
                at_home.generic("POST", path, body, content_type="application/x-www-form-urlencoded"),
                (path, name, value[:20]),
            )


RAW = [
    b"",
    b"\x00" * 100,
    b"\xff" * 100,
    b"&" * 5000,
    b"=" * 5000,
    b"a&" * 5000,
    b"%" * 5000,
    b"&".join(b"p%d=1" % number for number in range(5000)),
    b"a=b&" * 3000,
    b"{" * 100_000,
    b"[" * 100_000,
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'"' + b"x" * 900_000 + b'"',
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n',
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
    b"\x1f\x8b\x08\x00" + b"\x00" * 100,
    b"x" * 2_000_000,
]
TYPES = [
    "application/x-www-form-urlencoded",
    "application/json",
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/x-www-form-urlencoded; charset=nonsense",
    "application/json; charset=nonsense",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/xml",
    "",
    ";;;",
    "application/\x7f",
    "x" * 5000,
]


@pytest.mark.parametrize("path", [*FORMS, *JSON])
def test_every_body_with_every_type(at_home: Browser, path: str) -> None:
    for body, kind in [
        *((body, kind) for body in RAW for kind in TYPES[:2]),
        *((body, kind) for body in RAW[1:3] for kind in TYPES),
    ]:
        for method in ("POST", "PATCH") if path.endswith("/credentials/x") else ("POST",):
            assert is_sound(at_home.generic(method, path, body, content_type=kind), (path, kind, body[:20]))


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_method(at_home: Browser, path: str) -> None:
    for method in (
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "GETX",
        "get",
    ):
        assert is_sound(at_home.generic(method, path), (method, path))


HEADERS = {
    "Authorization": [
        "Basic",
        "Basic x",
        "Basic " + base64.b64encode(b"a\x00b:c").decode(),
        "Basic " + base64.b64encode(b"%00:%ff").decode(),
        "Basic " + base64.b64encode(b"\xff:\xfe").decode(),
        "Bearer",
        "Bearer \x7f",
        "Bearer " + "x" * 60_000,
        "Bearer a.b.c",
        "Digest x",
        "\xff",
        " ",
    ],
    "X-Forwarded-For": [
        "a",
        "1.2.3.4,",
        ",,,,",
        "fe80::1%eth0",
        "::1%0",
        "1.2.3.4:80",
        "[::1]:80",
        "999.1.1.1",
        "1.2.3.4, " * 2000,
        "x" * 10_000,
        "\x7f\x00",
        "127.0.0.1",
        "0x7f.1",
        "unknown",
        "::ffff:1.2.3.4",
        "-",
    ],
    "X-Forwarded-Proto": ["https", "x" * 9000, ""],
    "X-Forwarded-Host": ["evil.example", "\xff"],
    "Host": ["", "evil.example", "a b", "[::", "localhost:99999", "x" * 5000, "\xff"],
    "Accept": ["", "text/html" * 500, "*/*;q=x", "\xff", "application/json;q=0.1, text/html;q=nan"],
    "Accept-Language": ["", "*", "zh" * 500, "xx-" * 300, "de;q=nan", "\xff", "../../etc", "zh-hans;q=" + "9" * 400],
    "Cookie": [
        "access_token=",
        "access_token=x; access_token=y",
        "access_token=" + "x" * 60_000,
        "=;=;=",
        "webauthn_session=\xff",
        "pocketid_csrf=x",
        "pocketid_language=../../x",
        "\x00",
        'access_token="\\377"',
        "a" * 9000,
    ],
    "Origin": ["", "null", "https://[", "\xff", "x" * 9000, "http://localhost:1411", "file://"],
    "Referer": ["", "https://[", "\xff", "x" * 9000],
    "User-Agent": ["", "x" * 60_000, "\xff", "<script>", "Mozilla/" * 3000],
    "Sec-Fetch-Site": ["", "x", "cross-site"],
    "X-Setup-Token": ["", "\xff", "x" * 60_000],
    "X-Request-ID": ["x", "\r\n", "x" * 60_000],
    "If-None-Match": ["x", "*"],
    "Range": ["bytes=0-", "bytes=-9999999999999999999", "x"],
    "Content-Length": ["-1", "x", "0", "99999999999999999999"],
    "Transfer-Encoding": ["chunked"],
    "Content-Encoding": ["gzip"],
    "X-CSRFToken": ["x", "\xff"],
}


@pytest.mark.parametrize("name", HEADERS)
def test_every_header(at_home: Browser, settings, name: str) -> None:
    if name == "X-Forwarded-For":
        settings.TRUST_PROXY = ("0.0.0.0/0", "::/0")
        settings.TRUSTED_PLATFORM = name
    key = {"Content-Length": "CONTENT_LENGTH"}.get(name, "HTTP_" + name.upper().replace("-", "_"))
    for value in HEADERS[name]:
        for method, path in (
            ("GET", "/authorize"),
            ("GET", "/login"),
            ("GET", "/settings/account"),
            ("GET", "/api/webauthn/credentials"),
            ("GET", "/api/oidc/userinfo"),
            ("POST", "/api/oidc/token"),
            ("POST", "/api/webauthn/login/finish"),
            ("POST", "/logout"),
            ("GET", "/nowhere/"),
        ):
            body = b"{}" if method == "POST" else b""
            # The stream ends where the body does, as the server's; Django's own takes a false length for a fault.
            false = {key: value, "wsgi.input": BytesIO(body)}
            assert is_sound(
                at_home.generic(method, path, body, content_type="application/json", **false),
                (path, name, value[:40]),
            )


@pytest.mark.spec("attacks.md", "D10")
def test_d10_a_sign_in_with_absurd_forwarded_addresses_is_recorded(person: Person, settings) -> None:
    from accounts.models import Session

    settings.TRUST_PROXY = ("127.0.0.0/8",)
    for value in HEADERS["X-Forwarded-For"]:
        browser = Browser()
        browser.defaults["HTTP_X_FORWARDED_FOR"] = value
        browser.sign_in(person)
        assert Session.objects.latest("created_at").ip_address


@pytest.mark.parametrize(
    "path",
    [
        "/settings/passkeys/{0}/rename",
        "/settings/passkeys/{0}/delete",
        "/settings/sessions/{0}/end",
        "/api/webauthn/credentials/{0}",
        "/api/oidc/interactions/{0}",
        "/api/oidc/interactions/{0}/complete",
        "/admin/oidc/client/{0}/change/",
        "/{0}",
        "/{0}/",
        "//{0}//",
        "/api/{0}",
        "/static/{0}",
        "/.well-known/{0}",
    ],
)
def test_every_address(at_home: Browser, path: str) -> None:
    for part in (
        "x",
        "%00",
        "%ff",
        "%2e%2e%2f",
        "..",
        "%0d%0aX:y",
        "x" * 4000,
        "%F0%9F%98%80",
        "00000000-0000-0000-0000-000000000000",
        "{",
        "-1",
        "1" * 400,
        ";",
        "@evil.example",
        "%5cevil.example",
        "%2fevil.example",
        "%5c%5cevil.example%2f",
        "%09%2fevil.example",
        "x%3fy",
        "%23",
    ):
        for method in ("GET", "POST"):
            response = at_home.generic(method, path.format(part))
            assert is_sound(response, (method, path, part))
            assert not response.headers.get("Location", "").startswith(("//", "/\\", "http://evil", "https://evil")), (
                path,
                part,
            )


def test_a_name_that_no_database_can_hold_is_refused(at_home: Browser, person: Person) -> None:
    token = at_home.get("/settings/account").context["csrf_token"]
    for name in ("a\x00b", "\ud800", "☃" * 50):
        body = (
            urlencode({"csrfmiddlewaretoken": token})
            + "&name="
            + quote_from_bytes(name.encode("utf-8", "surrogatepass"))
        )
        assert is_sound(
            at_home.post(
                f"/settings/passkeys/{person.passkey.pk}/rename", body, content_type="application/x-www-form-urlencoded"
            ),
            name,
        )
        answer = at_home.patch(
            f"/api/webauthn/credentials/{person.passkey.pk}",
            json.dumps({"name": name}),
            content_type="application/json",
        )
        assert is_sound(answer, name)
    assert "\x00" not in person.passkey.name


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    form=st.dictionaries(
        st.sampled_from(NAMES),
        st.text(max_size=40)
        | st.sampled_from(
            ["openid", "authorization_code", "refresh_token", "client_credentials", "none", "code", "S256"]
        ),
        max_size=10,
    ),
    authorization=st.none()
    | st.text(max_size=40)
    | st.builds(lambda raw: "Basic " + base64.b64encode(raw).decode(), st.binary(max_size=30)),
)
@pytest.mark.parametrize(
    "path", ["/api/oidc/token", "/api/oidc/introspect", "/api/oidc/revoke", "/api/oidc/userinfo", "/authorize"]
)
def test_any_form(db: None, client_app: App, path: str, form: dict[str, str], authorization: str | None) -> None:
    body = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in form.items()})
    extra = (
        {}
        if authorization is None
        else {"HTTP_AUTHORIZATION": authorization.encode("utf-8", "surrogatepass").decode("latin-1")}
    )
    for sent in (body, body + f"&client_id={client_app.client.client_id}&client_secret={client_app.secret}"):
        assert is_sound(
            http().post(path, sent, content_type="application/x-www-form-urlencoded", **extra), (form, authorization)
        )


def test_nothing_of_this_is_kept(db: None) -> None:
    """The transactions of these tests end with them; what is left is what migrations and the fixtures made."""
    from accounts.models import User

    assert not User.objects.exists()
    assert settings.APP_URL == "http://localhost:1411"
