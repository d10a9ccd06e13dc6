"""Public keys that others publish: an app's or an issuer's JWK Set (RFC 7517 section 5), fetched, kept, and fetched
again for a key ID that is not among them.

The first token that is signed by a new key finds it. Anybody can send a token that names a key nobody has, so each process
asks an address at most five times in a minute: twice at once, and then every 20 seconds; one that does not answer, every 30.
"""

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from django.conf import settings
from jwcrypto.jwk import JWK

from core import fetch
from oidc import registered_keys

logger = logging.getLogger("pocketid.oidc")

FRESH_SECONDS, LONGEST_SECONDS = 15 * 60, 24 * 3600  # what a Cache-Control of the address may choose between
RETRY_SECONDS = 30  # after an answer that could not be used: whoever waits for the next one waits for its time-out, too
AT_ONCE, EVERY_SECONDS = 2, 20
TIMEOUT = 5.0  # seconds; a client waits for its token meanwhile
MAX_BYTES = 512 * 1024


class KeysUnavailable(Exception):
    """Why there are no keys, in a sentence for the administrator."""


@dataclass
class _Kept:
    """What one address answered last; times are those of the monotonic clock."""

    keys: list[JWK] = field(default_factory=list)
    problem: str = ""
    has_failed: bool = False
    asked_at: float = float("-inf")
    rested_at: float = float("-inf")  # when as many questions are free again as at the beginning (GCRA)
    fresh_until: float = float("-inf")
    usable_until: float = float("-inf")
    lock: Lock = field(default_factory=Lock)


_known: dict[str, _Kept] = {}


def forget() -> None:
    """Ask every address anew."""
    _known.clear()


def of_address(url: str, *, kid: str | None) -> list[JWK]:
    """The keys that are published at ``url``; raise ``KeysUnavailable``.

    ``kid`` is the key that is looked for: if it is not among those that are kept, they are read again.
    """
    return _keys(url, kid, _read_set)


def of_issuer(issuer: str, *, kid: str | None) -> list[JWK]:
    """The keys of an issuer whose key address nobody registered: ``/.well-known/jwks.json`` (contract section 8.9), else
    what its metadata name (OIDC Discovery section 4), as Kubernetes and code hosts have it."""
    return _keys(issuer.rstrip("/"), kid, _read_issuer)


def _keys(name: str, kid: str | None, read: Any) -> list[JWK]:  # noqa: ANN401 - one of the two functions below
    kept = _known.setdefault(name, _Kept())
    # While one request fetches, others go on with what is kept; without anything they wait for it.
    if _is_due(kept, kid) and kept.lock.acquire(blocking=not kept.keys):
        try:
            if _is_due(kept, kid):
                _fetch(name, kept, read)
        finally:
            kept.lock.release()
    if not kept.keys or time.monotonic() >= kept.usable_until:
        raise KeysUnavailable(kept.problem or f"{name}: no keys")
    return kept.keys


def _is_due(kept: _Kept, kid: str | None) -> bool:
    now = time.monotonic()
    is_unknown = kid is not None and all(key.get("kid") != kid for key in kept.keys)
    if not is_unknown and now < kept.fresh_until:
        return False
    if kept.has_failed:
        return now - kept.asked_at >= RETRY_SECONDS
    return kept.rested_at - now <= EVERY_SECONDS * (AT_ONCE - 1)


def _fetch(name: str, kept: _Kept, read: Any) -> None:  # noqa: ANN401 - as above
    now = kept.asked_at = time.monotonic()
    kept.rested_at = max(kept.rested_at, now) + EVERY_SECONDS
    kept.has_failed = True  # until it is known better, also if reading breaks off
    try:
        keys, headers = read(name)
    except fetch.FetchFailed as failed:
        # The last good answer stays in use for its day: an issuer that restarts must not stop its clients.
        kept.problem = str(failed)
        logger.warning("public keys not read: %s", failed)
        return
    kept.has_failed = False
    seconds = _max_age(headers)
    kept.keys, kept.problem = keys, "" if keys else f"{name}: no usable public key is published there"
    kept.fresh_until, kept.usable_until = now + seconds, now + LONGEST_SECONDS


def _read_set(url: str) -> tuple[list[JWK], Mapping[str, str]]:
    document, headers = _document(url)
    return registered_keys.usable(document), headers


def _read_issuer(issuer: str) -> tuple[list[JWK], Mapping[str, str]]:
    try:
        keys, headers = _read_set(f"{issuer}/.well-known/jwks.json")
        if keys:
            return keys, headers
    except fetch.AddressRefused:
        raise
    except fetch.FetchFailed:
        pass  # most issuers publish them elsewhere and say where
    metadata, _headers = _document(f"{issuer}/.well-known/openid-configuration")
    said = metadata if isinstance(metadata, dict) else {}
    address = said.get("jwks_uri")
    # A final slash apart: some issuers have one in their name.
    if not isinstance(address, str) or str(said.get("issuer")).rstrip("/") != issuer:
        raise fetch.FetchFailed(f"{issuer}: its metadata do not say where its keys are")
    return _read_set(address)


def _document(url: str) -> tuple[Any, Mapping[str, str]]:
    answer = fetch.fetch(
        url,
        headers={"Accept": "application/json"},
        allowed=settings.OUTBOUND_ALLOWED_HOSTS_FEDERATED_JWKS,
        max_bytes=MAX_BYTES,
        timeout=TIMEOUT,
        max_redirects=3,
    )
    if answer.status != 200:
        raise fetch.FetchFailed(f"{url}: status {answer.status}")
    try:
        return json.loads(answer.body), answer.headers
    except (ValueError, RecursionError):
        raise fetch.FetchFailed(f"{url}: the answer is no JSON") from None


def _max_age(headers: Mapping[str, str]) -> int:
    found = re.search(r"\bmax-age=(\d{1,9})", headers.get("cache-control", ""))
    return min(max(int(found[1]) if found else 0, FRESH_SECONDS), LONGEST_SECONDS)
