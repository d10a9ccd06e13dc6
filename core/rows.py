"""From a row of SQL written by hand back to a model's instance, and the values of such statements.

For the few reads and writes whose ORM costs more than they do.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection, connections
from django.db.models import DateTimeField, Model
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)


class Columns(Generic[M]):
    """All columns of ``model`` under ``alias``, in the order in which ``instance`` takes their values.

    Asked of the model, so that a new field cannot be forgotten in the statement.
    """

    def __init__(self, model: type[M], alias: str) -> None:
        fields = model._meta.concrete_fields
        self.model = model
        self._alias = connection.alias
        self.sql = ", ".join(f"{alias}.{connection.ops.quote_name(str(field.column))}" for field in fields)
        self._names = [field.attname for field in fields]
        self._times = [field.attname for field in fields if isinstance(field, DateTimeField)]
        self._converters: list[tuple[str, Callable[..., Any], Any]] = []
        for field in fields:
            if isinstance(field, DateTimeField):
                continue
            column = field.get_col(alias)
            for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
                self._converters.append((field.attname, convert, column))

    def __len__(self) -> int:
        return len(self._names)

    def instance(self, values: Sequence[Any]) -> M:
        """What ``Model.from_db`` makes of them, without the signals of making an instance."""
        made = self.model.__new__(self.model)
        made._state = ModelState()
        made._state.adding, made._state.db = False, self._alias
        state = made.__dict__
        state.update(zip(self._names, values, strict=True))
        for name in self._times:
            if (value := state[name]) is not None:
                state[name] = as_aware(value)
        database = connections[self._alias]  # of this thread; the proxy asks for it again and again
        for name, convert, column in self._converters:
            state[name] = convert(state[name], column, database)
        return made


# Django's own conversions ask its settings each time, and take ten times as long.


@cache
def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def to_uuid(value: UUID) -> UUID | str:
    return value.hex if is_sqlite() else value


def stored_uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def to_time(value: datetime) -> Any:  # noqa: ANN401 - text on SQLite, a datetime on PostgreSQL
    """``value``, which is aware, as the database keeps it: on SQLite text in UTC."""
    return str(value.astimezone(UTC).replace(tzinfo=None)) if is_sqlite() else value


def as_aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
