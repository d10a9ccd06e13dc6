"""Which rows are on a page of a list, and how many there are, without walking over more of a large table than need be."""

import time
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Q, QuerySet

Rows = QuerySet[Any]

FAR = 1000  # rows
_MANY, _MAX_QUESTIONS, _MAX_MARKS = 10_000, 1000, 50
_counts: dict[str, tuple[float, int]] = {}  # until when, how many
# Rows that were walked to: how many there are up to each, and its place in the order.
_marks: dict[str, tuple[float, list[tuple[int, tuple[Any, ...]]]]] = {}


def total_of(rows: Rows, *, good_for: float) -> int:
    """How many rows there are. Where there are thousands, as it was up to ``good_for`` seconds ago."""
    if not good_for:
        return rows.count()
    try:
        question, now = str(rows.order_by().query), time.monotonic()
    except EmptyResultSet:  # asks for what no row can be
        return 0
    until, total = _counts.get(question, (0.0, 0))
    if now < until:
        return total
    total = rows.count()
    if total >= _MANY:
        if len(_counts) >= _MAX_QUESTIONS:
            _counts.clear()
        _counts[question] = (now + good_for, total)
    return total


def window(
    rows: Rows, start: int, stop: int, total: int, *, order: tuple[str, ...] = (), good_for: float = 0
) -> Iterable[Any]:
    """Rows ``start`` to ``stop``. Far from the beginning by key first, and from whichever end is nearer.

    Databases walk over every row that a page leaves out: over keys alone that is an index, over whole rows the table. And
    what is counted for each row is counted before they sort. Where ``order`` names the columns that the rows are in the order
    of, the last of them the key, the walk goes on from a row that another page ended with up to ``good_for`` seconds ago.
    """
    if start < FAR and not rows.query.annotation_select:
        return rows[start:stop]
    is_nearer_the_end = start > total - stop
    if is_nearer_the_end:
        rows_from_there, start, stop = rows.reverse(), total - stop, total - start
    else:
        rows_from_there = rows
    if order and good_for and start >= FAR:
        keys = _keys_by_marks(
            rows_from_there, start, stop, order=order, is_reversed=is_nearer_the_end, good_for=good_for
        )
    else:
        keys = list(rows_from_there.values_list("pk", flat=True)[start:stop])
    return of_keys(rows, keys[::-1] if is_nearer_the_end else keys)


def of_keys(rows: Rows, wanted: list[Any]) -> list[Any]:
    """Rows in the order of their keys; those that are gone are left out."""
    found = rows.order_by().in_bulk(wanted)
    return [found[key] for key in wanted if key in found]


def _keys_by_marks(
    rows: Rows, start: int, stop: int, *, order: tuple[str, ...], is_reversed: bool, good_for: float
) -> list[Any]:
    """The keys of a page; leaves a mark at the row before it if it was far to go."""
    names = [name.lstrip("-") for name in order]
    first, key = names
    question, now = str(rows.query), time.monotonic()
    until, marks = _marks.get(question, (0.0, []))
    if now >= until:
        until, marks = now + good_for, []
    skipped, place = max((mark for mark in marks if mark[0] <= start), key=lambda mark: mark[0], default=(0, ()))
    if place:
        beyond = "lt" if order[0].startswith("-") != is_reversed else "gt"
        # The first condition is what an index can be entered by; OR alone would be read from its beginning.
        rows = rows.filter(**{f"{first}__{beyond}e": place[0]})
        rows = rows.filter(Q(**{f"{first}__{beyond}": place[0]}) | Q(**{f"{key}__{beyond}": place[1]}))
    is_new = start - skipped >= FAR
    found = list(rows.values_list(*names)[start - skipped - is_new : stop - skipped])
    if is_new and found:
        if len(_marks) >= _MAX_QUESTIONS:
            _marks.clear()
        _marks[question] = (until, [*marks[-_MAX_MARKS + 1 :], (start, found.pop(0))])
    return [each[1] for each in found]
