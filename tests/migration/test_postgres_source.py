"""A Pocket ID that keeps its data in PostgreSQL: the same rows in that database's own types."""

import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import psycopg
import psycopg.sql
import pytest
from psycopg.types.json import Jsonb

from tests.migration.former import VERSIONS, Former

pytestmark = pytest.mark.postgres
JSON = {
    "callback_urls",
    "logout_callback_urls",
    "credentials",
    "transport",
    "request_data",
    "data",
    "metadata_grant_types",
}
BYTES = {"credential_id", "public_key", "actor_state_data"}
# Ids of clients are text, as administrators choose them.
UUIDS = {"user_id", "user_group_id", "api_id", "api_permission_id", "created_by_id"}


def kind_of(table: str, column: str, value: Any) -> str:
    if column in BYTES:
        return "bytea"
    if column in JSON or (column == "scope" and not str(value).startswith("openid")):
        return "jsonb"
    if column.endswith("_at"):
        return "timestamptz"
    if column == "ip_address":
        return "inet"
    if column in UUIDS or (column == "id" and table != "oidc_clients"):
        return "uuid"
    if isinstance(value, bool):
        return "boolean"
    return "bigint" if isinstance(value, int) else "text"


def as_stored(kind: str, value: Any) -> Any:
    if value is None or kind not in ("bytea", "jsonb"):
        return value
    raw = value if isinstance(value, bytes) else base64.b64decode(value)
    return raw if kind == "bytea" else Jsonb(json.loads(raw))


def fill(url: str, former: Former, folder: Path) -> None:
    """Put the installation into the database at ``url``."""
    with ZipFile(former.export) as archive:
        document = json.loads(archive.read("database.json"))
    tables: dict[str, list[dict[str, Any]]] = document["tables"]
    tables["schema_migrations"] = [{"version": document["version"], "dirty": False}]
    with closing(sqlite3.connect(former.data_directory(folder) / "pocket-id.db")) as data:
        if data.execute("SELECT 1 FROM sqlite_master WHERE name = 'francis_actor_state'").fetchone():
            names = ("actor_type", "actor_id", "actor_state_data")
            found = data.execute(f"SELECT {', '.join(names)} FROM francis_actor_state").fetchall()
            tables["francis_actor_state"] = [dict(zip(names, row, strict=True)) for row in found]
    with psycopg.connect(url) as connection:
        for table, rows in tables.items():
            columns = {
                name: kind_of(table, name, next((row[name] for row in rows if row[name] is not None), None))
                for name in rows[0]
            }
            names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, columns))
            kinds = psycopg.sql.SQL(", ").join(
                psycopg.sql.SQL("{} {}").format(psycopg.sql.Identifier(name), psycopg.sql.SQL(kind))
                for name, kind in columns.items()
            )
            connection.execute(psycopg.sql.SQL("CREATE TABLE {} ({})").format(psycopg.sql.Identifier(table), kinds))
            insert = psycopg.sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                psycopg.sql.Identifier(table),
                names,
                psycopg.sql.SQL(", ").join([psycopg.sql.Placeholder()] * len(columns)),
            )
            for row in rows:
                connection.execute(insert, [as_stored(kind, row[name]) for name, kind in columns.items()])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_database_gives_what_the_export_gives(take, live_database: str, tmp_path: Path, version: str) -> None:
    if not live_database:
        pytest.skip("only with --postgres")
    former = Former(version)
    fill(live_database, former, tmp_path)
    expected = take(former.export, former, is_dry_run=True)
    name = psycopg.sql.Identifier(live_database.rpartition("/")[2])
    with psycopg.connect(live_database, autocommit=True) as operator:
        for setting, value in {
            "DateStyle": "German",
            "IntervalStyle": "iso_8601",
            "client_encoding": "LATIN1",
            "idle_in_transaction_session_timeout": "1ms",
        }.items():
            change = psycopg.sql.SQL("ALTER DATABASE {} SET {} = {}")
            operator.execute(change.format(name, psycopg.sql.Identifier(setting), psycopg.sql.Literal(value)))
    without = take(live_database, former, is_dry_run=True)
    assert ("logos", "no file") in {(line.what, line.reason) for line in without.left_out}
    assert any("--uploads" in note for note in without.notes)
    report = take(live_database, former, uploads=tmp_path / "data" / "uploads")
    assert report.came == expected.came
    assert report.source["kind"] == "Pocket ID PostgreSQL database"
    with psycopg.connect(live_database, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (3,)
