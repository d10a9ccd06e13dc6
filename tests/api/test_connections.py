"""What becomes of a connection whose request was answered before its body had been read: never an answer lost (RFC 9112 section 9.6)."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from tests.support.server import Server

KEY = "a-static-key-of-the-tests"
MIB = 1024 * 1024


@pytest.fixture(scope="module", params=["gunicorn", "granian"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    variables = {"STATIC_API_KEY": KEY, "DISABLE_RATE_LIMITING": "true", "SERVER": request.param}
    with Server(environment=variables) as running:
        yield running


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
@pytest.mark.parametrize("size", [0, 300_000, 11 * MIB, 20 * MIB], ids=lambda size: f"{size} bytes")
@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("PUT", "/api/application-images/logo", "multipart/form-data; boundary=x"),
        ("POST", "/api/oidc/token", "application/x-www-form-urlencoded"),
        ("POST", "/login", "application/x-www-form-urlencoded"),
        ("GET", "/healthz", "application/json"),
        ("GET", "/api/version/current", "application/json"),
        ("POST", "/static/js/page.js", "text/plain"),
    ],
)
def test_the_next_request_is_answered_unless_the_answer_said_that_there_is_none(
    server: Server, method: str, path: str, kind: str, size: int, is_chunked: bool
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    body = (b"x" * 65_536 for _ in range(size // 65_536)) if is_chunked else b"x" * size
    try:
        connection.request(method, path, body, {"X-API-Key": KEY, "Content-Type": kind}, encode_chunked=is_chunked)
    except ConnectionError:  # the answer came first, and ended the connection
        assert size == 20 * MIB
        return
    answer = connection.getresponse()
    answer.read()
    assert answer.status < 500
    if answer.headers.get("Connection", "").lower() == "close":
        assert size == 20 * MIB
        return
    first, connection.auto_open = connection.sock, 0
    connection.request("GET", "/api/version/current", headers={"X-API-Key": KEY})
    assert connection.getresponse().status == 200
    assert connection.sock is first


@pytest.mark.parametrize("expects", [b"", b"Expect: 100-continue\r\n"], ids=["at once", "when asked to go on"])
def test_whoever_announces_too_much_hears_that_the_connection_ends_before_sending_it_all(
    server: Server, expects: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        head = b"PUT /api/application-images/logo HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + KEY.encode() + b"\r\n"
        head += b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n" + expects
        line.sendall(head + b"\r\n")
        line.sendall(b"x" * (16 * MIB))
        told = b""
        while b"\r\n\r\n" not in told.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"):
            part = line.recv(65_536)
            assert part, told
            told += part
        told = told.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").lower()
        assert told.startswith(b"http/1.1 413 ")
        assert b"\r\nconnection: close\r\n" in told


def test_a_long_address_gets_an_answer_of_ours(server: Server) -> None:
    """An ID token with many groups in it as a hint, for one."""
    for path in ("/api/oidc/end-session?id_token_hint=", "/authorize?client_id=unknown&state=", "/api/users?search="):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", path + "x" * 30_000)
        answer = connection.getresponse()
        assert answer.status in (302, 400, 401)
        assert "Content-Security-Policy" in answer.headers
        answer.read()
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 204


def test_an_endless_address_is_refused_in_time(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(b"GET /authorize?state=" + b"x" * MIB)
        assert line.recv(12)[9:] in (b"414", b"400", b"431")
