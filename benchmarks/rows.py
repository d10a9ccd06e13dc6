"""What is in the database while the server is measured: people with sessions, apps, codes and tokens."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts import sessions
from accounts.models import CustomClaim, Group, User
from core.secrets import hash_token, new_token
from oidc import client_secrets, signing_keys, tokens
from oidc.models import AccessToken, Client, Consent, Grant, RefreshToken
from siteconfig.models import current

PEOPLE = 1000
CONNECTIONS = 40  # more than are ever opened: each has its own session and its own chain of refresh tokens
TOKENS = 2000
REDIRECT_URI = "https://app.example.org/callback"
SCOPE = "openid profile email groups"
OFFLINE = f"{SCOPE} offline_access"
BATCH = 2000


@dataclass
class _World:
    """``told`` is what the load generator needs to know."""

    people: list[User]
    now: datetime = field(default_factory=timezone.now)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    clients: dict[str, Client] = field(default_factory=dict)  # by algorithm
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def later(self) -> datetime:
        return self.now + timedelta(days=1)


def fill(codes: int) -> dict[str, Any]:
    """Users in groups with custom claims, clients, consents, sessions, and ``codes`` authorization codes for each work."""
    signing_keys.ensure("ES256")
    world = _World(_people())
    world.told |= {"redirect_uri": REDIRECT_URI, "scope": SCOPE, "code_verifier": world.verifier}
    _clients(world)
    _sessions(world)
    _codes(world, codes)
    _tokens(world)
    _revocable(world, codes)
    return world.told


def _people() -> list[User]:
    groups = Group.objects.bulk_create(Group(name=f"group-{n}", friendly_name=f"Group {n}") for n in range(8))
    people = User.objects.bulk_create(
        User(
            username=f"person{n}",
            email=f"person{n}@example.org",
            email_verified=True,
            first_name="Person",
            last_name=f"Number {n}",
            display_name=f"Person Number {n}",
        )
        for n in range(PEOPLE)
    )
    membership = User.groups.through
    membership.objects.bulk_create(
        membership(user_id=person.pk, group_id=groups[(n + step) % 8].pk)
        for n, person in enumerate(people)
        for step in (0, 3)
    )
    CustomClaim.objects.bulk_create(CustomClaim(group=group, key="quota", value="10") for group in groups[:4])
    return people


def _clients(world: _World) -> None:
    """One of each algorithm is used; the others are only there. Everybody has agreed to those two."""
    for n, algorithm in enumerate([Client.Algorithm.RS256, Client.Algorithm.ES256, *[Client.Algorithm.RS256] * 30]):
        client = Client.objects.create(name=f"App {n}", redirect_uris=REDIRECT_URI, algorithm=algorithm)
        _row, secret = client_secrets.create(client)
        world.clients.setdefault(algorithm, client)
        world.told.setdefault(algorithm, [client.client_id, secret])
    Consent.objects.bulk_create(
        Consent(user=person, client=client, scope=OFFLINE)
        for person in world.people
        for client in world.clients.values()
    )


def _sessions(world: _World) -> None:
    lifetime = current().session_lifetime
    world.told["sessions"] = [
        sessions.start(person, methods=[sessions.PASSKEY], place=sessions.Place(), lifetime=lifetime)[1]
        for person in world.people[:CONNECTIONS]
    ]


def _codes(world: _World, count: int) -> None:
    rs256, es256 = world.clients[Client.Algorithm.RS256], world.clients[Client.Algorithm.ES256]
    made: dict[str, list[str]] = {}
    for work, client, scope in (("code", rs256, SCOPE), ("code_es256", es256, SCOPE), ("code_refresh", rs256, OFFLINE)):
        made[work] = [tokens.new_code() for _ in range(count)]
        _grants(world, made[work], client, scope)
    world.told["codes"] = made


def _tokens(world: _World) -> None:
    """Of sign-ins whose codes were redeemed."""
    rs256 = world.clients[Client.Algorithm.RS256]
    grants = _grants(world, [tokens.new_code() for _ in range(TOKENS)], rs256, OFFLINE)
    for held in grants:
        held.used_at = world.now
    Grant.objects.bulk_update(grants, ["used_at"], batch_size=200)
    chains = [tokens.new_refresh_token() for _ in range(CONNECTIONS)]
    RefreshToken.objects.bulk_create(
        RefreshToken(token_checksum=hash_token(token), grant=held, expires=world.later)
        for token, held in zip(chains, grants, strict=False)
    )
    # As long as the real ones, whose signature nobody checks here.
    access = [f"{secrets.token_urlsafe(60)}.{_claims()}.{secrets.token_urlsafe(256)}" for _ in range(TOKENS)]
    AccessToken.objects.bulk_create(
        (
            AccessToken(
                token_checksum=hash_token(token),
                application=rs256,
                grant=held,
                expires=world.later,
                scope=SCOPE,
                resource=[rs256.client_id, settings.APP_URL],
            )
            for token, held in zip(access, grants, strict=True)
        ),
        batch_size=BATCH,
    )
    world.told |= {"refresh_tokens": chains, "access_tokens": access}


def _revocable(world: _World, count: int) -> None:
    """Each of them is revoked once. They are found by their hash alone, so they may be short."""
    rs256, texts = world.clients[Client.Algorithm.RS256], [new_token() for _ in range(count)]
    AccessToken.objects.bulk_create(
        (
            AccessToken(token_checksum=hash_token(token), application=rs256, expires=world.later, scope="", resource=[])
            for token in texts
        ),
        batch_size=BATCH,
    )
    world.told["revocable"] = texts


def _grants(world: _World, codes: Iterable[str], client: Client, scope: str) -> list[Grant]:
    """One for each code, of one person after the other."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(world.verifier.encode()).digest()).rstrip(b"=").decode()
    return Grant.objects.bulk_create(
        (
            Grant(
                code=hash_token(code),
                user=world.people[n % PEOPLE],
                application=client,
                expires=world.later,
                redirect_uri=REDIRECT_URI,
                scope=scope,
                code_challenge=challenge,
                code_challenge_method="S256",
                nonce="n-0S6_WzA2Mj",
                auth_time=world.now,
                amr=sessions.PASSKEY,
            )
            for n, code in enumerate(codes)
        ),
        batch_size=BATCH,
    )


def _claims() -> str:
    """The middle part of a JWT, of which introspection reads ``jti``."""
    claims = {"jti": secrets.token_hex(16), "scope": SCOPE, "padding": secrets.token_hex(100)}
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
