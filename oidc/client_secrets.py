"""Client secrets: made by us with 256 random bits, kept as a salted SHA-256.

Those that came from Pocket ID are SHA-256 without a salt, or bcrypt until they are used here for the first time.

A password hash would cost a quarter of a second of CPU at every call of the token endpoint, and let
strangers spend it; it protects secrets that people choose, and these are not.
"""

import hashlib
import re
import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher, check_password, identify_hasher, mask_hash
from django.utils.translation import gettext_noop as _

from core.secrets import equal
from oidc.models import Client, ClientSecret


class Sha256SecretHasher(BasePasswordHasher):
    """For machine-made secrets only, named in PASSWORD_HASHERS."""

    algorithm = "sha256_secret"

    def encode(self, password: str, salt: str) -> str:
        return (
            f"{self.algorithm}${salt}${hashlib.sha256((salt + password).encode('utf-8', 'surrogatepass')).hexdigest()}"
        )

    def decode(self, encoded: str) -> dict[str, str]:
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        return equal(encoded, self.encode(password, self.decode(encoded)["salt"]))

    def safe_summary(self, encoded: str) -> dict[Any, str]:
        return {_("algorithm"): self.algorithm, _("hash"): mask_hash(self.decode(encoded)["hash"])}

    def must_update(self, encoded: str) -> bool:
        return False

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing to even out: every check takes under a microsecond."""


_hasher = Sha256SecretHasher()
_HEAD = Sha256SecretHasher.algorithm + "$"
_BCRYPT_HEAD = "bcrypt$"
_BCRYPT_LONGEST = 72  # bytes; it looks no further, and Pocket ID's bcrypt refuses more


class UnknownHash(ValueError):
    """The form in which another server kept a secret cannot be checked here."""


def create(client: Client, *, expires_at: datetime | None = None) -> tuple[ClientSecret, str]:
    """A new secret of ``client``, and its text, which nobody can be shown again."""
    text = secrets.token_urlsafe(32)
    return ClientSecret.objects.create(
        client=client, secret_hash=hash_secret(text), prefix=text[:4], expires_at=expires_at
    ), text


def same_beginning(text: str) -> list[ClientSecret]:
    """Secrets of all clients that may be ``text``, for saying whose it is; those that people chose take too long to compare."""
    rows = ClientSecret.objects.filter(prefix=text[:4] if text.isprintable() else "", secret_hash__startswith=_HEAD)
    return list(rows.select_related("client")[:20]) if text else []


def hash_secret(text: str) -> str:
    return _hasher.encode(text, secrets.token_hex(8))


def matches(text: str, encoded: str) -> bool:
    """Whether ``text`` is the secret. An empty one never is (library-notes.md T18)."""
    if not text:
        return False
    if encoded.startswith(_HEAD):
        return _hasher.verify(text, encoded)
    if encoded.startswith(_BCRYPT_HEAD):
        return _matches_bcrypt(text, encoded.removeprefix(_BCRYPT_HEAD))
    identify_hasher(encoded)
    return check_password(text, encoded)


def foreign(algorithm: str, digest: str) -> str:
    """A hash of Pocket ID's, ``sha256`` or ``bcrypt``, in the form in which it is kept here; raise ``UnknownHash``."""
    if algorithm == "sha256" and re.fullmatch(r"[0-9a-f]{64}", digest):
        return f"{_HEAD}${digest}"  # with an empty salt
    if algorithm == "bcrypt" and re.fullmatch(r"\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}", digest):
        return _BCRYPT_HEAD + digest
    raise UnknownHash(algorithm)


def note_right_secret(text: str, hashes: list[str]) -> None:
    """Exchange a bcrypt hash that ``text`` has just matched for one of ours, so that its cost is paid once."""
    if not any(known.startswith(_BCRYPT_HEAD) for known in hashes):
        return
    for known in hashes:
        if known.startswith(_BCRYPT_HEAD) and matches(text, known):
            ClientSecret.objects.filter(secret_hash=known).update(secret_hash=hash_secret(text), prefix=text[:4])


def _matches_bcrypt(text: str, encoded: str) -> bool:
    import bcrypt  # a library of its own, for the few calls until the last old secret was exchanged

    raw = text.encode("utf-8", "surrogatepass")
    return len(raw) <= _BCRYPT_LONGEST and b"\0" not in raw and bcrypt.checkpw(raw, encoded.encode())
