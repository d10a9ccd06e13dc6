"""The private PostgreSQL itself."""

from pathlib import Path

import psycopg

from tests.support.postgres import Postgres


def test_each_database_is_new_and_nothing_is_left_behind() -> None:
    with Postgres() as postgres:
        for name in ("one", "two"):
            with psycopg.connect(postgres.create_database(name)) as connection:
                connection.execute("CREATE TABLE thing (id integer)")
        directory = Path(postgres._directory)
        assert directory.exists()
    assert not directory.exists()
