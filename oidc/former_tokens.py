"""Refresh tokens that another server has given, and that go on working here after a move from Pocket ID.

Since 2.12 they are ``pocket_id_rt_<random>.<MAC of it>`` and the server keeps the MAC; before, they are JWTs signed by
its signing key, around a text of which it keeps the hash. A text that proves to be genuine is looked up by what was
kept of it. Without that proof whoever has read the old database could present what stands in it.
"""

import base64
import binascii
import hmac
import json

from core.secrets import decrypt, encrypt, equal
from oidc import signing_keys
from oidc.models import FormerServer

OPAQUE = "pocket_id_rt_"
_JWT = "eyJ"
_KIND = "refresh-token"


def opaque(mac: str) -> str:
    """What the row of an opaque token is found by, from the part of it that the old server kept."""
    return f"former refresh token {mac}"


def stored_as(token: str) -> str:
    """The text whose hash is stored: ``token`` itself, unless it is a genuine one of a server that moved in."""
    if token.startswith(OPAQUE):
        # Ours begin in the same way and have no second half, so they cost nothing here.
        secret, dot, mac = token.removeprefix(OPAQUE).partition(".")
        return opaque(mac) if dot and _is_genuine(secret, mac) else token
    if token.startswith(_JWT):
        return _inside(token) or token
    return token


def remember(secret: bytes) -> None:
    """Accept tokens that were made with this secret from now on."""
    if secret in _secrets():
        return
    server = FormerServer.objects.create(token_secret="")
    server.token_secret = encrypt(secret, place=server.place)
    server.save(update_fields=["token_secret"])


def _secrets() -> list[bytes]:
    return [decrypt(server.token_secret, place=server.place) for server in FormerServer.objects.all()]


def _is_genuine(secret: str, mac: str) -> bool:
    """HMAC-SHA512/256 of the random bytes, as base64url without padding (fosite)."""
    try:
        raw = base64.b64decode(secret.encode("ascii") + b"=" * (-len(secret) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(equal(mac, _mac(key, raw)) for key in _secrets())


def _mac(key: bytes, raw: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, raw, "sha512_256")).rstrip(b"=").decode()


def _inside(token: str) -> str:
    """The text in a refresh token of before 2.12; empty for any other JWT, which costs no signature to find out."""
    try:
        body = token.split(".")[1]
        unverified_claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if unverified_claims.get("type") != _KIND:
            return ""
        _header, claims = signing_keys.verify(token)
    except (IndexError, ValueError, AttributeError, RecursionError, signing_keys.UnverifiableToken):
        return ""
    return str(claims.get("rt") or "")
