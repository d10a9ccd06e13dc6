"""The one guarded outgoing HTTP client (attacks.md F8): what it connects to is checked after the name was resolved.

Public addresses are always allowed; ``allowed`` opens more: ``private``, ``loopback``, host names, addresses and
networks. Link-local addresses and those where clouds keep their credentials are never connected to.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, quote, urljoin, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# What an administrator typed may lie in their own network (back-channel logout, JWKS, SCIM).
PRIVATE = frozenset(("private", "loopback"))

MAX_REDIRECTS = 10
USER_AGENT = "pocketid"
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class FetchFailed(Exception):
    """Why there is no answer, in a sentence for the administrator."""


class AddressRefused(FetchFailed):
    """The address is none that this server may connect to for this purpose."""


class AnswerTooLarge(FetchFailed):
    pass


@dataclass(frozen=True)
class Answer:
    """``headers`` have lower-case names; ``url`` is where the last redirect led."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    allowed: Collection[str] = (),
    max_bytes: int,
    timeout: float = 15.0,
    max_redirects: int = MAX_REDIRECTS,
) -> Answer:
    """Ask once; raise ``FetchFailed``. ``timeout`` (seconds) is for everything together, redirects too.

    Only GET follows redirects, each checked as the first address was; proxies of the environment are not used.
    """
    asked = _Asked(method, {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **(headers or {})}, body)
    with _Deadline(timeout) as deadline:
        for _hop in range(max_redirects + 1):
            try:
                answer = _ask(url, asked, allowed, max_bytes, deadline)
            except FetchFailed:
                raise
            except (OSError, http.client.HTTPException, ValueError) as problem:
                raise FetchFailed(
                    f"{url}: no answer within {timeout:g} seconds" if deadline.is_over else f"{url}: {problem}"
                ) from None
            target = answer.headers.get("location", "")
            if method != "GET" or max_redirects == 0 or answer.status not in _REDIRECTS or not target:
                return answer
            url = urljoin(url, target)
        raise FetchFailed(f"{url}: more than {max_redirects} redirects")


@dataclass(frozen=True)
class _Asked:
    method: str
    headers: Mapping[str, str]
    body: bytes | None


def _ask(url: str, asked: _Asked, allowed: Collection[str], max_bytes: int, deadline: "_Deadline") -> Answer:
    parts = _parts(url)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = _checked(host, _resolve(host, port, deadline), allowed)
    kind = _TlsConnection if parts.scheme == "https" else _Connection
    connection = kind(host, port, addresses=addresses, deadline=deadline)
    try:
        connection.request(asked.method, _target(parts), body=asked.body, headers=dict(asked.headers))
        found = connection.getresponse()
        length = found.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > max_bytes:
            raise AnswerTooLarge(f"{url}: the answer is larger than {max_bytes} bytes")
        content = found.read(max_bytes + 1)
        # The deadline ends the connection, which reads like the end of an answer without a length.
        deadline.check()
        if len(content) > max_bytes:
            raise AnswerTooLarge(f"{url}: the answer is larger than {max_bytes} bytes")
        return Answer(found.status, {name.lower(): value for name, value in found.headers.items()}, content, url)
    finally:
        connection.close()


def _parts(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise AddressRefused(f"{url}: only http and https addresses are fetched")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("an address with a user name or a password is not fetched")
    return parts


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return path + ("?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]") if parts.query else "")


# Names and addresses


def _resolve(host: str, port: int, deadline: "_Deadline") -> list[str]:
    """All addresses of a name. In a thread of its own: the system's resolver knows no time limit."""
    found: list[str] = []

    def look_up() -> None:
        try:
            name = host if host.isascii() else host.encode("idna").decode()
            found.extend(str(entry[4][0]) for entry in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            pass  # an empty list says it

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(deadline.left)
    if not found:
        raise FetchFailed(f"{host}: the name has no address")
    return list(dict.fromkeys(found))


def _checked(host: str, addresses: list[str], allowed: Collection[str]) -> list[str]:
    """The same, once each is allowed: a name with a good and a bad address is refused every time, not now and then."""
    for text in addresses:
        if not may_connect(text, host=host, allowed=allowed):
            raise AddressRefused(f"{host} has the address {text}, which is not fetched from")
    return addresses


def may_connect(text: str, *, host: str = "", allowed: Collection[str] = ()) -> bool:
    """Whether the IP address may be connected to when ``host`` was asked for."""
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    for each in _meant(address):
        if each.is_link_local or each.is_multicast or each.is_unspecified or each in _METADATA:
            return False
        if not (_is_public(each) or _is_opened(each, host, allowed)):
            return False
    return True


def _is_public(address: Address) -> bool:
    # 100.64.0.0/10 (carrier NAT, and Tailscale) is neither global nor private in Python's words.
    return address.is_global and not _is_unusable(address)


def _is_unusable(address: Address) -> bool:
    """240.0.0.0/4 and broadcast; of IPv6 Python calls reserved what has uses, such as ``::1``."""
    return isinstance(address, ipaddress.IPv4Address) and address.is_reserved


def _is_opened(address: Address, host: str, allowed: Collection[str]) -> bool:
    kind = "loopback" if address.is_loopback else "private"
    if kind in allowed and not _is_unusable(address):
        return True
    return any(_names(entry, address, host.lower()) for entry in allowed if entry not in PRIVATE)


def _names(entry: str, address: Address, host: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return entry.lower() == host


def _meant(address: Address) -> list[Address]:
    """Where packets to an address end: IPv6 has several ways to write, or to tunnel to, an IPv4 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:  # all that networks without IPv4 have
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *(address.teredo or ()), *([address.sixtofour] if address.sixtofour else [])]


# Connections


class _Deadline:
    """Ends the connection in use when the time is up, however slowly the other side drips."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._timer.cancel()

    @property
    def left(self) -> float:
        return max(self._end - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._end

    def check(self) -> None:
        if self.is_over:
            raise TimeoutError

    def watch(self, connected: socket.socket) -> None:
        self._socket = connected
        self.check()

    def _expire(self) -> None:
        if self._socket is not None:
            # Not SSLSocket.shutdown, which takes the TLS layer away under the thread that reads.
            with contextlib.suppress(OSError):  # closed by now
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Connection(http.client.HTTPConnection):
    """Connects to the address that was checked, not to whatever the name means a moment later (DNS rebinding)."""

    def __init__(self, host: str, port: int, *, addresses: list[str], deadline: _Deadline) -> None:
        super().__init__(host, port)
        self._addresses, self._deadline = addresses, deadline

    def connect(self) -> None:
        self.sock: Any = self._first_that_answers()
        self._deadline.watch(self.sock)

    def _first_that_answers(self) -> socket.socket:
        """Many servers have an IPv6 address that cannot be reached from here."""
        problem: OSError = OSError("no address")
        for number, address in enumerate(self._addresses):
            try:
                share = self._deadline.left / (len(self._addresses) - number)
                connected = socket.create_connection((address, self.port), timeout=share)
            except OSError as refused:
                problem = refused
            else:
                connected.settimeout(self._deadline.left)
                return connected
        raise problem


class _TlsConnection(_Connection):
    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
        self._deadline.watch(self.sock)
