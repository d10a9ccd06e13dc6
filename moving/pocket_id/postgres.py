"""A Pocket ID PostgreSQL database. It is read in one transaction that cannot write, so that it may go on serving."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import psycopg.sql
from psycopg.rows import dict_row

from moving.errors import CannotMove
from moving.pocket_id.rows import Row
from moving.pocket_id.sources import Actor, File, Source, unpacked
from moving.pocket_id.sqlite import files_below, stored_files

_BATCH = 2000
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"

# What its operator may have set otherwise. Times in another style cannot be read, and moving takes as long as it takes.
_SET_UP = (
    "SELECT set_config('DateStyle', 'ISO, MDY', false), set_config('IntervalStyle', 'postgres', false),"
    " set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false)"
)


class PostgresSource(Source):
    kind = "Pocket ID PostgreSQL database"

    def __init__(self, url: str, uploads: Path | None = None) -> None:
        self._uploads = uploads
        try:
            self._connection = psycopg.connect(url, connect_timeout=10, client_encoding="UTF8", autocommit=True)
            self._connection.execute(_SET_UP)
            self._connection.autocommit = False
            self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._connection.read_only = True
            self._counts = self._count()
        except psycopg.Error as problem:
            # The driver's text names host, user and database, and no password.
            raise CannotMove(f"The Pocket ID database cannot be read: {str(problem).strip()}") from None

    def close(self) -> None:
        self._connection.close()

    @property
    def schema(self) -> int:
        return next((row.number("version") for row in self.rows("schema_migrations")), 0)

    def tables(self) -> Mapping[str, int]:
        return self._counts

    def rows(self, table: str, *order: str) -> Iterator[Row]:
        if table not in self._counts:
            return
        statement = psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(table))
        if order:
            columns = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, order))
            statement = psycopg.sql.SQL("{} ORDER BY {}").format(statement, columns)
        with self._connection.cursor(name=f"rows of {table}", row_factory=dict_row) as cursor:
            cursor.itersize = _BATCH
            for values in cursor.execute(statement):
                yield Row(table, values)

    def actors(self) -> Iterator[Actor]:
        for row in self.rows("francis_actor_state"):
            yield unpacked(row.text("actor_type"), row.text("actor_id"), row.blob("actor_state_data"))

    def files(self) -> Iterator[File]:
        yield from stored_files(self)
        if self._uploads is not None:
            yield from files_below(self._uploads)

    def _count(self) -> dict[str, int]:
        with self._connection.cursor() as cursor:
            names = [name for (name,) in cursor.execute(_TABLES).fetchall()]
            statement = psycopg.sql.SQL("SELECT count(*) FROM {}")
            counts = {}
            for name in names:
                found = cursor.execute(statement.format(psycopg.sql.Identifier(name))).fetchone()
                counts[name] = found[0] if found else 0
        return counts
