"""Scopes as OAuth has them (RFC 6749 section 3.3): how they are written, and what is said when fewer are given."""

import pytest

from oidc.tokens import unverified_claims
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, answer, userinfo
from tests.oidc.test_devices import begin

pytestmark = [pytest.mark.postgres, pytest.mark.spec("RFC 6749", "3.3")]


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("openid profile email", "openid profile email"),
        ("email openid profile", "email openid profile"),  # the order does not matter: each adds its access range
        ("openid openid email openid", "openid email"),
        ("openid OPENID Email", "openid"),  # case-sensitive
        ("openid https://graph.example/read calendar.rw", "openid"),  # the server may ignore what it does not know
        ('openid pro"file', "openid"),  # no scope-token: neither known nor an error
        ("  openid   email ", "openid email"),
        ("openid\temail", "openid email"),
    ],
)
def test_the_app_is_told_what_it_was_given(at_home: Browser, client_app: App, asked: str, given: str) -> None:
    """In the answer of the authorization endpoint, of the token endpoint and in the token, wherever it is not what was asked."""
    callback = answer(client_app.sent_back(at_home, scope=asked))
    assert callback["scope"] == given
    tokens = client_app.redeem(callback["code"]).json()
    assert tokens["scope"] == given
    claims = unverified_claims(tokens["access_token"])
    assert (claims["scope"], claims["scp"]) == (given, given.split())
    told = userinfo(tokens["access_token"]).json()
    assert ("email" in told, "name" in told) == ("email" in given, "profile" in given)


def test_the_order_changes_nothing_that_is_given(at_home: Browser, client_app: App) -> None:
    tokens = [client_app.tokens(at_home, scope=scope) for scope in ("openid email groups", "groups email openid")]
    first, second = (userinfo(each["access_token"]).json() for each in tokens)
    assert first == second


@pytest.mark.parametrize("scope", [None, "", "   ", "unknown"])
def test_without_a_scope_the_default_is_given_which_is_nothing(
    at_home: Browser, client_app: App, scope: str | None
) -> None:
    """Never everything (library-notes.md T12): the app knows who let it in by the token alone, and may ask nothing."""
    tokens = client_app.tokens(at_home, scope=scope)
    assert tokens["scope"] == ""
    assert not {"id_token", "refresh_token"} & tokens.keys()
    assert unverified_claims(tokens["access_token"])["aud"] == [client_app.client.client_id]
    refused = userinfo(tokens["access_token"])
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["refresh", "client_credentials", "device"])
def test_it_is_said_at_each_grant(at_home: Browser, client_app: App, path: str) -> None:
    if path == "refresh":
        first = client_app.tokens(at_home, scope="openid email offline_access")
        assert client_app.refresh(first["refresh_token"], scope="openid").json()["scope"] == "openid"
        return
    if path == "client_credentials":
        # A client has no profile: what is about people is left out, and that is said.
        assert client_app.token(grant_type="client_credentials", scope="openid profile").json()["scope"] == ""
        refused = client_app.token(grant_type="client_credentials", scope="everything")
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
        return
    device = begin(client_app, "openid nonsense email")
    page = at_home.get("/device", {"user_code": device["user_code"]})
    at_home.press("device-allow", page)
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    tokens = client_app.token(grant_type=grant, device_code=device["device_code"]).json()
    assert tokens["scope"] == "openid email"


def test_a_scope_cannot_be_widened_after_the_person_agreed(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home, scope="openid")
    assert client_app.redeem(code, scope="openid email groups").json()["scope"] == "openid"
