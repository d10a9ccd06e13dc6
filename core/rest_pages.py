"""Which rows are on a page of a list, and how many there are, without walking over more of a large table than need be."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Q, QuerySet

from core.related_rows import belonging

Rows = QuerySet[Any]

NEAR, FEW, FAR = 100, 500, 1000  # rows
_MANY, _MAX_QUESTIONS, _MAX_MARKS = 10_000, 1000, 50
# Rows that come in may be seen in another order than they are in; those that this many came in after are all there.
_SETTLED = 100
Place = tuple[Any, ...]  # of a row: what it has in the columns that the order is by
# Until when, how many there were, and a row near the first, those before which are counted anew.
_counts: dict[str, tuple[float, int, Place]] = {}
# Rows that were walked to, while a count is good for: how far each is from the last row, and its place in the order.
_marks: dict[str, tuple[float, list[tuple[int, Place]]]] = {}


@dataclass(frozen=True)
class Length:
    """How many rows there are. ``until`` says how long what was learned on the way may be used; 0: not at all."""

    total: int
    until: float = 0


def length_of(rows: Rows, *, order: tuple[str, ...], good_for: float) -> Length:
    """How many rows there are. Thousands are counted once in ``good_for`` seconds, and after that only those that are new.

    ``order`` names the columns that new rows come first in the order of, the last of them the key. What is new must be
    counted: pages are found from whichever end is nearer, and would leave out as many rows where they meet.
    """
    if not good_for:
        return Length(rows.count())
    rows = rows.order_by(*order)
    try:
        question, now = _question(rows), time.monotonic()
    except EmptyResultSet:  # asks for what no row can be
        return Length(0)
    until, settled, place = _counts.get(question, (0.0, 0, ()))
    if now < until:
        return Length(settled + _beyond(rows, order, place, is_reversed=True).count(), until)
    # In this sequence, so that what comes in meanwhile is counted twice rather than never.
    near = rows.values_list(*_names(order))[_SETTLED : _SETTLED + 1]
    if not (found := list(near)):
        return Length(rows.count())
    new = _beyond(rows, order, found[0], is_reversed=True).count()
    total = rows.count()
    if total < _MANY:
        return Length(total)
    if len(_counts) >= _MAX_QUESTIONS:
        _counts.clear()
    _counts[question] = (now + good_for, total - new, found[0])
    return Length(total, now + good_for)


def few_keys(rows: Rows) -> list[Any] | None:
    """The keys of all rows in their order, as the database has them, or ``None`` if there are more than ``FEW``.

    A search reads the whole table when it finds little: once for the number and for the page. When it finds much, it is soon
    over, and so is what is asked then.
    """
    try:
        sql, parameters = rows.values_list("pk")[: FEW + 1].query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        keys = [key for key, *_order in cursor.fetchall()]
    return keys if len(keys) <= FEW else None


def window(rows: Rows, start: int, stop: int, length: Length, *, order: tuple[str, ...] = ()) -> Iterable[Any]:
    """Rows ``start`` to ``stop``: by key first; far from the beginning, from whichever end is nearer.

    Databases walk over every row that a page leaves out: over keys alone that is an index, over whole rows the table. And
    what is counted for each row is counted before they sort. The rows themselves are then read by a statement that is not
    made anew, which costs less than the detour. Where ``order`` names the columns that the rows are in the order
    of, the last of them the key, the walk goes on from a row that another page began after, as long as the length is good for.
    """
    if start < min(NEAR, FAR) and rows.query.select_related:
        return rows[start:stop]
    total = length.total
    is_nearer_the_end = start >= FAR and start > total - stop
    if is_nearer_the_end:
        rows_from_there, start, stop = rows.reverse(), total - stop, total - start
    else:
        rows_from_there = rows
    if order and length.until and start >= FAR:
        keys = _keys_by_marks(rows_from_there, start, stop, length, order=order, is_reversed=is_nearer_the_end)
    else:
        keys = list(rows_from_there.values_list("pk", flat=True)[start:stop])
    return of_keys(rows, keys[::-1] if is_nearer_the_end else keys)


def of_keys(rows: Rows, wanted: list[Any]) -> list[Any]:
    """Rows in the order of their keys; those that are gone are left out."""
    key: Any = rows.model._meta.pk
    wanted = [key.to_python(each) for each in wanted]
    found = rows.order_by().in_bulk(wanted) if _bring_more(rows) else dict(belonging(rows.model, key.column, wanted))
    return [found[each] for each in wanted if each in found]


def _bring_more(rows: Rows) -> bool:
    """Whether the rows come with more than their own columns: what is worked out for each, or rows of other tables."""
    prefetched: tuple[object, ...] = rows._prefetch_related_lookups  # type: ignore[attr-defined] # Django tells it nowhere else
    return bool(rows.query.annotation_select or rows.query.select_related or prefetched)


def _keys_by_marks(
    rows: Rows, start: int, stop: int, length: Length, *, order: tuple[str, ...], is_reversed: bool
) -> list[Any]:
    """The keys of a page; leaves a mark at the row before it if it was far to go."""
    question = _question(rows)
    until, marks = _marks.get(question, (0.0, []))
    if until != length.until:
        marks = []
    # New rows come in before the first: what is remembered is the way from the last, which they do not make longer.
    all_of_them = 0 if is_reversed else length.total
    skipped, place = max(
        ((all_of_them + way, place) for way, place in marks if all_of_them + way <= start),
        key=lambda mark: mark[0],
        default=(0, ()),
    )
    if place:
        rows = _beyond(rows, order, place, is_reversed=is_reversed)
    is_new = start - skipped >= FAR
    found = list(rows.values_list(*_names(order))[start - skipped - is_new : stop - skipped])
    if is_new and found:
        if len(_marks) >= _MAX_QUESTIONS:
            _marks.clear()
        _marks[question] = (length.until, [*marks[-_MAX_MARKS + 1 :], (start - all_of_them, found.pop(0))])
    return [each[-1] for each in found]


def _beyond(rows: Rows, order: tuple[str, ...], place: Place, *, is_reversed: bool) -> Rows:
    """Those of ``rows`` that are after ``place`` in the order, or before it."""
    first, key = _names(order)
    beyond = "lt" if order[0].startswith("-") != is_reversed else "gt"
    # The first condition is what an index can be entered by; OR alone would be read from its beginning.
    rows = rows.filter(**{f"{first}__{beyond}e": place[0]})
    return rows.filter(Q(**{f"{first}__{beyond}": place[0]}) | Q(**{f"{key}__{beyond}": place[1]}))


def _names(order: tuple[str, ...]) -> list[str]:
    return [name.lstrip("-") for name in order]


def _question(rows: Rows) -> str:
    """What tells one question from another: with its values apart, for a value may read as two."""
    return repr(rows.query.sql_with_params())
