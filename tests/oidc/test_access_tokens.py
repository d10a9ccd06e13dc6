"""What is in an access token, whichever grant gave it (RFC 9068 section 2.2), read as an API of somebody else's would."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from oidc.models import ApiResource
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, http
from tests.oidc.test_devices import begin, poll
from tests.oidc.test_resource_indicators import ISSUER, ORDERS, at_home, orders, shop  # noqa: F401 - fixtures
from tests.oidc.test_signed_tokens import verified

pytestmark = [pytest.mark.postgres, pytest.mark.spec("RFC 9068", "2.2")]
SCOPE = "openid profile offline_access"
REQUIRED = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}
Way = Callable[[Browser, App], dict[str, Any]]


def by_code(browser: Browser, app: App) -> dict[str, Any]:
    return app.tokens(browser, scope=SCOPE)


def by_refresh(browser: Browser, app: App) -> dict[str, Any]:
    return app.refresh(app.tokens(browser, scope=SCOPE)["refresh_token"]).json()


def by_device(browser: Browser, app: App) -> dict[str, Any]:
    device = begin(app, SCOPE)
    browser.press("device-allow", browser.get("/device", {"user_code": device["user_code"]}))
    return poll(app, device).json()


def by_itself(_browser: Browser, app: App) -> dict[str, Any]:
    return app.token(grant_type="client_credentials").json()


def by_itself_for_an_api(_browser: Browser, app: App) -> dict[str, Any]:
    return app.token(grant_type="client_credentials", resource=ORDERS).json()


def for_an_api(browser: Browser, app: App) -> dict[str, Any]:
    return app.tokens(browser, scope="orders:read offline_access", resource=ORDERS)


EVERY_WAY = (by_code, by_refresh, by_device, by_itself, by_itself_for_an_api, for_an_api)


def read(tokens: dict[str, Any], way: Way, app: App) -> tuple[dict[str, Any], dict[str, Any]]:
    audience = ORDERS if way in (by_itself_for_an_api, for_an_api) else app.client.client_id
    return verified(tokens["access_token"], audience=audience)


@pytest.mark.parametrize("way", EVERY_WAY, ids=lambda way: way.__name__)
def test_every_claim_that_is_required_is_there_and_says_what_it_must(
    at_home: Browser,  # noqa: F811 - the fixture
    shop: App,  # noqa: F811 - the fixture
    person: Person,
    way: Way,
) -> None:
    before = int(time.time())
    tokens = way(at_home, shop)
    header, claims = read(tokens, way, shop)
    assert (header["typ"], header["alg"]) == ("at+jwt", "RS256")  # section 2.1
    assert claims.keys() >= REQUIRED
    assert claims["iss"] == http().get("/.well-known/oauth-authorization-server").json()["issuer"] == ISSUER
    assert claims["client_id"] == shop.client.client_id  # RFC 8693 section 4.3
    assert all(type(claims[name]) is int for name in ("iat", "exp"))
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == shop.client.access_token_minutes * 60
    # The person, or the client where there is nobody; an id of the one is never one of the other (section 5).
    is_own = way in (by_itself, by_itself_for_an_api)
    assert claims["sub"] == (f"client-{shop.client.client_id}" if is_own else person.subject)
    assert isinstance(claims["jti"], str)
    assert claims["jti"] != read(way(at_home, shop), way, shop)[1]["jti"]
    # Who the person is beyond that, no API needs to be told (section 6).
    assert not claims.keys() & {"email", "name", "preferred_username", "groups", "nonce", "type", "rat"}


@pytest.mark.spec("RFC 9068", "2.2.3")
@pytest.mark.parametrize("way", EVERY_WAY, ids=lambda way: way.__name__)
def test_each_scope_means_something_to_whom_the_token_is_for(
    at_home: Browser,  # noqa: F811 - the fixture
    shop: App,  # noqa: F811 - the fixture
    orders: ApiResource,  # noqa: F811 - the fixture
    way: Way,
) -> None:
    """And those of the request are there; that the app may refresh is between the app and this server."""
    tokens = way(at_home, shop)
    _header, claims = read(tokens, way, shop)
    scopes = claims["scope"].split()
    known = {
        ORDERS: set(orders.permissions.values_list("key", flat=True)),
        ISSUER: set(SCOPE.split()),
        shop.client.client_id: set(),
    }
    assert set(scopes) <= set().union(*(known[audience] for audience in claims["aud"]))
    assert scopes == claims["scp"] == [scope for scope in tokens["scope"].split() if scope in scopes]
    assert set(tokens["scope"].split()) - set(scopes) <= {"offline_access"}


@pytest.mark.spec("RFC 9068", "4")
@pytest.mark.parametrize("way", [by_code, for_an_api], ids=lambda way: way.__name__)
def test_neither_token_is_taken_for_the_other(at_home: Browser, shop: App, way: Way) -> None:  # noqa: F811 - fixtures
    tokens = (
        shop.tokens(at_home, scope="openid orders:read", resource=ORDERS) if way is for_an_api else way(at_home, shop)
    )
    assert verified(tokens["id_token"], audience=shop.client.client_id)[0]["typ"] == "JWT"
    assert read(tokens, way, shop)[0]["typ"] == "at+jwt"
