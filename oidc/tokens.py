"""Making tokens: RFC 9068 access tokens, ID tokens, opaque codes and refresh tokens; nothing is stored here."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from core.secrets import derive_key, hash_token, new_token
from oidc import signing_keys
from oidc.claims import Person, claims_for
from oidc.claims_request import ClaimsRequest
from oidc.store import ClientRow, GrantRow, NewTokens

CODE_PREFIX = "pocket_id_ac_"
REFRESH_PREFIX = "pocket_id_rt_"
PHISHING_RESISTANT = "phr"
OFFLINE = "offline_access"
IDENTITY_SCOPES = frozenset(("openid", "profile", "email", "groups"))


@dataclass(frozen=True)
class Issued:
    """An answer of the token endpoint, in the words of RFC 6749 section 5.1, and what the store keeps of it."""

    body: dict[str, Any]
    stored: NewTokens


def new_code() -> str:
    return new_token(CODE_PREFIX)


def new_refresh_token() -> str:
    return new_token(REFRESH_PREFIX)


def successor_of(refresh_token: str) -> str:
    """What ``refresh_token`` is rotated to: always the same, and known to nobody without our key.

    So a client that lost the answer can be given it again although only a hash is stored, and a family never branches.
    """
    mac = hmac.new(
        derive_key("refresh token successor"), refresh_token.encode("utf-8", "surrogatepass"), hashlib.sha256
    )
    return REFRESH_PREFIX + base64.urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


def issue(
    client: ClientRow,
    grant: GrantRow,
    person: Person,
    *,
    refresh_token: str | None,
    nonce: str = "",
    scope: str | None = None,
) -> Issued:
    """Sign the tokens that ``grant`` gives ``client`` now; ``scope`` is less than it allows, if the client wants less."""
    scope = grant.scope if scope is None else scope
    scopes = scope.split()
    now, lifetime = int(time.time()), client.access_token_minutes * 60
    signer = signing_keys.signer(client.signing_kid)
    # With the API instead of the client, and this server for what userinfo gives (RFC 9068 section 3).
    audience = [
        grant.resource or client.client_id,
        *([settings.APP_URL] if IDENTITY_SCOPES.intersection(scopes) else ()),
    ]
    # That the client may refresh means nothing to an API (RFC 9068 section 2.2.3).
    told = [each for each in scopes if each != OFFLINE] if audience == [grant.resource] else scopes
    access_token = signer.sign(
        "at+jwt",
        {
            "iss": settings.APP_URL,
            "sub": str(person.id),
            "client_id": client.client_id,
            "aud": audience,
            "iat": now,
            "exp": now + lifetime,
            "jti": uuid.uuid4().hex,
            "scp": told,
            "scope": " ".join(told),
        },
    )
    body: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": scope,
    }
    if refresh_token is not None:
        body["refresh_token"] = refresh_token
    if "openid" in scopes:
        body["id_token"] = signer.sign(
            "JWT",
            _id_token(
                client, grant, person, scopes, nonce=nonce, now=now, at_hash=_half_hash(access_token, client.algorithm)
            ),
        )
    moment = timezone.now()
    stored = NewTokens(
        access_hash=hash_token(access_token),
        access_expires=moment + timedelta(seconds=lifetime),
        scope=" ".join(told),
        audience=audience,
        refresh_hash=hash_token(refresh_token) if refresh_token is not None else None,
        refresh_expires=_refresh_expires(client, grant, moment) if refresh_token is not None else None,
    )
    return Issued(body, stored)


def issue_to_client(client: ClientRow, *, resource: str = "", scopes: Sequence[str] = ()) -> Issued:
    """Sign an access token that ``client`` holds for itself, for an API or for nothing in particular."""
    now, lifetime = int(time.time()), client.access_token_minutes * 60
    audience, scope = [resource or client.client_id], " ".join(scopes)
    claims = {
        "iss": settings.APP_URL,
        "sub": f"client-{client.client_id}",
        "client_id": client.client_id,
        "aud": audience,
        "iat": now,
        "exp": now + lifetime,
        "jti": uuid.uuid4().hex,
        "scp": list(scopes),
        "scope": scope,
    }
    token = signing_keys.signer(client.signing_kid).sign("at+jwt", claims)
    expires = timezone.now() + timedelta(seconds=lifetime)
    return Issued(
        {"access_token": token, "token_type": "Bearer", "expires_in": lifetime, "scope": scope},
        NewTokens(access_hash=hash_token(token), access_expires=expires, scope=scope, audience=audience),
    )


def longest_end(client: ClientRow, grant: GrantRow) -> datetime | None:
    """When refreshing ends for good, however often it was done; ``None``: never."""
    if not client.refresh_token_absolute_minutes:
        return None
    return (grant.created or timezone.now()) + timedelta(minutes=client.refresh_token_absolute_minutes)


def _refresh_expires(client: ClientRow, grant: GrantRow, now: datetime) -> datetime:
    idle, absolute = now + timedelta(minutes=client.refresh_token_minutes), longest_end(client, grant)
    return idle if absolute is None else min(idle, absolute)


def gets_refresh_token(client: ClientRow, scope: str) -> bool:
    """Whether the client's policy gives a refresh token with these scopes (OIDC Core section 11)."""
    return client.refresh_tokens == "always" or (client.refresh_tokens == "offline_access" and OFFLINE in scope.split())


def acr_of(amr: str) -> str:
    """Authentication context class: ``phr`` for a passkey (OpenID EAP ACR Values 1.0), ``0`` for less (OIDC Core section 2)."""
    return PHISHING_RESISTANT if PHISHING_RESISTANT in amr.split() else "0"


def _id_token(
    client: ClientRow,
    grant: GrantRow,
    person: Person,
    scopes: Sequence[str],
    *,
    nonce: str,
    now: int,
    at_hash: str,
) -> dict[str, Any]:
    """OIDC Core section 2. A claim about the person never replaces one about the sign-in."""
    wanted = ClaimsRequest.stored(grant.claims).id_token
    claims = claims_for(person, scopes if client.claims_in_id_token else (), wanted)
    claims |= {
        "iss": settings.APP_URL,
        "aud": [client.client_id],
        "iat": now,
        "exp": now + client.id_token_minutes * 60,
        "auth_time": int(grant.auth_time.timestamp()),
        "jti": uuid.uuid4().hex,
        "at_hash": at_hash,
    }
    if "acr" in wanted:
        claims["acr"] = acr_of(grant.amr)
    if grant.amr:
        claims["amr"] = grant.amr.split()
    if grant.sid:
        claims["sid"] = str(grant.sid)
    if nonce:
        claims["nonce"] = nonce
    return claims


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims of a JWT; only for tokens that were found by their hash, and so are the very text we signed."""
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def _half_hash(token: str, algorithm: str) -> str:
    """The left half of the hash that belongs to the signature (OIDC Core section 3.1.3.6; Ed25519 hashes with SHA-512)."""
    digest = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
