"""A body that is refused unread must not cost the client its connection: it would never see the refusal."""

import http.client
import json

import pytest

from tests.support.server import Server

KEY = "a-static-key-of-the-tests"
UNREAD = 3 * 1024 * 1024  # more than a logo may be, and more than JSON may be


@pytest.mark.parametrize(
    ("method", "path", "kind", "status"),
    [
        ("PUT", "/api/application-images/logo", "multipart/form-data; boundary=x", 413),
        ("POST", "/api/users", "application/json", 400),
        ("POST", "/api/no-such-address", "application/json", 404),
    ],
)
def test_the_connection_outlives_a_refused_body(
    large_server: Server, method: str, path: str, kind: str, status: int
) -> None:
    size = UNREAD if status != 413 else 11 * 1024 * 1024
    connection = http.client.HTTPConnection("127.0.0.1", large_server.port, timeout=30)
    for _ in range(5):
        connection.request(method, path, b"x" * size, {"X-API-Key": KEY, "Content-Type": kind})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        sock = connection.sock
        connection.request("GET", "/api/version/current", headers={"X-API-Key": KEY})
        answer = connection.getresponse()
        assert json.loads(answer.read())["currentVersion"]
        assert connection.sock is sock, "the connection was opened anew"


@pytest.fixture(scope="module")
def large_server():
    with Server(environment={"STATIC_API_KEY": KEY, "DISABLE_RATE_LIMITING": "true"}) as server:
        yield server
