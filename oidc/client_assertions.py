"""Signed proofs of who a client is (RFC 7523 section 3): with its own key (``private_key_jwt``, OIDC Core section 9), or
made by an issuer it trusts, such as a cluster or a code host (federated identities, contract section 8.9)."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from core.secrets import hash_token
from oidc import remote_keys
from oidc.models import Client, UsedAssertion
from oidc.store import ClientRow

logger = logging.getLogger("pocketid.oidc")

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# By the kind of key, so that a header cannot choose another one; nothing symmetric and never "none" (RFC 8725 section 3.1).
_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),
}
ALGORITHMS = tuple(name for names in _ALGORITHMS.values() for name in names)

SKEW = 30  # seconds that clocks may differ
# An hour is what common libraries choose. Others' tokens live as long as their issuers say, within reason.
LONGEST_OWN, LONGEST_FEDERATED = 3600, 366 * 86_400  # seconds


class AssertionRefused(Exception):
    """Why an assertion proves nothing, as a sentence that is told to the client."""


@dataclass(frozen=True)
class _Unverified:
    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    jws: JWS


@dataclass(frozen=True)
class _Trust:
    """One way in which a client may prove itself: whose word counts, and what it has to say."""

    issuer: str
    subject: str
    audiences: frozenset[str]
    only_ours: bool  # every audience has to be ours, not just one
    longest: int  # seconds
    is_single_use: bool
    keys: Sequence[Mapping[str, str]]
    address: str

    def candidates(self, kid: str | None) -> list[JWK]:
        if self.keys:
            return [JWK(**key) for key in self.keys]
        if self.address:
            return remote_keys.of_address(self.address, kid=kid)
        return remote_keys.of_issuer(self.issuer, kid=kid)


def subject_of(assertion: str) -> str:
    """Whom it says it is about, for looking the client up; nothing is verified yet. Raise ``AssertionRefused``."""
    subject = _read(assertion).claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise AssertionRefused("The client assertion has no subject (sub).")
    return subject


def check(assertion: str, client: ClientRow) -> None:
    """Raise ``AssertionRefused`` unless the assertion proves that ``client`` is speaking; it is used up by that."""
    unverified = _read(assertion)
    trusted = [trust for trust in _trusted_by(client) if trust.issuer == unverified.claims.get("iss")]
    if not trusted:
        raise AssertionRefused(
            "The issuer (iss) of the client assertion is not one that this client trusts: register the app's public keys, or a federated identity of this issuer."
        )
    refused = AssertionRefused("The subject (sub) of the client assertion is not the one registered for its issuer.")
    # Several may share an issuer and a subject, with different audiences or keys: one of them has to fit as a whole.
    for trust in trusted:
        if trust.subject != unverified.claims.get("sub"):
            continue
        try:
            ends = _check_claims(unverified.claims, trust)
            _check_signature(unverified, trust)
        except AssertionRefused as reason:
            refused = reason
            continue
        if trust.is_single_use:
            _use_up(client, unverified.claims, ends)
        return
    raise refused


def _trusted_by(client: ClientRow) -> list[_Trust]:
    row = Client.objects.filter(pk=client.id).values_list("jwks", "jwks_uri", "federated_identities").first()
    keys, address, identities = row or ([], "", [])
    trusted = []
    if keys or address:
        trusted.append(
            _Trust(client.client_id, client.client_id, _own_addresses(), True, LONGEST_OWN, True, tuple(keys), address)
        )
    trusted.extend(
        _Trust(
            issuer=identity["issuer"],
            subject=identity.get("subject") or client.client_id,
            audiences=frozenset((identity.get("audience") or settings.APP_URL,)),
            only_ours=False,
            longest=LONGEST_FEDERATED,
            is_single_use=bool(identity.get("replayProtection")),
            keys=tuple(identity.get("publicKeys", ())),
            address=identity.get("jwks", ""),
        )
        for identity in identities
    )
    return trusted


def _own_addresses() -> frozenset[str]:
    """Whom an app may address: the issuer, the token endpoint (OIDC Core section 9), and that of pushed requests
    (RFC 9126 section 2). Assertions for another server beside us are refused (CVE-2025-27370, attacks.md C18)."""
    bases = (settings.APP_URL, settings.INTERNAL_APP_URL)
    return frozenset(
        (settings.APP_URL, *(f"{base}/api/oidc/{endpoint}" for base in bases for endpoint in ("token", "par")))
    )


def _read(assertion: str) -> _Unverified:
    jws = JWS()
    jws.allowed_algs = list(ALGORITHMS)
    try:
        # Compact only: the JSON forms may have several signatures, of which one would do.
        jws.deserialize(assertion if assertion.count(".") == 2 and assertion[:1] != "{" else "")
        header, claims = jws.jose_header, json.loads(jws.objects["payload"])
    except (JWException, ValueError, KeyError, TypeError, RecursionError):
        raise AssertionRefused("The client assertion is not a signed JWT.") from None
    if not isinstance(claims, dict) or not isinstance(header, dict):
        raise AssertionRefused("The client assertion is not a signed JWT.")
    if header.get("alg") not in ALGORITHMS:
        raise AssertionRefused("The client assertion is not signed with an algorithm that is accepted here.")
    return _Unverified(header, claims, jws)


def _check_claims(claims: Mapping[str, Any], trust: _Trust) -> float:
    """When it ends, in seconds since 1970 (RFC 7523 section 3)."""
    given = claims.get("aud")
    audiences = given if isinstance(given, list) else [given]
    ours = [isinstance(each, str) and each in trust.audiences for each in audiences]
    if not any(ours) or (trust.only_ours and not all(ours)):
        raise AssertionRefused("The audience (aud) of the client assertion is not this server.")
    now = time.time()
    ends = _moment(claims, "exp")
    if ends is None:
        raise AssertionRefused("The client assertion does not say when it ends (exp).")
    if ends <= now - SKEW:
        raise AssertionRefused("The client assertion has expired; compare the clocks of both servers.")
    if ends > now + trust.longest + SKEW:
        raise AssertionRefused(f"The client assertion lives longer than {trust.longest} seconds.")
    for name in ("nbf", "iat"):
        moment = _moment(claims, name)
        if moment is not None and moment > now + SKEW:
            raise AssertionRefused(
                f"The client assertion is not valid yet ({name}); compare the clocks of both servers."
            )
    return ends


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise AssertionRefused(f"The client assertion has no proper number in {name}.")
    return float(value)


def _check_signature(unverified: _Unverified, trust: _Trust) -> None:
    kid, algorithm = unverified.header.get("kid"), unverified.header["alg"]
    try:
        candidates = trust.candidates(kid if isinstance(kid, str) else None)
    except remote_keys.KeysUnavailable as problem:
        logger.warning("client assertion cannot be verified: %s", problem)
        raise AssertionRefused(
            "The public keys that the client assertion would be verified with cannot be read; the server's log says why."
        ) from None
    fitting = [key for key in candidates if _fits(key, algorithm) and kid in (None, key.get("kid"))]
    if not fitting:
        raise AssertionRefused("None of the public keys has the key ID and the algorithm of the client assertion.")
    for key in fitting:
        try:
            unverified.jws.verify(key, algorithm)
        except (JWException, ValueError):
            continue
        return
    raise AssertionRefused("The signature of the client assertion is wrong.")


def _fits(key: JWK, algorithm: str) -> bool:
    kind = "RSA" if key["kty"] == "RSA" else key["crv"]
    return algorithm in _ALGORITHMS.get(kind, ()) and key.get("alg") in (None, algorithm)


def _use_up(client: ClientRow, claims: Mapping[str, Any], ends: float) -> None:
    identifier = claims.get("jti")
    if not isinstance(identifier, str) or not identifier:
        raise AssertionRefused("The client assertion has no identifier (jti).")
    used = UsedAssertion(
        key_hash=hash_token(json.dumps([client.client_id, claims["iss"], identifier])),
        expires_at=datetime.fromtimestamp(ends + SKEW, UTC),
    )
    # The insert decides, in whichever process: of simultaneous requests only one makes the row.
    try:
        with transaction.atomic():
            used.save(force_insert=True)
    except IntegrityError:
        raise AssertionRefused("The client assertion was already used (jti).") from None
