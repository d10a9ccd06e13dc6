"""Authorization requests that wait for a person: parked, found again, moved on, taken."""

import uuid
from datetime import datetime

from django.utils import timezone

from accounts.models import Session
from oidc.authorization_request import AuthorizationRequest
from oidc.errors import InteractionExpired
from oidc.models import PendingAuthorization
from oidc.models.authorization import PENDING_LIFETIME
from oidc.prompts import Progress


def park(asked: AuthorizationRequest, client_id: int, session: Session | None) -> PendingAuthorization:
    """Keep the request for an hour at most; it survives a restart."""
    now = timezone.now()
    PendingAuthorization.objects.filter(expires_at__lte=now).delete()
    return PendingAuthorization.objects.create(
        client_id=client_id,
        parameters=asked.as_json(),
        created_at=now,
        expires_at=now + PENDING_LIFETIME,
        session_id=session.pk if session else None,
    )


def find(interaction: str | uuid.UUID) -> PendingAuthorization:
    """The waiting request of this id; raise ``InteractionExpired``."""
    try:
        key = uuid.UUID(str(interaction))
    except ValueError:
        raise InteractionExpired from None
    found = PendingAuthorization.objects.select_related("client").filter(pk=key, expires_at__gt=timezone.now()).first()
    if found is None:
        raise InteractionExpired
    return found


def progress(waiting: PendingAuthorization, session: Session | None) -> Progress:
    """What was done so far, by the person who is here now: steps of another session count for nothing."""
    since: datetime = waiting.created_at
    if session is None or waiting.session_id != session.pk:
        return Progress(since=since)
    return Progress(since=since, account_chosen=waiting.account_chosen, consented=waiting.consented)


def record(
    waiting: PendingAuthorization, session: Session, *, account_chosen: bool = False, consented: bool = False
) -> None:
    """Note a step taken in ``session``."""
    if waiting.session_id != session.pk:
        waiting.account_chosen = waiting.consented = False
    waiting.session_id = session.pk
    waiting.account_chosen = waiting.account_chosen or account_chosen
    waiting.consented = waiting.consented or consented
    waiting.save(update_fields=["session_id", "account_chosen", "consented"])


def take(interaction: uuid.UUID) -> None:
    """Use the request up; of two simultaneous answers one is given. Raise ``InteractionExpired``."""
    if not PendingAuthorization.objects.filter(pk=interaction).delete()[0]:
        raise InteractionExpired
