"""Signing out on an app's behalf (OIDC RP-Initiated Logout 1.0)."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from accounts.models import Session
from oidc import redirect_uris, signing_keys
from oidc.models import Client, Grant

CLOCK_SKEW = 60  # seconds


@dataclass(frozen=True)
class Logout:
    """A sign-out that may happen at once, because the app proved whom it signed in."""

    client: Client
    user_id: uuid.UUID
    sid: uuid.UUID | None
    redirect_uri: str | None


def accepted(parameters: Mapping[str, str], session: Session | None) -> Logout | None:
    """The sign-out that ``parameters`` allow, or ``None``: then the person is asked, and sent nowhere afterwards.

    The hint must be an ID token of ours, for this client and for whoever is signed in here (attacks.md F5).
    """
    try:
        header, claims = signing_keys.verify(parameters.get("id_token_hint", ""))
        user_id, sid = uuid.UUID(claims["sub"]), claims.get("sid")
        audience, issued_at = claims["aud"], float(claims["iat"])
    except (signing_keys.UnverifiableToken, ValueError, KeyError, TypeError):
        return None
    # typ keeps access tokens, which strangers' servers see, from signing people out (attacks.md C10).
    if header.get("typ") != "JWT" or claims.get("iss") != settings.APP_URL or issued_at > time.time() + CLOCK_SKEW:
        return None
    client_id = audience[0] if isinstance(audience, list) and audience else audience
    client = Client.objects.filter(client_id=client_id).first() if isinstance(client_id, str) else None
    if client is None or parameters.get("client_id", client_id) != client_id:
        return None
    if session is not None and session.user.pk != user_id:
        return None
    # ID tokens are no secrets and live on in logs. An expired one only speaks for the very session it came from.
    if claims.get("exp", 0) < time.time() and (session is None or sid != str(session.pk)):
        return None
    redirect_uri = parameters.get("post_logout_redirect_uri")
    if redirect_uri is not None and not redirect_uris.is_allowed(
        redirect_uri, client.post_logout_redirect_uris.split()
    ):
        return None
    return Logout(client, user_id, uuid.UUID(sid) if sid else None, redirect_uri)


def revoke_tokens(logout: Logout) -> int:
    """End what the app got from this sign-in; how many grants that were."""
    return (
        Grant.objects.filter(
            sid=logout.sid, application=logout.client, user_id=logout.user_id, revoked_at__isnull=True
        ).update(revoked_at=timezone.now())
        if logout.sid
        else 0
    )
