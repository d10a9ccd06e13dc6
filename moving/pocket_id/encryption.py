"""How Pocket ID encrypts at rest (contract section 11.2), as far as somebody who moves in has to read it."""

import base64
import binascii
import hmac
import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12  # bytes


class WrongKey(Exception):
    """The text was encrypted with another ENCRYPTION_KEY, or was changed."""


def signing_key(text: str, *, encryption_key: str, instance_id: str) -> dict[str, Any]:
    """The private JWK of the row ``jwt_private_key.json``; raise ``WrongKey``."""
    kek = hmac.digest(encryption_key.encode(), f"pocketid/{instance_id}/jwk-kek".encode(), "sha3_256")
    found: dict[str, Any] = json.loads(_opened(text, kek, None))
    return found


def scim_token(text: str, *, encryption_key: str) -> str:
    """A SCIM provider's bearer token in clear; raise ``WrongKey``."""
    return _opened(text, _derived(encryption_key, "encrypted_string"), b"encrypted_string").decode()


def opaque_token_secret(encryption_key: str) -> bytes:
    """What the second half of ``pocket_id_rt_…`` is a MAC with; 32 bytes."""
    return _derived(encryption_key, "fosite_global_secret")


def _derived(encryption_key: str, purpose: str) -> bytes:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"pocketid/" + purpose.encode())
    return kdf.derive(encryption_key.encode())


def _opened(text: str, key: bytes, associated: bytes | None) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
        return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], associated)
    except (InvalidTag, binascii.Error, ValueError):
        raise WrongKey from None
