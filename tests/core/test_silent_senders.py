"""People come through while others hold connections on which nothing arrives."""

import socket
from contextlib import ExitStack

import requests

from tests.support.server import Server

# As many as the server has threads.
UNFINISHED = (
    b"GET /heal",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /api/oidc/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ngrant_",
    b"POST /api/oidc/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n64\r\ngrant_",
)


def test_who_falls_silent_makes_room() -> None:
    with Server() as server:
        with ExitStack() as held:
            for sent in UNFINISHED:
                connection = held.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                connection.sendall(sent)
            assert requests.get(f"{server.base_url}/healthz", timeout=40).status_code == 204
        assert "Traceback" not in server.log
