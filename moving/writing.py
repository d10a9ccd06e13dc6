"""Rows by the thousand: written without building an instance for each, and with the times that they had."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import (
    AutoField,
    BigAutoField,
    BooleanField,
    CharField,
    DateTimeField,
    EmailField,
    Model,
    PositiveIntegerField,
    TextField,
    URLField,
    UUIDField,
)
from django.db.models.fields import Field
from django.utils import timezone

from core.search_text import SearchText

BATCH = 1000
_AS_THEY_ARE = frozenset(
    (BigAutoField, BooleanField, CharField, EmailField, PositiveIntegerField, SearchText, TextField, URLField)
)

Prepare = Callable[[Any], Any]


class Writer:
    """Adds rows of one model. What a row does not say is the column's default."""

    def __init__(self, model: type[Model]) -> None:
        self._model = model
        self._columns: list[tuple[Field[Any, Any], Prepare]] = []
        self._rows: list[list[Any]] = []
        self._statement = ""
        self.count = 0

    def add(self, **values: Any) -> None:  # noqa: ANN401 - as the columns take them
        """Values by ``attname``. All rows of a writer name the same auto-increment key, or none of them does."""
        if not self._statement:
            self._begin(values)
        self._rows.append([prepare(self._value(field, values)) for field, prepare in self._columns])
        self.count += 1
        if len(self._rows) >= BATCH:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            with connection.cursor() as cursor:
                cursor.executemany(self._statement, self._rows)
            self._rows.clear()

    def _begin(self, values: dict[str, Any]) -> None:
        quote = connection.ops.quote_name
        fields = [
            field
            for field in self._model._meta.concrete_fields
            if not isinstance(field, AutoField) or field.attname in values
        ]
        columns = ", ".join(quote(str(field.column)) for field in fields)
        self._columns = [(field, _preparation(field)) for field in fields]
        places = ", ".join(["%s"] * len(fields))
        self._statement = f"INSERT INTO {quote(self._model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608 - names of our models

    def _value(self, field: "Field[Any, Any]", values: dict[str, Any]) -> Any:  # noqa: ANN401
        if isinstance(field, SearchText):  # also where an older program wrote the rows
            return field.made_of(values)
        return values[field.attname] if field.attname in values else self._default(field)

    def _default(self, field: "Field[Any, Any]") -> Any:  # noqa: ANN401
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            return timezone.now()
        return field.get_default()


def _preparation(field: "Field[Any, Any]") -> Prepare:
    """What makes of a value what the database takes: Django's own, by a shorter way for the kinds there are most of."""
    database = connections[DEFAULT_DB_ALIAS]  # not the proxy, which is asked a million times what it stands for
    target: Any = getattr(field, "target_field", field)
    if type(target) in _AS_THEY_ARE:
        return lambda value: value
    if type(target) is DateTimeField:
        return lambda value: value if value is None else database.ops.adapt_datetimefield_value(value)
    if type(target) is UUIDField and not database.features.has_native_uuid_field:
        return lambda value: value if value is None else value.hex
    return lambda value: field.get_db_prep_save(value, database)


@contextmanager
def writing(model: type[Model]) -> Iterator[Writer]:
    """A writer whose last rows are written at the end."""
    writer = Writer(model)
    yield writer
    writer.flush()
