"""What the steps of one import share."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model

from moving.pocket_id.rows import Row
from moving.pocket_id.sources import Source
from moving.report import Report

Progress = Callable[[str], None]


@dataclass
class Arrival:
    """``keys`` are the texts that may be the old ENCRYPTION_KEY, as files may end with a newline; the one that fits is kept."""

    source: Source
    report: Report
    is_merge: bool
    keys: list[str]
    progress: Progress = lambda _text: None
    encryption_key: str = ""
    algorithm: str = "RS256"
    place: Row | None = None  # the row that was read last
    # Who and what is here now under the id it had there.
    people: dict[UUID, str] = field(default_factory=dict)
    groups: set[UUID] = field(default_factory=set)
    clients: dict[str, int] = field(default_factory=dict)
    new_clients: set[str] = field(default_factory=set)
    permissions: dict[UUID, UUID] = field(default_factory=dict)  # and the API of each
    audiences: set[str] = field(default_factory=set)  # of APIs, as tokens name them
    _had_nuls: set[str] = field(default_factory=set)  # places that were told

    def rows(self, table: str, *order: str) -> Iterator[Row]:
        """The rows of a table; says from time to time how far it has come."""
        total = self.source.tables().get(table, 0)
        said = time.monotonic()
        for number, row in enumerate(self.source.rows(table, *order)):
            self.place = row
            row.on_nul = self._had_nul
            yield row
            if number % 1000 == 999 and time.monotonic() - said > 2:
                said = time.monotonic()
                self.progress(f"{table}: {number + 1} of {total}")

    def _had_nul(self, row: Row, column: str) -> None:
        which = f"{row.table}.{column}: {row.raw('id') or row.raw('key') or '?'}"
        if which not in self._had_nuls:
            self._had_nuls.add(which)
            self.report.change("columns", "nul", which)

    def fitted(self, model: type[Model], column: str, text: str, *, what: str, name: str = "") -> str:
        """The text as long as our column allows."""
        longest: Any = getattr(model._meta.get_field(column), "max_length", None)
        if longest is None or len(text) <= longest:
            return text
        self.report.change(what, "shortened", name or text[:40], detail=str(longest))
        return text[:longest]
