"""Which addresses an app may be answered at (contract section 8.6, RFC 9700 section 4.1, RFC 8252 section 7.3).

In this order: the very same text; a loopback address with another port; a pattern with ``*``. Nothing is
normalised first: what differs in case, default port, encoding or a final slash is another address.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Read by browsers as code or as local content, never as an app.
FORBIDDEN_SCHEMES = frozenset(("javascript", "data", "vbscript", "file", "blob", "about", "view-source", "ws", "wss"))
MAX_LENGTH = 2000

_FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x20\x7f\\]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")
_DOT_SEGMENT = re.compile(r"/(\.|%2e){1,2}(/|\Z)", re.IGNORECASE)
_ENCODED_CONTROL = re.compile(r"%(0[0-9a-f]|1[0-9a-f]|7f|5c|2f)", re.IGNORECASE)
# A name, an IPv4 or a bracketed IPv6 address; patterns have stars. What is empty belongs to schemes of apps.
_AUTHORITY_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~*%-]*)\Z")
_PORT = re.compile(r"[0-9*]{1,5}\Z")
_LOOPBACK = re.compile(r"(localhost|127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|\[::1\])\Z")


class UnusablePattern(ValueError):
    """Why an address cannot be registered; the text follows the address."""

    def __init__(self, reason: str | Promise) -> None:
        super().__init__(str(reason))


@dataclass(frozen=True)
class _Uri:
    """An address taken apart without changing a character of it."""

    scheme: str
    authority: str | None
    host: str
    port: str | None
    path: str
    query: str | None


def is_allowed(uri: str, patterns: list[str]) -> bool:
    """Whether ``uri`` is one of the registered addresses, or matches one of the patterns among them."""
    parts = _split(uri)
    if parts is None or parts.scheme.lower() in FORBIDDEN_SCHEMES or "@" in (parts.authority or ""):
        return False
    # A pattern is no address itself: the text with the star in it is answered to nobody.
    return "*" not in uri and any(
        uri == pattern or _is_same_loopback(parts, pattern) or _matches(parts, pattern) for pattern in patterns
    )


def without_path(patterns: Iterable[str]) -> list[str]:
    """Web addresses that name a host alone: Pocket ID once took such a one for every path (relying-parties.md rule 21)."""
    found = []
    for pattern in patterns:
        uri = _split(pattern)
        if uri is not None and uri.scheme.lower() in ("http", "https") and not uri.path:
            found.append(pattern)
    return found


def is_insecure(uri: str) -> bool:
    """Plain http to another machine: whoever is on the way can read the code."""
    parts = _split(uri)
    return parts is not None and parts.scheme.lower() == "http" and not _LOOPBACK.match(parts.host)


def check_pattern(pattern: str) -> None:
    """Raise ``UnusablePattern`` for what must not be registered (attacks.md A6, A8, A12)."""
    if len(pattern) > MAX_LENGTH:
        raise UnusablePattern(_("is too long."))
    if not pattern.isascii():
        raise UnusablePattern(_("has characters that must be percent-encoded in an address."))
    if "#" in pattern:
        raise UnusablePattern(_("must not have a fragment (#…)."))
    parts = _split(pattern)
    if parts is None:
        raise UnusablePattern(_("is not an absolute address such as https://app.example.org/callback."))
    if parts.scheme.lower() in FORBIDDEN_SCHEMES:
        raise UnusablePattern(_("has a scheme that browsers run or read from disk."))
    if "@" in (parts.authority or ""):
        raise UnusablePattern(_("must not hold a user name or password."))
    if parts.scheme.lower() in ("http", "https") and not parts.host:
        raise UnusablePattern(_("has no host."))
    if "*" not in pattern:
        return
    if not settings.ALLOW_CALLBACK_WILDCARDS:
        raise UnusablePattern(_("has a wildcard, which this server does not allow (ALLOW_CALLBACK_WILDCARDS)."))
    labels = parts.host.split(".")
    if "*" in parts.host and (len(labels) < 3 or any("*" in label for label in labels[-2:])):
        raise UnusablePattern(
            _(
                "would match hosts of strangers: a wildcard must stand left of at least two fixed names, as in https://*.example.org."
            )
        )
    if pattern.count("*") > 8:
        raise UnusablePattern(_("has too many wildcards."))


def _split(uri: str) -> _Uri | None:
    if len(uri) > MAX_LENGTH or _FORBIDDEN_CHARACTERS.search(uri) or "#" in uri or not uri.isascii():
        return None
    scheme, colon, rest = uri.partition(":")
    if not colon or not _SCHEME.match(scheme):
        return None
    before, question, query = rest.partition("?")
    authority = host = port = None
    path = before
    if before.startswith("//"):
        authority, slash, path = before[2:].partition("/")
        path = slash + path
        bracket = authority.rfind("]")
        name, colon, number = authority[bracket + 1 :].partition(":")
        host, port = authority[: bracket + 1] + name, number if colon else None
        is_known = _AUTHORITY_HOST.match(host) and (not number or _PORT.match(number))
        if not is_known and "@" not in authority:  # what holds user names is refused with words of its own
            return None
    elif scheme.lower() in ("http", "https"):
        return None
    return _Uri(scheme, authority, host or "", port, path, query if question else None)


def _is_same_loopback(asked: _Uri, pattern: str) -> bool:
    """RFC 8252 section 7.3: the port of a native app's listener is known only at run time."""
    if not pattern.startswith("http://") or asked.scheme != "http":
        return False
    known = _split(pattern)
    return (
        known is not None
        and bool(_LOOPBACK.match(known.host))
        and asked.host == known.host
        and _is_port(asked.port)
        and _same_path(known, asked)
        and _same_query(known.query, asked.query)
    )


