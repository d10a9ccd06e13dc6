"""People come through while others hold connections on which nothing, or next to nothing, moves."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import requests

from tests.support.server import Server

FORM = b"POST /api/oidc/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
UNFINISHED = (
    b"GET /heal",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    FORM + b"Content-Length: 9000\r\n\r\ngrant_",
    FORM + b"Transfer-Encoding: chunked\r\n\r\n2000\r\ngrant_",
)
SWAGGER = "/static/swagger-ui/swagger-ui-bundle.js"  # 1.4 MB


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(environment={"WORKERS": "1", "THREADS": str(len(UNFINISHED))}) as running:
        yield running
        assert "Traceback" not in running.log


def comes_through(server: Server) -> bool:
    return requests.get(f"{server.base_url}/healthz", timeout=100).status_code == 204


def connect(server: Server, stack: ExitStack, *, window: int = 0) -> socket.socket:
    connection = stack.enter_context(socket.socket())
    if window:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    connection.connect(("127.0.0.1", server.port))
    return connection


def test_who_has_not_asked_yet_needs_no_room(server: Server) -> None:
    """As browsers do, which connect before they have anything to ask."""
    with ExitStack() as held:
        idle = [connect(server, held) for _each in range(3 * len(UNFINISHED))]
        began = time.monotonic()
        assert comes_through(server)
        assert time.monotonic() - began < 2
        for connection in idle:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert connection.recv(1000).startswith(b"HTTP/1.0 204")


def test_who_has_not_asked_yet_does_not_keep_the_server_from_ending() -> None:
    with Server(environment={"WORKERS": "1"}) as stopping, ExitStack() as held:
        connect(stopping, held)
        assert comes_through(stopping)
        began = time.monotonic()
        assert stopping.stop() == 0
        assert time.monotonic() - began < 6


def test_who_falls_silent_makes_room(server: Server) -> None:
    with ExitStack() as held:
        for sent in UNFINISHED:
            connect(server, held).sendall(sent)
        assert comes_through(server)


def test_who_sends_a_byte_now_and_then_makes_room(server: Server) -> None:
    over = threading.Event()

    def go_on(connections: list[socket.socket]) -> None:
        while not over.wait(1):
            for connection in connections:
                with suppress(OSError):  # as soon as the server has had enough
                    connection.sendall(b"x")

    with ExitStack() as held:
        connections = [connect(server, held) for _each in UNFINISHED]
        for connection, sent in zip(connections, UNFINISHED, strict=True):
            connection.sendall(sent)
        sender = threading.Thread(target=go_on, args=(connections,))
        sender.start()
        held.callback(sender.join)
        held.callback(over.set)
        assert comes_through(server)


def test_who_takes_nothing_makes_room(server: Server) -> None:
    page = requests.get(server.base_url + SWAGGER, headers={"Accept-Encoding": "identity"}, timeout=10)
    assert len(page.content) > 1_000_000
    with ExitStack() as held:
        for _each in UNFINISHED:
            asked = f"GET {SWAGGER} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            connect(server, held, window=4096).sendall(asked * 6)  # more than the system keeps for a connection
        time.sleep(1)
        assert comes_through(server)


def test_a_slow_line_is_no_offence(server: Server) -> None:
    """5 KiB a second, as from a telephone at the edge of its network, for longer than anybody may be silent."""
    with ExitStack() as held:
        connection = connect(server, held)
        body = b"grant_type=authorization_code" + b"".join(b"&padding%d=" % n + b"x" * 8_000 for n in range(18))
        connection.sendall(FORM + f"Content-Length: {len(body)}\r\n\r\n".encode())
        for start in range(0, len(body), 5 * 1024):
            connection.sendall(body[start : start + 5 * 1024])
            time.sleep(1)
        assert b"invalid_client" in connection.recv(65536)
