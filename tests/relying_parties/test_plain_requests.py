"""The whole way of a sign-in over real HTTP, step by step, on each database and with each client authentication."""

from collections.abc import Iterator
from typing import get_args

import pytest
import requests

from tests.support.authenticator import Authenticator
from tests.support.http_browser import HttpBrowser
from tests.support.oidc import Authentication, RelyingParty
from tests.support.server import Server

pytestmark = pytest.mark.postgres


@pytest.fixture
def alice(live_database: str) -> Iterator[HttpBrowser]:
    """The administrator of a new server, signed in."""
    with Server(database_url=live_database) as server:
        browser = HttpBrowser(server.base_url)
        browser.set_up(Authenticator(server.base_url))
        yield browser


def test_each_kind_of_app_gets_tokens_userinfo_and_fresh_tokens_once(alice: HttpBrowser) -> None:
    for authentication in get_args(Authentication):
        app = an_app(alice, authentication)
        asked = app.begin("openid profile email offline_access")
        answer = app.callback(callback_url(alice, asked.url), asked)
        tokens = app.redeem(answer["code"], asked)

        claims = app.claims(tokens["id_token"], nonce=asked.nonce)
        userinfo = app.userinfo(tokens["access_token"])
        assert userinfo["sub"] == claims["sub"]
        assert (userinfo["preferred_username"], userinfo["email"]) == ("alice", "alice@example.org")

        refreshed = app.refresh(tokens["refresh_token"])
        assert app.userinfo(refreshed["access_token"]) == userinfo

        # A code counts once, and who uses it again ends what came of it (RFC 6749 section 4.1.2).
        with pytest.raises(requests.HTTPError, match="400"):
            app.redeem(answer["code"], asked)
        with pytest.raises(requests.HTTPError, match="401"):
            app.userinfo(refreshed["access_token"])


def an_app(administrator: HttpBrowser, authentication: Authentication) -> RelyingParty:
    redirect_uri = "https://app.example.org/callback"
    kind = "public" if authentication == "none" else "confidential"
    client_id, secret = administrator.register_client(f"App with {authentication}", redirect_uri, client_type=kind)
    return RelyingParty(administrator.base_url, client_id, secret, redirect_uri, authentication)


def callback_url(browser: HttpBrowser, url: str) -> str:
    """Follow the authorization request, agree when asked, and stop where the browser would leave the server."""
    for _ in range(6):
        page = browser.get(url)
        if page.status_code == 200:
            page = browser.press("consent-allow", page)
        page.raise_for_status()
        url = page.headers["Location"]
        if url.startswith("https://app.example.org/"):
            return url
    raise AssertionError(f"not back at the app: {url}")