def _is_port(port: str | None) -> bool:
    return port is None or (port.isascii() and port.isdigit() and 0 < int(port) < 65536)


def _matches(asked: _Uri, pattern: str) -> bool:
    if "*" not in pattern or not settings.ALLOW_CALLBACK_WILDCARDS:
        return False
    known = _split(pattern)
    return (
        known is not None
        and asked.scheme == known.scheme
        and (asked.authority is None) == (known.authority is None)
        and _same_host(known.host, asked.host)
        and _same_port(known.port, asked.port)
        and _same_path(known, asked)
        and _same_query(known.query, asked.query)
    )


def _same_host(pattern: str, host: str) -> bool:
    """Label by label: ``*`` never crosses a dot."""
    if "*" not in pattern:
        return pattern == host
    known, asked = pattern.split("."), host.split(".")
    return len(known) == len(asked) and all(
        _glob(p, label) and re.fullmatch(r"[A-Za-z0-9-]+", label) is not None
        for p, label in zip(known, asked, strict=True)
    )


def _same_port(pattern: str | None, port: str | None) -> bool:
    if pattern == "*":
        return _is_port(port)
    return pattern == port if pattern is None or port is None else _glob(pattern, port) and _is_port(port)


def _same_path(known: _Uri, asked: _Uri) -> bool:
    if "*" not in known.path:
        return known.path == asked.path
    # An app that decodes or resolves its path could be led out of the pattern.
    if _DOT_SEGMENT.search(asked.path) or _ENCODED_CONTROL.search(asked.path) or "//" in asked.path:
        return False
    return _same_segments(tuple(known.path.split("/")), tuple(asked.path.split("/")))


def _same_segments(known: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    @cache  # each pair of places is looked at once, however many ** there are
    def same(i: int, j: int) -> bool:
        if i == len(known):
            return j == len(asked)
        if known[i] != "**":
            return j < len(asked) and _glob(known[i], asked[j]) and same(i + 1, j + 1)
        if i == len(known) - 1:
            return j < len(asked)
        return any(all(asked[j:k]) and same(i + 1, k) for k in range(j + 1, len(asked) + 1))

    return same(0, 0)


def _same_query(pattern: str | None, query: str | None) -> bool:
    """The same parameters in any order; a value may be a pattern."""
    if pattern is None or query is None or "*" not in pattern:
        return pattern == query
    known, asked = parse_qsl(pattern, keep_blank_values=True), parse_qsl(query, keep_blank_values=True)
    if Counter(name for name, _value in known) != Counter(name for name, _value in asked):
        return False
    return all(_glob(p, v) for (_n, p), (_m, v) in zip(sorted(known), sorted(asked), strict=True))


def _glob(pattern: str, text: str) -> bool:
    """``*`` stands for one or more characters; in time linear in ``text`` for each star."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    if not text.startswith(first):
        return False
    place = len(first)
    for part in rest[:-1]:
        place = text.find(part, place + 1)
        if place < 0:
            return False
        place += len(part)
    last = rest[-1]
    return text.endswith(last) and len(text) - len(last) >= place + 1
