"""Issuers whose tokens stand for a client's secret (contract section 8.9): which public keys may be registered for them."""

from collections.abc import Sequence
from typing import Any

from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

MIN_RSA_BITS = 2048
MAX_KEYS = 20
# Everything else a JWK may hold is left out: certificates, operations, and above all private parts.
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_DESCRIPTIONS = ("kid", "use", "alg")
_PRIVATE = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


class UnusableKey(ValueError):
    """Why a key cannot be registered, as a sentence."""


def public_keys(given: Sequence[Any]) -> list[dict[str, str]]:
    """Public JWKs (RFC 7517 section 4) in the form they are kept in; raise ``UnusableKey``."""
    if len(given) > MAX_KEYS:
        raise UnusableKey(f"A federated identity cannot have more than {MAX_KEYS} public keys")
    keys = [_public_key(members) for members in given]
    ids = [key["kid"] for key in keys]
    if len(set(ids)) != len(ids):
        raise UnusableKey("The key IDs (kid) of a federated identity's public keys must be unique")
    return keys


def _public_key(members: Any) -> dict[str, str]:  # noqa: ANN401 - whatever JSON the client sent
    if not isinstance(members, dict):
        raise UnusableKey("A public key must be a JSON Web Key object")
    if _PRIVATE & members.keys():
        raise UnusableKey("A public key must not hold private parts, and must be asymmetric")
    kind = members.get("kty")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise UnusableKey("A public key must be asymmetric: of type RSA, EC or OKP")
    kid = members.get("kid")
    if not isinstance(kid, str) or not kid or len(kid) > 255:
        raise UnusableKey("A public key must have a key ID (kid)")
    if members.get("use", "sig") != "sig":
        raise UnusableKey("The use of a public key must be sig, or absent")
    kept = {name: members[name] for name in ("kty", *_MEMBERS[kind], *_DESCRIPTIONS) if name in members}
    if not all(isinstance(value, str) for value in kept.values()):
        raise UnusableKey(f"The public key {kid} is invalid")
    _check(kept, kid)
    return kept


def _check(members: dict[str, str], kid: str) -> None:
    """That it is a key which a signature can be verified with."""
    try:
        key = JWK(**members).get_op_key("verify")
    except (JWException, ValueError, KeyError, TypeError):
        raise UnusableKey(f"The public key {kid} is invalid") from None
    if members["kty"] == "RSA" and key.key_size < MIN_RSA_BITS:
        raise UnusableKey(f"The public key {kid} is too short: RSA keys need at least {MIN_RSA_BITS} bits")
