"""Rows that mean nothing any more are deleted, a few at a time, so that nobody waits for it."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from oidc import key_rotation
from oidc.models import AccessToken, Grant, PendingAuthorization, PushedRequest, RefreshToken, UsedAssertion

BATCH = 500
# A used code and a rotated refresh token are remembered for as long as a copy of them could still come back.
REMEMBERED = timedelta(days=1)


def delete_expired() -> int:
    """Delete what has expired: tokens, grants without tokens, waiting requests; how many rows that were."""
    now = timezone.now()
    return sum(
        (
            _in_batches(AccessToken.objects.filter(expires__lte=now)),
            _in_batches(RefreshToken.objects.filter(expires__lte=now - REMEMBERED)),
            _in_batches(_dead_grants(now)),
            _in_batches(PendingAuthorization.objects.filter(expires_at__lte=now)),
            _in_batches(PushedRequest.objects.filter(expires_at__lte=now)),
            _in_batches(UsedAssertion.objects.filter(expires_at__lte=now)),
            key_rotation.delete_forgotten(),
        )
    )


def _dead_grants(now: datetime) -> "QuerySet[Grant]":
    alive = (RefreshToken, AccessToken)
    tokens = Q()
    for model in alive:
        tokens |= Q(Exists(model.objects.filter(grant=OuterRef("pk"))))
    dead: QuerySet[Grant] = Grant.objects.filter(expires__lte=now - REMEMBERED).exclude(tokens)
    return dead


def _in_batches(rows: "QuerySet[Any]") -> int:
    total = 0
    while True:
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        if not keys:
            return total
        total += rows.model._default_manager.filter(pk__in=keys).delete()[0]
