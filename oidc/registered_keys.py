"""Public keys that administrators register, or name the address of: which are usable, and the form they are kept in."""

from collections.abc import Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

MIN_RSA_BITS = 2048
MAX_KEYS = 20
# Everything else a JWK may hold is left out: certificates, operations, and above all private parts.
_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519",)}  # those of client_assertions.ALGORITHMS
_DESCRIPTIONS = ("kid", "use", "alg")
_PRIVATE = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))


class UnusableKey(ValueError):
    """Why a key cannot be registered, as a sentence."""

    def __init__(self, reason: str | Promise) -> None:
        super().__init__(str(reason))


def public_keys(given: Sequence[Any]) -> list[dict[str, str]]:
    """The public keys of a federated identity in the form they are kept in (RFC 7517 section 4); raise ``UnusableKey``."""
    if len(given) > MAX_KEYS:
        raise UnusableKey(f"A federated identity cannot have more than {MAX_KEYS} public keys")
    keys = [_public_key(members) for members in given]
    ids = [key["kid"] for key in keys]
    if len(set(ids)) != len(ids):
        raise UnusableKey("The key IDs (kid) of a federated identity's public keys must be unique")
    return keys


def key_set(given: Any) -> list[dict[str, str]]:  # noqa: ANN401 - whatever JSON somebody sent
    """A client's own keys: a JWK Set, a list of keys or one key (RFC 7517 sections 4 and 5); raise ``UnusableKey``.

    A key without an ID gets its thumbprint (RFC 7638).
    """
    if isinstance(given, dict):
        given = given.get("keys", [given])
    if not isinstance(given, list):
        raise UnusableKey(_("This is no JSON Web Key Set."))
    if len(given) > MAX_KEYS:
        raise UnusableKey(_("These are too many keys: %(number)s are allowed.") % {"number": MAX_KEYS})
    return public_keys([_with_kid(members) for members in given])


def usable(given: Any) -> list[JWK]:  # noqa: ANN401 - whatever JSON an address answered with
    """The keys of a JWK Set that signatures can be verified with; those that cannot are passed over, also when it is none."""
    found = given.get("keys") if isinstance(given, dict) else None
    keys = []
    for members in found[:100] if isinstance(found, list) else ():
        try:
            keys.append(JWK(**_public_key(_with_kid(members))))
        except UnusableKey:
            continue
    return keys


def _with_kid(members: Any) -> Any:  # noqa: ANN401 - whatever JSON somebody sent
    if not isinstance(members, dict) or members.get("kid") or not isinstance(members.get("kty"), str):
        return members
    try:
        return {**members, "kid": JWK(**_kept(members, members["kty"])).thumbprint()}
    except (JWException, ValueError, KeyError, TypeError):
        return members  # said better below


def _kept(members: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: members[name] for name in ("kty", *_MEMBERS.get(kind, ()), *_DESCRIPTIONS) if name in members}


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
    kept = _kept(members, kind)
    if not all(isinstance(value, str) for value in kept.values()):
        raise UnusableKey(f"The public key {kid} is invalid")
    _check(kept, kid)
    return kept


def _check(members: dict[str, str], kid: str) -> None:
    """That it is a key which a signature can be verified with."""
    if members.get("crv") not in _CURVES.get(members["kty"], (None,)):
        raise UnusableKey(f"The public key {kid} is invalid: nothing is signed with its curve here")
    try:
        key = JWK(**members).get_op_key("verify")
    except (JWException, ValueError, KeyError, TypeError):
        raise UnusableKey(f"The public key {kid} is invalid") from None
    if members["kty"] == "RSA" and key.key_size < MIN_RSA_BITS:
        raise UnusableKey(f"The public key {kid} is too short: RSA keys need at least {MIN_RSA_BITS} bits")
