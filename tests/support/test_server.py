"""The server process that tests start."""

import pytest

from tests.support.authenticator import Authenticator
from tests.support.http_browser import HttpBrowser
from tests.support.server import Server, ServerDidNotStart


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(ServerDidNotStart, match="APP_URL"), Server(environment={"APP_URL": "nonsense"}):
        pass


def test_an_empty_folder_is_all_that_a_server_needs() -> None:
    with Server(from_nothing=True) as server:
        assert {"pocketid.sqlite3", "encryption.key"} <= {path.name for path in server.data_path.iterdir()}
        HttpBrowser(server.base_url).set_up(Authenticator(server.base_url))


def test_it_ends_when_asked_and_comes_back_with_its_data() -> None:
    with Server() as server:
        authenticator = Authenticator(server.base_url)
        HttpBrowser(server.base_url).set_up(authenticator)
        assert server.stop() == 0
        server.start()
        assert HttpBrowser(server.base_url).sign_in(authenticator).json()["username"] == "alice"
