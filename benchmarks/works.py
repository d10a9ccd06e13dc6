"""The requests that are measured, as bytes, and how a good answer is told from a bad one."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"

# RFC 7636 appendix B
VERIFIER, CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

_CODE = re.compile(rb"[?]code=([^&\s]+)")
_TOKENS = re.compile(rb'"(access_token|refresh_token)": ?"([^"]+)"')
_REFRESH_TOKEN = re.compile(rb'"refresh_token": ?"([^"]+)"')


# The server limits what one address may ask for, so the generator plays a proxy in front of many visitors: the limit
# is on, and is paid for, but nobody reaches it.
_VISITORS = cycle([f"\r\nX-Forwarded-For: 198.51.{n // 250}.{n % 250 + 1}\r\n".encode() for n in range(1000)])


class RanOut(Exception):
    """Every code has been used: the cell ends early."""


@dataclass(frozen=True)
class Work:
    """``request`` gives the next one of a connection (they are numbered), ``learn`` is told each good answer.

    ``steps`` requests belong together; ``expects`` says what a good answer to the next of them is, else all are alike.
    """

    name: str
    status: bytes
    holds: bytes
    request: Callable[[int], bytes]
    learn: Callable[[int, bytes], None] | None = None
    steps: int = 1
    expects: Callable[[int], tuple[bytes, bytes]] | None = None

    def is_good(self, connection: int, answer: bytes) -> bool:
        status, holds = self.expects(connection) if self.expects is not None else (self.status, self.holds)
        return answer[9:12] == status and holds in answer

    def next_request(self, connection: int) -> bytes:
        """The next one, from the next visitor; raise ``RanOut``."""
        return self.request(connection).replace(b"\r\n", next(_VISITORS), 1)


def works(filled: Mapping[str, Any], port: int) -> list[Work]:
    """In the order in which they are measured."""
    host = f"localhost:{port}"
    refresh = _Refresh(filled, host)
    bare, const, discovery, jwks = (
        _get(host, path)
        for path in ("/bench/bare", "/bench/const", "/.well-known/openid-configuration", "/.well-known/jwks.json")
    )
    userinfo = cycle(
        [_get(host, "/api/oidc/userinfo", f"Authorization: Bearer {token}") for token in filled["access_tokens"]]
    )
    introspect = cycle(
        [_post(host, "/api/oidc/introspect", filled["RS256"], {"token": token}) for token in filled["access_tokens"]]
    )
    machine = _post(host, "/api/oidc/token", filled["RS256"], {"grant_type": "client_credentials"})
    push = _post(host, "/api/oidc/par", filled["RS256"], _asked(filled))
    journey = _Journey(filled, host)
    return [
        Work("bare", b"200", b'"constant"', lambda _n: bare),
        Work("const", b"200", b'"constant"', lambda _n: const),
        Work("code", b"200", b'"id_token"', _codes(filled, host, "code", "RS256")),
        Work("code_es256", b"200", b'"id_token"', _codes(filled, host, "code_es256", "ES256")),
        Work("code_refresh", b"200", b'"refresh_token"', _codes(filled, host, "code_refresh", "RS256")),
        Work("refresh", b"200", b'"refresh_token"', refresh.request, refresh.learn),
        Work("userinfo", b"200", b'"preferred_username"', lambda _n: next(userinfo)),
        Work("authorize", b"303", b"?code=", _authorize(filled, host)),
        Work("introspect", b"200", b'"active":true', lambda _n: next(introspect)),
        Work("revoke", b"200", b"", _revoke(filled, host)),
        Work("client_credentials", b"200", b'"access_token"', lambda _n: machine),
        Work("par", b"201", b'"request_uri"', lambda _n: push),
        Work("journey", b"", b"", journey.request, journey.learn, steps=4, expects=journey.expects),
        Work("discovery", b"200", b'"token_endpoint"', lambda _n: discovery),
        Work("jwks", b"200", b'"kid"', lambda _n: jwks),
    ]


def _get(host: str, target: str, *headers: str) -> bytes:
    lines = (f"GET {target} HTTP/1.1", f"Host: {host}", "User-Agent: bench", "Accept: */*", *headers)
    return "\r\n".join((*lines, "", "")).encode()


def _post(host: str, target: str, credentials: list[str], form: Mapping[str, str]) -> bytes:
    body = urlencode(form)
    basic = base64.b64encode(":".join(credentials).encode()).decode()
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: bench",
        "Accept: application/json",
        f"Authorization: Basic {basic}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", body)).encode()


def _codes(filled: Mapping[str, Any], host: str, work: str, algorithm: str) -> Callable[[int], bytes]:
    left: Iterator[str] = iter(filled["codes"][work])

    def request(_connection: int) -> bytes:
        code = next(left, None)
        if code is None:
            raise RanOut
        return _post(
            host,
            "/api/oidc/token",
            filled[algorithm],
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": filled["redirect_uri"],
                "code_verifier": filled["code_verifier"],
            },
        )

    return request


class _Refresh:
    """A chain for each connection: every answer holds the token of the next request."""

    def __init__(self, filled: Mapping[str, Any], host: str) -> None:
        self.host, self.client, self.tokens = host, filled["RS256"], list(filled["refresh_tokens"])

    def request(self, connection: int) -> bytes:
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens[connection]}
        return _post(self.host, "/api/oidc/token", self.client, form)

    def learn(self, connection: int, answer: bytes) -> None:
        found = _REFRESH_TOKEN.search(answer)
        assert found is not None
        self.tokens[connection] = found[1].decode()


def _revoke(filled: Mapping[str, Any], host: str) -> Callable[[int], bytes]:
    left: Iterator[str] = iter(filled["revocable"])

    def request(_connection: int) -> bytes:
        token = next(left, None)
        if token is None:
            raise RanOut
        return _post(host, "/api/oidc/revoke", filled["RS256"], {"token": token})

    return request


class _Journey:
    """A whole sign-in on each connection, again and again: authorize, exchange the code, userinfo, refresh."""

    EXPECTED = (
        (b"303", b"?code="),
        (b"200", b'"refresh_token"'),
        (b"200", b'"preferred_username"'),
        (b"200", b'"refresh_token"'),
    )

    def __init__(self, filled: Mapping[str, Any], host: str) -> None:
        self.filled, self.host = filled, host
        self.authorize = _authorize(filled, host, scope=filled["scope"] + " offline_access")
        self.step: dict[int, int] = {}
        self.held: dict[int, dict[str, str]] = {}

    def request(self, connection: int) -> bytes:
        step, held = self.step.get(connection, 0), self.held.get(connection, {})
        if step == 0:
            return self.authorize(connection)
        if step == 1:
            form = {
                "grant_type": "authorization_code",
                "code": held["code"],
                "redirect_uri": self.filled["redirect_uri"],
                "code_verifier": VERIFIER,
            }
            return _post(self.host, "/api/oidc/token", self.filled["RS256"], form)
        if step == 2:
            return _get(self.host, "/api/oidc/userinfo", f"Authorization: Bearer {held['access_token']}")
        form = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
        return _post(self.host, "/api/oidc/token", self.filled["RS256"], form)

    def expects(self, connection: int) -> tuple[bytes, bytes]:
        return self.EXPECTED[self.step.get(connection, 0)]

    def learn(self, connection: int, answer: bytes) -> None:
        step = self.step.get(connection, 0)
        held = self.held.setdefault(connection, {})
        if step == 0:
            found = _CODE.search(answer)
            assert found is not None
            held["code"] = found[1].decode()
        elif step == 1:
            for name, value in _TOKENS.findall(answer):
                held[name.decode()] = value.decode()
        self.step[connection] = (step + 1) % 4


def _asked(filled: Mapping[str, Any], scope: str = "") -> dict[str, str]:
    return {
        "response_type": "code",
        "client_id": filled["RS256"][0],
        "redirect_uri": filled["redirect_uri"],
        "scope": scope or filled["scope"],
        "state": "af0ifjsldkjaf0ifjsldkj",
        "nonce": "n-0S6_WzA2Mj",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }


def _authorize(filled: Mapping[str, Any], host: str, scope: str = "") -> Callable[[int], bytes]:
    query = urlencode(_asked(filled, scope))
    requests = [
        _get(
            host,
            f"/authorize?{query}",
            f"Cookie: access_token={session}",
            "Accept-Language: en",
            "Sec-Fetch-Site: cross-site",
        )
        .replace(b"Accept: */*", b"Accept: text/html,application/xhtml+xml")
        .replace(b"User-Agent: bench", f"User-Agent: {BROWSER}".encode())
        for session in filled["sessions"]
    ]
    return lambda connection: requests[connection]
