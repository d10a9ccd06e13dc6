"""What happened on the old server, with its times."""

from typing import Any

from django.db.models import Max

from audit.models import Entry
from moving.pocket_id.arrival import Arrival
from moving.pocket_id.rows import Row
from moving.writing import writing


def bring(arrival: Arrival) -> None:
    """The log has no ids of its own: with ``--merge`` an entry is there if one of before says the very same."""
    last = Entry.objects.aggregate(last=Max("id"))["last"] or 0 if arrival.is_merge else 0
    with writing(Entry) as writer:
        for row in arrival.rows("audit_logs", "created_at"):
            entry = _entry(arrival, row)
            if last and Entry.objects.filter(id__lte=last, **_same(entry)).exists():
                arrival.report.already_there["audit"] += 1
            else:
                writer.add(**entry)
    arrival.report.came["audit"] += writer.count


def _entry(arrival: Arrival, row: Row) -> dict[str, Any]:
    data = row.json("data")
    # Sorted, because the same facts come in another order from PostgreSQL, and text is compared.
    data = {str(key): str(value) for key, value in sorted(data.items())} if isinstance(data, dict) else {}
    user = row.uuid_or_none("user_id")
    address = row.address("ip_address")
    if address is None and row.text("ip_address"):
        data["ipAddress"] = row.text("ip_address")
    if user is not None and user not in arrival.people:
        data["userID"] = str(user)  # who did not come
    return {
        "created_at": row.when(),
        "event": row.text("event")[:40],
        "user_id": user if user in arrival.people else None,
        "username": arrival.people.get(user, "") if user else "",
        "actor_username": data.get("actorUsername", "")[:50],
        "ip_address": address,
        "country": row.text("country")[:100],
        "city": row.text("city")[:100],
        "user_agent": row.text("user_agent")[:512],
        "data": data,
        "client_name": data.get("clientName", "")[:100],
    }


def _same(entry: dict[str, Any]) -> dict[str, Any]:
    names = ("created_at", "event", "user_id", "ip_address", "data")
    return {name: entry[name] for name in names}
