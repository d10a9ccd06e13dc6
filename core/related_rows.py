"""Rows that belong to the rows of a page: one statement for each kind of them, written by hand.

Django's own way makes a query anew for each page, which takes longer than the database needs for it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Model

from core.rows import Columns, is_sqlite

M = TypeVar("M", bound=Model)
Pairs = list[tuple[Any, M]]


def belonging(model: type[M], owner: str, keys: Iterable[Any], *, order: str = "id") -> Pairs[M]:
    """(key, row) for each row of ``model`` whose column ``owner`` holds one of ``keys``. ``order`` is of SQL."""
    given = _by_column(keys)
    if not given:
        return []
    columns = _columns(model)
    sql = f"SELECT r.{owner}, {columns.sql} FROM {_table(model)} r WHERE r.{owner} {_among()} ORDER BY {order}"  # noqa: S608 - names of our models
    return [(given[row[0]], columns.instance(row[1:])) for row in _select(sql, given)]


def linked(
    through: type[Model], owner: str, model: type[M], target: str, keys: Iterable[Any], *, order: str
) -> Pairs[M]:
    """(key, row) for each row of ``model`` that the table ``through`` links with one of ``keys``; each row is made once.

    ``order`` is of SQL, with ``r`` for the rows and ``t`` for the links; ``+t.id`` keeps SQLite from going through all links
    in the order of their key.
    """
    given = _by_column(keys)
    if not given:
        return []
    columns = _columns(model)
    sql = (
        f"SELECT t.{owner}, t.{target}, {columns.sql} FROM {_table(through)} t JOIN {_table(model)} r ON r.id = t.{target}"  # noqa: S608 - as above
        f" WHERE t.{owner} {_among()} ORDER BY {order}"
    )
    made: dict[Any, M] = {}
    pairs = []
    for row in _select(sql, given):
        found = made.get(row[1])
        if found is None:
            found = made[row[1]] = columns.instance(row[2:])
        pairs.append((given[row[0]], found))
    return pairs


def selected(sql: str, keys: Iterable[Any]) -> list[tuple[Any, ...]]:
    """What a statement of one's own gives: (key, other columns). Each ``{among}`` in it stands for one of ``keys``."""
    given = _by_column(keys)
    if not given:
        return []
    rows = _select(sql.replace("{among}", _among()), given, times=sql.count("{among}"))
    return [(given[row[0]], *row[1:]) for row in rows]


def relate(rows: Iterable[Any], name: str, pairs: Iterable[tuple[Any, Any]]) -> None:
    """Let each of ``rows`` have what ``pairs`` give its key, in their order, as if it had been prefetched."""
    of: dict[Any, list[Any]] = defaultdict(list)
    for key, each in pairs:
        of[key].append(each)
    for row in rows:
        row.__dict__.setdefault("_prefetched_objects_cache", {})[name] = of[row.pk]


@cache
def _columns(model: type[M]) -> Columns[M]:
    return Columns(model, "r")


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _among() -> str:
    """One parameter for any number of keys: a statement whose text is always the same is prepared once."""
    return "IN (SELECT value FROM json_each(%s))" if is_sqlite() else "= ANY(%s)"


def _by_column(keys: Iterable[Any]) -> dict[Any, Any]:
    """Each key by what its column holds."""
    if is_sqlite():
        return {key.hex if isinstance(key, UUID) else key: key for key in keys}
    return {key: key for key in keys}


def _select(sql: str, given: dict[Any, Any], *, times: int = 1) -> Sequence[tuple[Any, ...]]:
    keys = list(given)
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(keys) if is_sqlite() else keys] * times)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
