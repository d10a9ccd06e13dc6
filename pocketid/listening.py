"""Where the server listens: looked up and tried before anything else is done, so that a wrong address is one line."""

import socket

from pocketid.env import Environment


class CannotListen(Exception):
    """The text is the one line the operator sees."""


def address(environment: Environment) -> str:
    """HOST as an IP address, which both servers take, with PORT free on it; raise ``CannotListen``."""
    host, port = environment.host, environment.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise CannotListen(
            f"HOST is {host!r}, which is no address; allowed is an address of this machine, such as 0.0.0.0, 127.0.0.1 or ::."
        ) from None
    # A name such as localhost may stand for both families; IPv4 is what it meant before.
    family, kind, protocol, _name, place = min(found, key=lambda each: each[0] != socket.AF_INET)
    ip = str(place[0])
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do after a restart
            probe.bind(place)
    except OSError as problem:
        raise CannotListen(
            f"HOST is {host!r} and PORT is {port}, which cannot be listened on ({problem.strerror});"
            " allowed is an address of this machine, and a port that this user may open and nobody else has."
        ) from None
    return ip
