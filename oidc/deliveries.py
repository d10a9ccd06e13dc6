"""Bringing logout tokens to the apps (OIDC Back-Channel Logout 1.0 section 2.5): many at once, tried again, never held up.

Threads do nothing but talk to apps; the one that runs the job claims and records, so an app that does not answer costs
neither a connection to the database nor its lock. A claim is a lease: of two processes one delivers, and what a process
took with it when it died is due again when the lease is over.
"""

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from queue import SimpleQueue
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from core import batches, fetch
from oidc import signing_keys
from oidc.backchannel import EVENT, queued
from oidc.models import LogoutDelivery

logger = logging.getLogger("pocketid.backchannel")

TOKEN_SECONDS = 120
TIMEOUT = 10.0  # seconds an app may take
LEASE = timedelta(seconds=60)
AT_ONCE = 64
FOR_ONE_APP = 4
# What is not the first for its app, or for an app that did not take the last one, shares these; so the others find a thread.
FOR_THE_REST = 16
RETRY_AFTER = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
KEPT = timedelta(days=30)
LOOK_AGAIN = 1.0  # seconds, while some are on their way

# The apps that took nothing from this process the last time.
_failing: set[str] = set()


def deliver_due() -> int:
    """Deliver what is due until nothing is, also what becomes due meanwhile; how many arrived."""
    arrived = 0
    under_way: dict[uuid.UUID, LogoutDelivery] = {}
    ended: SimpleQueue[tuple[uuid.UUID, str]] = SimpleQueue()
    while True:
        queued.clear()
        while not ended.empty():
            key, problem = ended.get()
            arrived += _record(under_way.pop(key), problem)
        while claimed := _claim(under_way.values()):
            for delivery in claimed:
                under_way[delivery.pk] = delivery
                # A daemon: a server that stops does not wait for apps, and the lease brings the rest back.
                send = threading.Thread(target=_send, args=(delivery, _token(delivery), ended), daemon=True)
                send.start()
        if not under_way:
            return arrived
        queued.wait(LOOK_AGAIN)


def try_again(deliveries: "QuerySet[LogoutDelivery]") -> int:
    """Send what has not arrived now, and as often as a new one if need be; how many."""
    waiting = deliveries.filter(delivered_at__isnull=True).update(next_attempt_at=timezone.now(), attempts=0)
    if waiting:
        queued.set()
    return waiting


def delete_old() -> int:
    """Delete what was delivered or given up a month ago; how many rows."""
    return batches.delete(LogoutDelivery.objects.filter(created_at__lte=timezone.now() - KEPT))


def _claim(under_way: Collection[LogoutDelivery]) -> list[LogoutDelivery]:
    """Take what may go out now besides ``under_way``; empty when nothing is due, or all threads it may use are."""
    now = timezone.now()
    busy = Counter(delivery.client_id for delivery in under_way)
    rest = sum(busy.values()) - sum(client_id not in _failing for client_id in busy)
    due = LogoutDelivery.objects.filter(Q(leased_until=None) | Q(leased_until__lte=now), next_attempt_at__lte=now)
    if rest >= FOR_THE_REST:
        due = due.exclude(client_id__in=_failing | busy.keys())
    else:
        due = due.exclude(client_id__in=[client_id for client_id, count in busy.items() if count >= FOR_ONE_APP])
    taken: list[LogoutDelivery] = []
    if len(under_way) >= AT_ONCE or not due.exists():  # so that looking takes no lock
        return taken
    with transaction.atomic():
        for delivery in due.order_by("next_attempt_at", "pk").select_for_update(skip_locked=True)[: 4 * AT_ONCE]:
            app = delivery.client_id
            is_rest = busy[app] > 0 or app in _failing
            if busy[app] < FOR_ONE_APP and rest + is_rest <= FOR_THE_REST:
                busy[app] += 1
                rest += is_rest
                taken.append(delivery)
            if len(under_way) + len(taken) == AT_ONCE:
                break
        if taken:
            LogoutDelivery.objects.filter(pk__in=[delivery.pk for delivery in taken]).update(
                attempts=F("attempts") + 1, leased_until=now + LEASE
            )
    return taken


def _record(delivery: LogoutDelivery, problem: str) -> bool:
    """Note how one attempt ended; whether it arrived."""
    now, row = timezone.now(), LogoutDelivery.objects.filter(pk=delivery.pk)
    if not problem:
        _failing.discard(delivery.client_id)
        row.update(delivered_at=now, next_attempt_at=None, leased_until=None, last_error="")
        return True
    _failing.add(delivery.client_id)
    again = now + RETRY_AFTER[delivery.attempts] if delivery.attempts < len(RETRY_AFTER) else None
    # If somebody asked for another try meanwhile, that stays due.
    mine = row.filter(next_attempt_at=delivery.next_attempt_at).update(
        next_attempt_at=again, leased_until=None, last_error=problem[:200]
    )
    if not mine:
        row.update(leased_until=None, last_error=problem[:200])
    logger.warning(
        "logout token for %s not delivered (attempt %s): %s", delivery.client_name, delivery.attempts + 1, problem
    )
    return False


def _send(delivery: LogoutDelivery, token: str, ended: "SimpleQueue[tuple[uuid.UUID, str]]") -> None:
    problem = "the attempt broke off; the server's log says why"
    try:
        problem = _post(delivery, token)
    finally:
        ended.put((delivery.pk, problem))
        queued.set()


def _post(delivery: LogoutDelivery, token: str) -> str:
    """Send the token; what went wrong, or nothing. Any 2xx is well, redirects are not followed."""
    try:
        answer = fetch.fetch(
            delivery.url,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode({"logout_token": token}).encode(),
            allowed=settings.OUTBOUND_ALLOWED_HOSTS_BACKCHANNEL_LOGOUT,
            max_bytes=64 * 1024,
            timeout=TIMEOUT,
            max_redirects=0,
        )
    except fetch.FetchFailed as failed:
        return str(failed)
    return "" if 200 <= answer.status < 300 else f"the app answered {answer.status}"


def _token(delivery: LogoutDelivery) -> str:
    """Section 2.4, signed now; never with a nonce."""
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
