"""Deleting many rows, a few at a time: nobody waits long for a lock, and no transaction grows with the backlog."""

from typing import Any

from django.db.models import QuerySet

SIZE = 500


def delete(rows: "QuerySet[Any]") -> int:
    """Delete ``rows``, ``SIZE`` of them in a transaction; how many rows went, with those that hung on them.

    The table is gone through once, by primary key. Each batch is looked at again while it is deleted, so a row that
    has changed meanwhile, such as a session that was renewed, stays.
    """
    total, last = 0, None
    in_order = rows.order_by("pk")
    while True:
        left = in_order if last is None else in_order.filter(pk__gt=last)
        keys = list(left.values_list("pk", flat=True)[:SIZE])
        if keys:
            total += rows.order_by().filter(pk__in=keys).delete()[0]
        if len(keys) < SIZE:
            return total
        last = keys[-1]
