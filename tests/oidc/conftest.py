"""What tests of the provider share that need servers of their own."""

from collections.abc import Iterator

import pytest

from tests.oidc.test_races import Live, register
from tests.support.authenticator import Authenticator
from tests.support.http_browser import HttpBrowser
from tests.support.oidc import RelyingParty
from tests.support.server import Server


@pytest.fixture(scope="module")
def two(live_database_of_module: str) -> Iterator[tuple[Live, Server]]:
    """Two servers with one issuer and one database, and an app that may speak to both."""
    unlimited = {"DISABLE_RATE_LIMITING": "true"}
    with Server(database_url=live_database_of_module, environment=unlimited) as one:
        same = {"APP_URL": one.base_url, "DATA_PATH": str(one.data_path)}
        with Server(database_url=live_database_of_module, environment=unlimited | same) as other:
            device, browser = Authenticator(one.base_url), HttpBrowser(one.base_url)
            browser.set_up(device)
            browser.sign_in(device)
            app = RelyingParty(one.base_url, *register(browser))
            yield Live(one, browser, device, app), other
            for server in (one, other):
                assert "Traceback" not in server.log, server.log[-4000:]
