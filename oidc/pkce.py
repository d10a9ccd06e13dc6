"""Proof key for code exchange (RFC 7636)."""

import base64
import hashlib
import re

from core.secrets import equal
from oidc.errors import InvalidGrantError, InvalidRequestError

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")
_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")


def check_challenge(challenge: str, method: str, *, required: bool) -> None:
    """Raise ``InvalidRequestError`` unless the authorization request's challenge can be used (section 4.4.1)."""
    if not challenge:
        if method:
            raise InvalidRequestError(description="code_challenge_method was sent without a code_challenge.")
        if required:
            raise InvalidRequestError(description="This client must use PKCE: code_challenge is missing.")
        return
    if (method or "plain") != "S256":
        raise InvalidRequestError(description="code_challenge_method must be S256.")
    if not _S256_CHALLENGE.match(challenge):
        raise InvalidRequestError(description="code_challenge must be the base64url text of a SHA-256, 43 characters.")


def check_verifier(verifier: str, challenge: str) -> None:
    """Raise ``InvalidGrantError`` unless ``verifier`` belongs to ``challenge`` (section 4.6)."""
    if not challenge:
        if verifier:
            # Somebody removed the challenge on the way to us (RFC 9700 section 4.8.2).
            raise InvalidGrantError(
                description="A code_verifier was sent, but the authorization request had no code_challenge."
            )
        return
    if not verifier:
        raise InvalidGrantError(description="The code_verifier is missing.")
    digest = (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest())
        .rstrip(b"=")
        .decode()
    )
    if not _VERIFIER.match(verifier) or not equal(digest, challenge):
        raise InvalidGrantError(description="The code_verifier does not belong to the code_challenge.")
