"""Which apps are told that somebody is signed out (OIDC Back-Channel Logout 1.0): queued at once, delivered by a job.

One logout token per app of the session, and none delays the person; ``oidc.deliveries`` brings them.
"""

import threading
import uuid
from collections.abc import Collection, Iterable, Mapping

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from oidc.models import Client, Consent, Grant, LogoutDelivery

EVENT = "http://schemas.openid.net/event/backchannel-logout"

# Set when something was queued in this process, so that it goes out now and not at the job's next turn.
queued = threading.Event()


def sessions_over(sessions: Mapping[uuid.UUID, uuid.UUID], *, by_time: bool = False) -> int:
    """Queue a logout token for every app that signed somebody in from one of ``sessions``, by ``sid`` with the person;
    how many. Of those that ended ``by_time`` only apps hear that want to."""
    grants = Grant.objects.filter(user__in=set(sessions.values()), sid__in=sessions)
    signed_in = set(grants.exclude(application__backchannel_logout_url="").values_list("application", "sid"))
    clients = Client.objects.in_bulk({client for client, _sid in signed_in})
    ends = [
        (clients[client], sessions[sid], sid)
        for client, sid in signed_in
        if client in clients and (clients[client].backchannel_logout_on_session_expiry or not by_time)
    ]
    # A code that is still on its way would sign the person in after the app was told, and it hears of an end but once.
    told = {client.pk for client, _user, _sid in ends}
    grants.filter(application__in=told, used_at__isnull=True, revoked_at__isnull=True).update(revoked_at=timezone.now())
    return _queue(ends)


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
    return _queue((client, user_id, None) for client in known)


def client_over(user_id: uuid.UUID, client: Client) -> int:
    """Queue one for ``client``, which may not serve the person any more; how many."""
    return _queue([(client, user_id, None)] if client.backchannel_logout_url else [])


def _queue(ends: Iterable[tuple[Client, uuid.UUID, uuid.UUID | None]]) -> int:
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
        for client, user_id, sid in ends
    ]
    LogoutDelivery.objects.bulk_create(deliveries)
    if deliveries:
        transaction.on_commit(queued.set)
    return len(deliveries)
