"""Writing the audit log: one explicit call below the event it tells of."""

import logging
from typing import TYPE_CHECKING

from django.http import HttpRequest

from audit import places
from audit.models import Entry, Event
from core.http import client_ip, user_agent

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger("pocketid.audit")


def record(
    event: Event, *, user: "User | None", request: HttpRequest | None, actor: "User | None" = None, **data: str
) -> None:
    """Add an entry. ``data`` are facts worth reading later, never secrets."""
    entry = Entry(
        event=event,
        user=user,
        username=user.username if user else "",
        actor_username=actor.username if actor else "",
        data=data,
    )
    if request is not None:
        entry.ip_address, entry.user_agent = client_ip(request) or None, user_agent(request)
        entry.country, entry.city = places.of(entry.ip_address)
    entry.save(force_insert=True)
    logger.info("%s %s %s", event.value, entry.username or "-", data or "")
