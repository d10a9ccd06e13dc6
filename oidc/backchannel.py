"""Which apps are told that somebody is signed out (OIDC Back-Channel Logout 1.0): queued at once, delivered by a job.

One logout token per app of the session, and none delays the person; ``oidc.deliveries`` brings them.
"""

import threading
import uuid
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from oidc.models import Client, Consent, Grant, LogoutDelivery

EVENT = "http://schemas.openid.net/event/backchannel-logout"

# Set when something was queued in this process, so that it goes out now and not at the job's next turn.
queued = threading.Event()


def session_over(sid: uuid.UUID, user_id: uuid.UUID) -> int:
    """Queue a logout token for every app that signed somebody in from this session; how many."""
    clients = Client.objects.filter(grant__user=user_id, grant__sid=sid).exclude(backchannel_logout_url="").distinct()
    return _queue(clients, user_id, sid)


def person_over(user_id: uuid.UUID, *, told_of: Collection[uuid.UUID] = ()) -> int:
    """Queue one for every app that holds tokens of the person or that they authorised, whatever the session; how many.

    Not for those that signed them in from a session in ``told_of``: they hear of its end, and once is enough.
    """
    grants = Grant.objects.filter(user=user_id, application=OuterRef("pk"))
    known = (
        Client.objects.filter(
            Exists(grants.filter(revoked_at__isnull=True))
            | Exists(Consent.objects.filter(user=user_id, client=OuterRef("pk")))
        )
        .exclude(Exists(grants.filter(sid__in=told_of)))
        .exclude(backchannel_logout_url="")
    )
    return _queue(known, user_id, None)


def client_over(user_id: uuid.UUID, client: Client) -> int:
    """Queue one for ``client``, which may not serve the person any more; how many."""
    return _queue([client] if client.backchannel_logout_url else [], user_id, None)


def _queue(clients: Iterable[Client], user_id: uuid.UUID, sid: uuid.UUID | None) -> int:
    now = timezone.now()
    deliveries = [
        LogoutDelivery(
            client_id=client.client_id,
            client_name=client.name,
            url=client.backchannel_logout_url,
            algorithm=client.algorithm,
            subject=str(user_id),
            sid=sid,
            next_attempt_at=now,
        )
        for client in clients
    ]
    LogoutDelivery.objects.bulk_create(deliveries)
    if deliveries:
        transaction.on_commit(queued.set)
    return len(deliveries)
