"""Fills the database that the server uses, and prints as JSON what the load generator needs; run in its environment."""

import base64
import hashlib
import json
import secrets
import sys
from datetime import timedelta

import django

PEOPLE = 1000
CONNECTIONS = 40  # more than are ever opened: each has its own session and its own chain of refresh tokens
TOKENS = 2000
REDIRECT_URI = "https://app.example.org/callback"
SCOPE = "openid profile email groups"


def fill(codes: int) -> dict[str, object]:
    """Users in groups with custom claims, clients, consents, sessions, and ``codes`` authorization codes for each work."""
    from django.conf import settings
    from django.utils import timezone

    from accounts import sessions
    from accounts.models import CustomClaim, Group, User
    from core.secrets import hash_token, new_token
    from oidc import client_secrets, signing_keys, tokens
    from oidc.models import AccessToken, Client, Consent, Grant, RefreshToken
    from siteconfig.models import current

    signing_keys.ensure("ES256")
    now = timezone.now()
    later = now + timedelta(days=1)

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

    found: dict[str, object] = {"redirect_uri": REDIRECT_URI, "scope": SCOPE}
    clients: dict[str, Client] = {}
    for n, algorithm in enumerate([Client.Algorithm.RS256, Client.Algorithm.ES256, *[Client.Algorithm.RS256] * 30]):
        client = Client.objects.create(name=f"App {n}", redirect_uris=REDIRECT_URI, algorithm=algorithm)
        _row, secret = client_secrets.create(client)
        clients.setdefault(algorithm, client)
        found.setdefault(algorithm, [client.client_id, secret])
    rs256 = clients[Client.Algorithm.RS256]
    Consent.objects.bulk_create(
        Consent(user=person, client=client, scope=f"{SCOPE} offline_access")
        for person in people
        for client in clients.values()
    )
    lifetime = current().session_lifetime
    found["sessions"] = [
        sessions.start(person, methods=[sessions.PASSKEY], place=sessions.Place(), lifetime=lifetime)[1]
        for person in people[:CONNECTIONS]
    ]

    verifier = secrets.token_urlsafe(48)
    found["code_verifier"] = verifier
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()

    def grant(n: int, code: str, client: Client, scope: str) -> Grant:
        return Grant(
            code=hash_token(code),
            user=people[n % PEOPLE],
            application=client,
            expires=later,
            redirect_uri=REDIRECT_URI,
            scope=scope,
            code_challenge=challenge,
            code_challenge_method="S256",
            nonce="n-0S6_WzA2Mj",
            auth_time=now,
            amr=sessions.PASSKEY,
        )

    made: dict[str, list[str]] = {}
    for work, client, scope in (
        ("code", rs256, SCOPE),
        ("code_es256", clients[Client.Algorithm.ES256], SCOPE),
        ("code_refresh", rs256, f"{SCOPE} offline_access"),
    ):
        made[work] = [tokens.new_code() for _ in range(codes)]
        Grant.objects.bulk_create((grant(n, code, client, scope) for n, code in enumerate(made[work])), batch_size=2000)
    found["codes"] = made

    grants = Grant.objects.bulk_create(
        grant(n, tokens.new_code(), rs256, f"{SCOPE} offline_access") for n in range(TOKENS)
    )
    for held in grants:
        held.used_at = now
    Grant.objects.bulk_update(grants, ["used_at"], batch_size=200)
    chains = [tokens.new_refresh_token() for _ in range(CONNECTIONS)]
    RefreshToken.objects.bulk_create(
        RefreshToken(token_checksum=hash_token(token), grant=held, expires=later)
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
                expires=later,
                scope=SCOPE,
                resource=[rs256.client_id, settings.APP_URL],
            )
            for token, held in zip(access, grants, strict=True)
        ),
        batch_size=2000,
    )
    # Each of them is revoked once. They are found by their hash alone, so they may be short.
    revocable = [new_token() for _ in range(codes)]
    AccessToken.objects.bulk_create(
        (
            AccessToken(token_checksum=hash_token(token), application=rs256, expires=later, scope="", resource=[])
            for token in revocable
        ),
        batch_size=2000,
    )
    return found | {"refresh_tokens": chains, "access_tokens": access, "revocable": revocable}


def _claims() -> str:
    """The middle part of a JWT, of which introspection reads ``jti``."""
    claims = {"jti": secrets.token_hex(16), "scope": SCOPE, "padding": secrets.token_hex(100)}
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


if __name__ == "__main__":
    django.setup()
    json.dump(fill(int(sys.argv[1])), sys.stdout)
