"""From a row of SQL written by hand back to a model's instance, for the few reads whose ORM costs more than they do."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)


class Columns(Generic[M]):
    """All columns of ``model`` under ``alias``, in the order in which ``instance`` takes their values.

    Asked of the model, so that a new field cannot be forgotten in the statement.
    """

    def __init__(self, model: type[M], alias: str) -> None:
        fields = model._meta.concrete_fields
        self.model = model
        self.sql = ", ".join(f"{alias}.{connection.ops.quote_name(str(field.column))}" for field in fields)
        self._names = [field.attname for field in fields]
        self._converters: list[tuple[int, Callable[..., Any], Any]] = []
        for place, field in enumerate(fields):
            column = field.get_col(alias)
            for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
                self._converters.append((place, convert, column))

    def __len__(self) -> int:
        return len(self._names)

    def instance(self, values: Sequence[Any]) -> M:
        converted = list(values)
        for place, convert, column in self._converters:
            converted[place] = convert(converted[place], column, connection)
        return self.model.from_db("default", self._names, converted)
