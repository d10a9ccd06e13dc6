"""What a client would be told about a person, without anybody signing in."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import CustomClaim, User
from oidc.claims import Person, claims_for
from oidc.errors import AppDeniesAccess
from oidc.models import Client
from oidc.tokens import IDENTITY_SCOPES


@dataclass(frozen=True)
class Preview:
    """Claims of the two tokens and of userinfo; ``iat`` and ``exp`` are moments."""

    id_token: dict[str, Any]
    access_token: dict[str, Any]
    userinfo: dict[str, Any]


def preview(client: Client, user: User, scopes: Collection[str]) -> Preview:
    """Raise ``AppDeniesAccess`` if the person is in none of the groups that may use the client."""
    groups = user.groups.all()
    if client.is_group_restricted and not groups.filter(allowed_clients=client).exists():
        raise AppDeniesAccess
    person, now = _person(user), timezone.now()
    about = claims_for(person, scopes)
    identity = about if client.claims_in_id_token else claims_for(person, ())
    audience = [client.client_id, *([settings.APP_URL] if IDENTITY_SCOPES.intersection(scopes) else [])]
    common: dict[str, Any] = {"iss": settings.APP_URL, "iat": now, "sub": str(user.pk)}
    return Preview(
        id_token=identity
        | common
        | {
            "aud": [client.client_id],
            "exp": now + timedelta(minutes=client.id_token_minutes),
            "auth_time": int(now.timestamp()),
        }
        | {"jti": uuid.uuid4().hex},
        access_token=common
        | {"aud": audience, "exp": now + timedelta(minutes=client.access_token_minutes), "client_id": client.client_id}
        | {"jti": uuid.uuid4().hex, "scp": list(scopes), "scope": " ".join(scopes)},
        userinfo=about,
    )


def _person(user: User) -> Person:
    claims = [
        *CustomClaim.objects.filter(group__members=user).order_by("pk").values_list("key", "value"),
        *user.custom_claims.values_list("key", "value"),
    ]
    return Person(
        id=user.pk,
        username=user.username,
        email=user.email,
        email_verified=user.email_verified,
        first_name=user.first_name,
        last_name=user.last_name,
        display_name=user.display_name,
        disabled=user.disabled,
        locale=user.locale or "",
        updated_at=user.updated_at,
        groups=list(user.groups.values_list("name", flat=True)),
        custom_claims=claims,
    )
