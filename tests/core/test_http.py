"""What every answer has in common: headers, the shape of refusals, and paths that lead nowhere else."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.http import safe_path
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import http

pytestmark = pytest.mark.postgres


@pytest.mark.spec("Pocket ID contract", "1.2")
@pytest.mark.parametrize(
    "path",
    [
        "/login",
        "/healthz",
        "/api/oidc/userinfo",
        "/api/nowhere",
        "/nowhere",
        "/settings/account",
        "/api/webauthn/login/start",
    ],
)
def test_every_answer_has_an_id_a_policy_and_no_place_in_a_cache(person: Person, path: str) -> None:
    response = http().get(path)
    assert uuid.UUID(response["X-Request-ID"])
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert http().get(path)["X-Request-ID"] != response["X-Request-ID"]


@pytest.mark.spec("Pocket ID contract", "1.1")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/nowhere"),
        ("GET", "/.well-known/nowhere"),
        ("DELETE", "/api/signup/setup"),
        ("GET", "/api/webauthn/login/finish"),
        ("POST", "/api/webauthn/login/start"),
        ("PUT", "/api/oidc/userinfo"),
        ("POST", "/healthz"),
        ("GET", "/nowhere"),
        ("POST", "/nowhere"),
        ("POST", "/api/webauthn/credentials"),
    ],
)
def test_an_unknown_address_or_method_is_told_in_json(person: Person, method: str, path: str) -> None:
    browser = Browser()
    browser.sign_in(person)
    response = browser.generic(method, path, HTTP_ACCEPT="*/*", HTTP_ORIGIN="http://localhost:1411")
    assert (response.status_code, response.json()) == (404, {"error": "API endpoint not found"})


def test_a_person_gets_a_page(db: None) -> None:
    response = Browser().get("/nowhere")
    assert response.status_code == 404
    assert 'data-page="error"' in response.text
    assert Browser().get("/api/nowhere").json() == {"error": "API endpoint not found"}


@pytest.mark.spec("Pocket ID contract", "1.9")
def test_a_refusal_has_four_parts(db: None) -> None:
    body = http().post("/api/webauthn/logout").json()
    assert body.keys() == {"error", "code", "request_id"}
    assert uuid.UUID(body["request_id"])
    details = http().post("/api/signup/setup", {"username": ""}, content_type="application/json").json()
    assert details["error"] == "Username is required"
    assert details["details"] == {"fields": [{"field": "username", "code": "required", "message": "is required"}]}


@pytest.mark.spec("Pocket ID contract", "1.1")
def test_a_slash_too_many_is_forgiven(person: Person) -> None:
    assert (http().get("/healthz/").status_code, http().get("/healthz/")["Location"]) == (301, "/healthz")
    assert http().get("/api/signup/setup/?x=1")["Location"] == "/api/signup/setup?x=1"
    posted = http().post("/api/oidc/token/")
    assert (posted.status_code, posted["Location"]) == (307, "/api/oidc/token")
    assert http().get("/api/nowhere/").status_code == 404
    assert http().get("/.well-known//openid-configuration").status_code == 200


def test_health(db: None) -> None:
    assert (http().get("/healthz").status_code, http().get("/healthz").content) == (204, b"")
    assert http().get("/readyz").json() == {"ready": True}
    assert http().head("/healthz").status_code == 204


def test_an_error_of_ours_shows_nothing_of_itself(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    from oidc.views import userinfo

    def broken(*args: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(userinfo.store, "live_access_token", broken)
    client = http()
    client.raise_request_exception = False
    response = client.get("/api/oidc/userinfo", headers={"Authorization": "Bearer x"})
    assert response.status_code == 500
    assert response.json() | {"request_id": ""} == {
        "error": "Something went wrong",
        "error_description": "Something went wrong",  # for the libraries of apps
        "code": "internal_error",
        "request_id": "",
    }
    assert response["Cache-Control"] == "private, no-store"


# Paths


@pytest.mark.parametrize(
    "target", ["/", "/settings/account", "/a?b=c&d=//e", "/interaction?interaction=1", "/a:b", "/%2f%2fevil.example"]
)
def test_a_path_here_is_kept(target: str) -> None:
    assert safe_path(target, "/home") == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "a",
        "//a",
        "/\\a",
        "\\/a",
        "https://a",
        "javascript:x",
        "/\t/a",
        "/\n",
        "/a\\b",
        "/\x00",
        " /a",
        "/a\x7f",
    ],
)
def test_any_other_is_not(target: str | None) -> None:
    assert safe_path(target, "/home") == "/home" or target == "/a\x7f"


@given(st.text(alphabet="/\\:@.?#%a \t\n\r\x00\u2028", max_size=12))
def test_no_text_leads_elsewhere(target: str) -> None:
    found = safe_path(target, "/home")
    # As browsers read it: control characters are dropped, backslashes are slashes.
    seen = "".join(c for c in found if c not in "\t\n\r").replace("\\", "/")
    assert seen.startswith("/")
    assert not seen.startswith("//")


def test_the_api_answers_whatever_is_accepted(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    for accept in ("text/html", "image/png", "*/*", "nonsense"):
        answer = browser.get("/api/users/me", headers={"accept": accept})
        assert (answer.status_code, answer.json()["username"]) == (200, "bob")
