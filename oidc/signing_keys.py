"""Signing keys: made once, kept encrypted, parsed once per process, published for as long as they matter.

A signature on the hot path is made with ``cryptography`` directly: parsing an RSA key costs 30 ms and holds the
GIL, and jwcrypto adds a third of an RS256 signature. jwcrypto serves what is cold: JWKs and thumbprints.
"""

import base64
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from jwcrypto.jwk import JWK

from core.secrets import decrypt, encrypt
from oidc.models import Client, SigningKey

RSA_BITS = 2048
ID_TOKEN_MINUTES = 60
JWKS_SECONDS = 1.0  # how long a process goes on publishing what it has read

_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


class UnverifiableToken(Exception):
    """The text is no JWT of ours: unknown key, wrong signature, or no JWT at all."""


@dataclass(frozen=True)
class Signer:
    """A parsed key, with the encoded header of each kind of token beside it."""

    kid: str
    algorithm: str
    private_key: PrivateKeyTypes
    headers: Mapping[str, bytes]

    def sign(self, kind: str, claims: Mapping[str, object]) -> str:
        """A compact JWS (RFC 7515 section 3.1) with ``typ`` ``kind``."""
        signed = (
            self.headers[kind]
            + b"."
            + _base64url(json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode())
        )
        return (signed + b"." + _base64url(self._signature(signed))).decode()

    def _signature(self, data: bytes) -> bytes:
        match self.private_key:
            case rsa.RSAPrivateKey() as key:
                return key.sign(data, _PSS if self.algorithm == "PS256" else padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePrivateKey() as key:
                r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")
            case ed25519.Ed25519PrivateKey() as key:
                return key.sign(data)
        raise TypeError(self.algorithm)


KINDS = ("JWT", "at+jwt", "logout+jwt")

_ring: dict[str, Signer] = {}
_lock = Lock()


def signer(kid: str) -> Signer:
    """The key of this id, read and parsed at its first use in this process."""
    found = _ring.get(kid)
    return found if found is not None else _load(SigningKey.objects.get(pk=kid))


def _load(row: SigningKey) -> Signer:
    der = decrypt(row.private_key, place=row.place)
    # We made this key and its ciphertext is authenticated: checking its primes again would cost 29 ms under the GIL.
    key = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    headers = {
        kind: _base64url(
            json.dumps({"alg": row.algorithm, "kid": row.kid, "typ": kind}, separators=(",", ":")).encode()
        )
        for kind in KINDS
    }
    made = Signer(row.kid, row.algorithm, key, headers)
    with _lock:
        return _ring.setdefault(row.kid, made)


def preload() -> None:
    """Parse every key now, before the server forks: no request pays for it, and the memory is shared."""
    for row in SigningKey.objects.exclude(state=SigningKey.State.RETIRED):
        _load(row)


def ensure(algorithm: str, state: SigningKey.State = SigningKey.State.CURRENT) -> SigningKey:
    """The key of ``algorithm`` that signs now, or signs next; made if there is none yet."""
    found = SigningKey.objects.filter(algorithm=algorithm, state=state).first()
    if found is not None:
        return found
    made = _generate(algorithm)
    made.state, made.activated_at = state, timezone.now() if state == SigningKey.State.CURRENT else None
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:  # Another process was faster; the constraint allows one.
        return SigningKey.objects.get(algorithm=algorithm, state=state)
    forget_published()
    return made


def introduce(algorithm: str) -> None:
    """See to it that there is a key of ``algorithm``, which a client is about to use, and that every process publishes it
    before the first token is signed: what the others have read of the key set is good for a moment longer."""
    if not SigningKey.objects.filter(algorithm=algorithm, state=SigningKey.State.CURRENT).exists():
        ensure(algorithm)
        time.sleep(JWKS_SECONDS)


def _generate(algorithm: str) -> SigningKey:
    key: PrivateKeyTypes
    match algorithm:
        case "RS256" | "PS256":
            key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        case "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            key = ed25519.Ed25519PrivateKey.generate()
        case _:
            raise ValueError(algorithm)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    jwk = JWK.from_pem(public)
    kid = jwk.thumbprint()  # RFC 7638: the same key has the same id everywhere
    row = SigningKey(
        kid=kid,
        algorithm=algorithm,
        public_jwk={**jwk.export_public(as_dict=True), "kid": kid, "alg": algorithm, "use": "sig"},
    )
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    row.private_key = encrypt(der, place=row.place)
    return row


class _Published:
    """The JWKS document, read at most once a second."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.until = 0.0


_published = _Published()


def forget_published() -> None:
    """Read the keys again at the next request; other processes do so within a second."""
    _published.until = 0.0


def published() -> list[dict[str, Any]]:
    """Every public key a relying party may need (RFC 7517 section 4)."""
    now = time.monotonic()
    if now >= _published.until:
        gone = Q(state=SigningKey.State.RETIRED, last_token_expires_at__lte=timezone.now())
        found = SigningKey.objects.exclude(gone).values_list("public_jwk", "state")
        # The one that signs comes first, RS256 before all: some apps take the first and look no further.
        order: list[str] = [SigningKey.State.CURRENT, SigningKey.State.NEXT, SigningKey.State.RETIRED]
        rows = sorted(found, key=lambda row: (row[0]["alg"] != Client.Algorithm.RS256, order.index(row[1])))
        _published.keys = [jwk for jwk, _state in rows]
        _published.until = now + JWKS_SECONDS
    return _published.keys


def algorithms() -> list[str]:
    """What ID tokens are signed with here; RS256 always (OIDC Discovery section 3)."""
    return list(dict.fromkeys(jwk["alg"] for jwk in published()))


def verify(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWT that one of our keys signed, also a retired one, also after it has expired.

    Raise ``UnverifiableToken``. The algorithm is that of the key, whatever the header says.
    """
    try:
        head, body, signature = token.split(".")
        header, claims, raw = json.loads(_unbase64url(head)), json.loads(_unbase64url(body)), _unbase64url(signature)
        kid = header["kid"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UnverifiableToken from None
    # Before anything is verified it may hold what no database takes as text.
    is_kid = isinstance(kid, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", kid) is not None
    row = SigningKey.objects.filter(pk=kid).first() if is_kid else None
    if row is None or header.get("alg") != row.algorithm or not isinstance(claims, dict):
        raise UnverifiableToken
    data = f"{head}.{body}".encode()
    try:
        match signer(row.kid).private_key.public_key():
            case rsa.RSAPublicKey() as key:
                key.verify(raw, data, _PSS if row.algorithm == "PS256" else padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePublicKey() as key:
                if len(raw) != 64:
                    raise UnverifiableToken
                key.verify(
                    encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")),
                    data,
                    ec.ECDSA(hashes.SHA256()),
                )
            case ed25519.Ed25519PublicKey() as key:
                key.verify(raw, data)
    except InvalidSignature:
        raise UnverifiableToken from None
    return header, claims


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _unbase64url(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
