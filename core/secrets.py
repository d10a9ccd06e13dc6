"""Random tokens and their hashes; encryption at rest with ENCRYPTION_KEY."""

import base64
import hashlib
import hmac
import os
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class CannotDecrypt(Exception):
    """The text was encrypted with another key, for another place, or was changed."""


def new_token(prefix: str = "") -> str:
    """``prefix`` and 256 random bits as URL-safe text."""
    return prefix + secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """SHA-256 of a token as 64 hexadecimal digits. Fit for machine-made tokens only: it stops no guessing."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def equal(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def derive_key(purpose: str, length: int = 32) -> bytes:
    """``length`` bytes that depend on ENCRYPTION_KEY and ``purpose`` alone (HKDF-SHA256, RFC 5869)."""
    return _derive(settings.ENCRYPTION_KEY, purpose, length)


@lru_cache(maxsize=16)
def _derive(encryption_key: str, purpose: str, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=b"pocketid/" + purpose.encode()).derive(
        encryption_key.encode()
    )


def encrypt(plain: bytes, *, place: str, encryption_key: str | None = None) -> str:
    """AES-256-GCM of ``plain``: key id, nonce and ciphertext as text.

    ``place`` is ``table.column.pk``: text copied to another row does not decrypt there. ``encryption_key`` is
    ENCRYPTION_KEY unless another one is given.
    """
    key, nonce = _sealing_key(encryption_key), os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, plain, place.encode())
    return f"{_key_id(key)}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt(text: str, *, place: str, encryption_key: str | None = None) -> bytes:
    """What was given to ``encrypt`` for the same place; raise ``CannotDecrypt``."""
    key_id, _, body = text.partition(".")
    key = _sealing_key(encryption_key)
    if key_id != _key_id(key):
        raise CannotDecrypt(f"{place} was encrypted with another ENCRYPTION_KEY")
    try:
        raw = base64.b64decode(body.encode("ascii"), altchars=b"-_", validate=True)
        return AESGCM(key).decrypt(raw[:12], raw[12:], place.encode())
    except (InvalidTag, ValueError):
        raise CannotDecrypt(f"{place} was changed or belongs to another place") from None


def mark_of(encryption_key: str) -> str:
    """What every text begins with that was encrypted with this key."""
    return _key_id(_sealing_key(encryption_key)) + "."


def is_encrypted_with(encryption_key: str, text: str) -> bool:
    return text.startswith(mark_of(encryption_key))


def _sealing_key(encryption_key: str | None) -> bytes:
    return _derive(encryption_key or settings.ENCRYPTION_KEY, "encryption at rest", 32)


def _key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]
