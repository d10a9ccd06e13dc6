"""Telling apps that somebody is signed out (OIDC Back-Channel Logout 1.0): queued at once, delivered by a retried job.

One logout token per app of the session; one slow app delays nobody else's, and none delays the person.
"""

import logging
import threading
import time
import uuid
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import close_old_connections
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from core import batches, fetch
from oidc import signing_keys
from oidc.models import Client, Consent, Grant, LogoutDelivery

logger = logging.getLogger("pocketid.backchannel")

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_SECONDS = 120
TIMEOUT = 10.0  # seconds an app may take
AT_ONCE = 4
RETRY_AFTER = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
KEPT = timedelta(days=30)

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
        queued.set()
    return len(deliveries)


def deliver_due() -> int:
    """Try every delivery whose time has come; how many arrived."""
    due = list(LogoutDelivery.objects.filter(next_attempt_at__lte=timezone.now())[:100])
    if not due:
        return 0
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="backchannel") as pool:
        return sum(pool.map(_in_thread, due))


def try_again(deliveries: "QuerySet[LogoutDelivery]") -> int:
    """Send what has not arrived now, and as often as a new one if need be; how many."""
    waiting = deliveries.filter(delivered_at__isnull=True).update(next_attempt_at=timezone.now(), attempts=0)
    if waiting:
        queued.set()
    return waiting


def delete_old() -> int:
    """Delete what was delivered or given up a month ago; how many rows."""
    return batches.delete(LogoutDelivery.objects.filter(created_at__lte=timezone.now() - KEPT))


def _in_thread(delivery: LogoutDelivery) -> bool:
    try:
        return _deliver(delivery)
    finally:
        close_old_connections()


def _deliver(delivery: LogoutDelivery) -> bool:
    """One attempt. The update decides which process makes it; the next time is set before, so a crash loses nothing."""
    now = timezone.now()
    again = now + RETRY_AFTER[delivery.attempts] if delivery.attempts < len(RETRY_AFTER) else None
    claimed = LogoutDelivery.objects.filter(pk=delivery.pk, next_attempt_at=delivery.next_attempt_at).update(
        attempts=delivery.attempts + 1, next_attempt_at=again
    )
    if not claimed:
        return False
    problem = _post(delivery)
    changes = (
        {"last_error": problem[:200]}
        if problem
        else {"delivered_at": timezone.now(), "next_attempt_at": None, "last_error": ""}
    )
    LogoutDelivery.objects.filter(pk=delivery.pk).update(**changes)
    if problem:
        logger.warning(
            "logout token for %s not delivered (attempt %s): %s", delivery.client_name, delivery.attempts + 1, problem
        )
    return not problem


def _post(delivery: LogoutDelivery) -> str:
    """Send a token signed now; what went wrong, or nothing. Any 2xx is well, redirects are not followed."""
    try:
        answer = fetch.fetch(
            delivery.url,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({"logout_token": _token(delivery)}).encode(),
            allowed=settings.OUTBOUND_ALLOWED_HOSTS_BACKCHANNEL_LOGOUT,
            max_bytes=64 * 1024,
            timeout=TIMEOUT,
            max_redirects=0,
        )
    except fetch.FetchFailed as failed:
        return str(failed)
    return "" if 200 <= answer.status < 300 else f"the app answered {answer.status}"


def _token(delivery: LogoutDelivery) -> str:
    """Section 2.4; never with a nonce."""
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": settings.APP_URL,
        "aud": [delivery.client_id],
        "sub": delivery.subject,
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "jti": str(uuid.uuid4()),
        "events": {EVENT: {}},
    }
    if delivery.sid is not None:
        claims["sid"] = str(delivery.sid)
    return signing_keys.signer(signing_keys.ensure(delivery.algorithm).kid).sign("logout+jwt", claims)
