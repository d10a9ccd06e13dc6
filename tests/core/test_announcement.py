"""What the server says when it is ready."""

import pytest

from pocketid.server import no_passkeys_at
from tests.support.server import Server


@pytest.mark.parametrize("url", ["https://id.example.org", "http://localhost:1411", "http://id.localhost:8000"])
def test_nothing_is_said_where_passkeys_work(url: str) -> None:
    assert no_passkeys_at(url) == ""


@pytest.mark.parametrize(
    ("url", "to_do"),
    [
        ("http://id.example.org", "APP_URL to https://id.example.org;"),
        ("http://nas:1411", "APP_URL to https://nas;"),
        ("http://192.168.1.5:1411", "Give the server a name"),
        ("https://[2001:db8::1]", "Give the server a name"),
        ("http://127.0.0.1:1411", "http://localhost does"),
    ],
)
def test_where_browsers_make_no_passkeys_the_operator_hears_what_to_do(url: str, to_do: str) -> None:
    assert to_do in no_passkeys_at(url)


def test_it_is_said_at_the_start() -> None:
    with Server(environment={"APP_URL": "http://192.168.1.5:1411"}) as server:
        assert "no browser makes a passkey for a bare address such as 192.168.1.5" in server.log
