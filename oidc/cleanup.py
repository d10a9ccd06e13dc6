"""Rows that mean nothing any more are deleted, a few at a time, so that nobody waits for it."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Session
from core import batches
from oidc import deliveries, key_rotation
from oidc.models import (
    AccessToken,
    Client,
    DeviceGrant,
    Grant,
    PendingAuthorization,
    PushedRequest,
    RefreshToken,
    UsedAssertion,
)

# A used code and a rotated refresh token are remembered for as long as a copy of them could still come back.
REMEMBERED = timedelta(days=1)


def delete_expired() -> int:
    """Delete what has expired: tokens, grants without tokens, waiting requests; how many rows that were."""
    now = timezone.now()
    return sum(
        (
            batches.delete(AccessToken.objects.filter(expires__lte=now)),
            batches.delete(RefreshToken.objects.filter(expires__lte=now - REMEMBERED)),
            batches.delete(_dead_grants(now)),
            batches.delete(PendingAuthorization.objects.filter(expires_at__lte=now)),
            batches.delete(PushedRequest.objects.filter(expires_at__lte=now)),
            batches.delete(UsedAssertion.objects.filter(expires_at__lte=now)),
            batches.delete(DeviceGrant.objects.filter(expires__lte=now - REMEMBERED)),
            deliveries.delete_old(),
            key_rotation.delete_forgotten(),
        )
    )


def _dead_grants(now: datetime) -> "QuerySet[Grant]":
    alive = (RefreshToken, AccessToken)
    tokens = Q()
    for model in alive:
        tokens |= Q(Exists(model.objects.filter(grant=OuterRef("pk"))))
    # Without its grant an app that wants to be told would not hear of the end of the session (OIDC Back-Channel Logout).
    waits = Exists(Client.objects.filter(pk=OuterRef("application")).exclude(backchannel_logout_url="")) & Exists(
        Session.objects.filter(pk=OuterRef("sid"))
    )
    dead: QuerySet[Grant] = (
        Grant.objects.filter(expires__lte=now - REMEMBERED).exclude(tokens).exclude(Q(waits, revoked_at__isnull=True))
    )
    return dead
