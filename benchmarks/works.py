"""The requests that are measured, as bytes, and how a good answer is told from a bad one."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"

_REFRESH_TOKEN = re.compile(rb'"refresh_token": ?"([^"]+)"')


# The server limits what one address may ask for, so the generator plays a proxy in front of many visitors: the limit
# is on, and is paid for, but nobody reaches it.
_VISITORS = cycle([f"\r\nX-Forwarded-For: 198.51.{n // 250}.{n % 250 + 1}\r\n".encode() for n in range(1000)])


class RanOut(Exception):
    """Every code has been used: the cell ends early."""


@dataclass(frozen=True)
class Work:
    """``request`` gives the next one of a connection (they are numbered), ``learn`` is told each good answer."""

    name: str
    status: bytes
    holds: bytes
    request: Callable[[int], bytes]
    learn: Callable[[int, bytes], None] | None = None

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
    return [
        Work("bare", b"200", b'"constant"', lambda _n: bare),
        Work("const", b"200", b'"constant"', lambda _n: const),
        Work("code", b"200", b'"id_token"', _codes(filled, host, "code", "RS256")),
        Work("code_es256", b"200", b'"id_token"', _codes(filled, host, "code_es256", "ES256")),
        Work("code_refresh", b"200", b'"refresh_token"', _codes(filled, host, "code_refresh", "RS256")),
        Work("refresh", b"200", b'"refresh_token"', refresh.request, refresh.learn),
        Work("userinfo", b"200", b'"preferred_username"', lambda _n: next(userinfo)),
        Work("authorize", b"303", b"?code=", _authorize(filled, host)),
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


def _authorize(filled: Mapping[str, Any], host: str) -> Callable[[int], bytes]:
    query = urlencode(
        {
            "response_type": "code",
            "client_id": filled["RS256"][0],
            "redirect_uri": filled["redirect_uri"],
            "scope": filled["scope"],
            "state": "af0ifjsldkjaf0ifjsldkj",
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        }
    )
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
