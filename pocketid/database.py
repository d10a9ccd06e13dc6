"""The database at the start: is it ours, and is it up to date? A stranger's is refused and left as it is."""

import contextlib
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from pocketid.env import POCKET_ID_DATABASE, Environment

OUR_TABLES = frozenset(("django_migrations", "siteconfig_siteconfiguration"))
MIGRATING = 0x706F636B65746964  # "pocketid" as a number: the advisory lock of whoever migrates


class ForeignDatabase(Exception):
    """The text is the one line the operator sees."""


def refuse_strangers(environment: Environment) -> None:
    """Raise ``ForeignDatabase`` unless the database is ours or empty. SQLite files are opened read-only for the look."""
    path = environment.database.path
    tables = _sqlite_tables(path) if path is not None else set(connection.introspection.table_names())
    if not tables or _are_ours(tables):
        return
    where = str(path) if path is not None else f"{environment.database.host}/{environment.database.name}"
    what = (
        "a Pocket ID database"
        if {"oidc_clients", "webauthn_credentials"} <= tables
        else "the database of another program"
    )
    raise ForeignDatabase(f"{where} holds {what}. It was left as it is; set DB_CONNECTION_STRING to another place.")


def notice_pocket_id(environment: Environment) -> str:
    """What to tell somebody whose data folder holds a Pocket ID database beside none of ours; empty otherwise."""
    old, own = environment.data_path / POCKET_ID_DATABASE, environment.database.path
    if own is None or own.exists() or not old.exists():
        return ""
    return (
        f"{old} is a Pocket ID database. It is left alone: this server starts empty beside it. "
        f"To take everything from it: pocketid import {shlex.quote(str(environment.data_path))}"
    )


def migrate() -> None:
    """Apply the migrations that are missing; nothing is written when none is."""
    with _alone():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)


def hold_open() -> None:
    """Keep a connection of this process, so that whoever has to be alone sees a server also before anybody asked it anything.

    A database that is away for the moment is no reason not to start.
    """
    with contextlib.suppress(DatabaseError):
        connection.ensure_connection()


def is_used_by_others(environment: Environment) -> bool:
    """Whether another process, such as a server, has the database open at this moment."""
    path = environment.database.path
    if path is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend')"
            )
            (is_used,) = cursor.fetchone()
            return bool(is_used)
    connection.close()
    with contextlib.closing(sqlite3.connect(path, timeout=1)) as alone:
        try:  # SQLite lets nobody leave the write-ahead log while somebody else has the file open.
            alone.execute("PRAGMA journal_mode = DELETE")
            alone.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            return True
    return False


def _sqlite_tables(path: Path) -> set[str]:
    if not path.exists() or path.stat().st_size == 0:
        return set()
    # As a URI, so that no character of the path means anything; immutable, so that nothing is made beside it.
    source = f"{path.resolve().as_uri()}?mode=ro" + ("" if _has_wal(path) else "&immutable=1")
    try:
        with contextlib.closing(sqlite3.connect(source, uri=True)) as found:
            return {name for (name,) in found.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    except sqlite3.DatabaseError:
        raise ForeignDatabase(
            f"{path} is not an SQLite database. It was left as it is; set DB_CONNECTION_STRING to another place."
        ) from None


def _are_ours(tables: set[str]) -> bool:
    """Also when the first migration was interrupted: then there is nothing that it would not have made."""
    if tables >= OUR_TABLES:
        return True
    known = {*connection.introspection.django_table_names(only_existing=False), "django_migrations", "sqlite_sequence"}
    return "django_migrations" in tables and tables <= known


def _has_wal(path: Path) -> bool:
    """Whether another process may have the database open: then what it wrote last is in this file."""
    wal = path.with_name(path.name + "-wal")
    return wal.exists() and wal.stat().st_size > 0


@contextmanager
def _alone() -> Iterator[None]:
    """One node at a time on PostgreSQL. SQLite has one node."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        # Limits that suit requests would cut a migration off, and whoever waits for the end of one.
        cursor.execute("SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)")
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATING])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATING])
            cursor.execute("RESET statement_timeout")
            cursor.execute("RESET lock_timeout")
