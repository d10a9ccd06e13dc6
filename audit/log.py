"""Writing the audit log: one explicit call below the event it tells of."""

import logging
from typing import TYPE_CHECKING

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from audit import places
from audit.models import Event
from core.http import client_ip, user_agent
from core.rows import to_time, to_uuid

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger("pocketid.audit")

_INSERT = """INSERT INTO audit_entry (created_at, event, user_id, username, actor_username, ip_address, country, city, user_agent, data, client_name)
 VALUES (%(created_at)s, %(event)s, %(user)s, %(username)s, %(actor_username)s, %(ip_address)s, %(country)s, %(city)s, %(user_agent)s, %(data)s, %(client_name)s)"""


def record(
    event: Event, *, user: "User | None", request: HttpRequest | None, actor: "User | None" = None, **data: str
) -> None:
    """Add an entry. ``data`` are facts worth reading later, never secrets."""
    username = user.username if user else ""
    address = client_ip(request) or None if request is not None else None
    country, city = places.of(address)
    # By hand: it is in the transaction of every code that is given, and the ORM takes ten times as long to build it.
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "created_at": to_time(timezone.now()),
                "event": event.value,
                "user": to_uuid(user.pk) if user else None,
                "username": username,
                "actor_username": actor.username if actor else "",
                "ip_address": connection.ops.adapt_ipaddressfield_value(address),
                "country": country,
                "city": city,
                "user_agent": user_agent(request) if request is not None else "",
                "data": connection.ops.adapt_json_value(data, None),
                "client_name": data.get("clientName", "")[:100],
            },
        )
    logger.info("%s %s %s", event.value, username or "-", data or "")
