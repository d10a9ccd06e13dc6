"""Authorization requests that wait for a person: parked, found again, moved on, taken."""

import uuid
from datetime import datetime

from django.utils import timezone

from accounts.models import Session
from core import batches
from oidc import consent, prompts, store
from oidc.authorization_request import AuthorizationRequest
from oidc.errors import AppDeniesAccess, InteractionExpired, UnknownClient
from oidc.models import PendingAuthorization
from oidc.models.authorization import PENDING_LIFETIME
from oidc.prompts import Progress, Step

MOST_OF_STRANGERS = 20_000  # at 16 kB each, the most that anybody can send, some 300 MB


def park(
    asked: AuthorizationRequest, client_id: int, session: Session | None, *, pushed: str = ""
) -> PendingAuthorization:
    """Keep the request for an hour at most; it survives a restart."""
    now = timezone.now()
    PendingAuthorization.objects.filter(expires_at__lte=now).delete()
    return PendingAuthorization.objects.create(
        client_id=client_id,
        parameters=asked.as_json(),
        created_at=now,
        expires_at=now + PENDING_LIFETIME,
        session_id=session.pk if session else None,
        pushed_request=pushed,
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


def steps_left(waiting: PendingAuthorization, session: Session | None) -> list[Step]:
    """What the person who is here still has to do; raise ``AppDeniesAccess`` if nothing would help."""
    client = store.find_for_authorization(waiting.client.client_id, session.user.pk if session else None)
    if client is None:
        raise UnknownClient
    if client.denied:
        raise AppDeniesAccess(app=client.row)
    return prompts.steps(
        AuthorizationRequest.from_json(waiting.parameters), client, session, progress(waiting, session)
    )


def agree(waiting: PendingAuthorization, session: Session) -> None:
    """The person allows the app what it asked for when the request was parked, no more (attacks.md F1)."""
    asked = AuthorizationRequest.from_json(waiting.parameters)
    consent.remember(session.user, waiting.client.pk, asked.shared)
    _record(waiting, session, consented=True)


def choose_account(waiting: PendingAuthorization, session: Session) -> None:
    """The person goes on with the account they are signed in with."""
    _record(waiting, session, account_chosen=True)


def take_over(waiting: PendingAuthorization, session: Session) -> None:
    """The person has signed in since the request was parked."""
    _record(waiting, session)


def _record(
    waiting: PendingAuthorization, session: Session, *, account_chosen: bool = False, consented: bool = False
) -> None:
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


def drop_oldest_of_strangers() -> int:
    """Keep the latest of those that wait for nobody in particular yet; how many rows went. A periodic job.

    They cost whoever sends them nothing, and from many addresses no limit by address holds.
    """
    strangers = PendingAuthorization.objects.filter(session_id__isnull=True)
    ends = strangers.order_by("-expires_at").values_list("expires_at", flat=True)
    beyond = list(ends[MOST_OF_STRANGERS : MOST_OF_STRANGERS + 1])
    return batches.delete(strangers.filter(expires_at__lte=beyond[0])) if beyond else 0
