"""Connections to PostgreSQL: whatever its operator has set for others, and whatever cuts them; real servers both."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

import psycopg
import pytest
import requests
from psycopg import sql

from tests.support.authenticator import Authenticator
from tests.support.credential import ES256
from tests.support.http_browser import HttpBrowser
from tests.support.postgres import Postgres
from tests.support.server import Server

THREADS = 3
SMALL = {"WORKERS": "1", "THREADS": str(THREADS), "DISABLE_RATE_LIMITING": "true", "LOG_LEVEL": "warn"}


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


@contextmanager
def served(postgres: Postgres, settings: dict[str, str]) -> Iterator[Server]:
    """A server on a database of its own for which these settings hold."""
    name = f"case_{uuid4().hex}"
    url = postgres.create_database(name)
    with psycopg.connect(postgres.connection_string, autocommit=True) as operator:
        for setting, value in settings.items():
            operator.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)
                )
            )
    with Server(database_url=url, environment=SMALL) as server:
        yield server


@pytest.mark.parametrize(
    "settings",
    [
        {
            "DateStyle": "German",
            "IntervalStyle": "iso_8601",
            "TimeZone": "Asia/Kathmandu",
            "bytea_output": "escape",
            "standard_conforming_strings": "off",
            "client_encoding": "LATIN1",
        },
        {
            "DateStyle": "SQL, DMY",
            "IntervalStyle": "sql_standard",
            "default_transaction_isolation": "serializable",
            "default_transaction_read_only": "on",
            "default_transaction_deferrable": "on",
        },
        {
            "DateStyle": "Postgres, MDY",
            "default_transaction_isolation": "repeatable read",
            "statement_timeout": "20ms",
            "lock_timeout": "20ms",
        },
    ],
    ids=lambda settings: settings["DateStyle"],
)
def test_it_works_whatever_the_operator_has_set_for_the_database(postgres: Postgres, settings: dict[str, str]) -> None:
    with served(postgres, settings) as server:
        alice, device = HttpBrowser(server.base_url), Authenticator(server.base_url, algorithms=(ES256,))
        alice.set_up(device)
        assert alice.sign_in(device).status_code == 200
        alice.register_client("Wiki \\' ☕", "https://wiki.example.org/cb")
        for page in (
            "/settings/account",
            "/settings/audit-log",
            "/admin/",
            "/admin/audit/entry/",
            "/admin/oidc/client/",
        ):
            assert alice.get(page).status_code == 200, page
        # Times come back as they were, with their zone.
        (passkey,) = alice.get("/api/webauthn/credentials").json()
        assert abs(time.time() - _seconds(passkey["createdAt"])) < 60
        found = alice.get("/api/audit-logs/all?pagination[limit]=100").json()["data"]
        assert {entry["username"] for entry in found} == {"alice"}
        with ThreadPoolExecutor(8) as crowd:  # who change the same row: none loses to the isolation of the others
            new = [{"username": f"u{n}", "firstName": "U", "email": f"u{n}@example.org"} for n in range(16)]
            cookies = alice.session.cookies.get_dict()

            def make(body: dict[str, str]) -> int:
                return requests.post(
                    f"{server.base_url}/api/users", json=body, headers=_cookie(cookies), timeout=20
                ).status_code

            assert set(crowd.map(make, new)) == {201}
        done = server.run("one-time-access-token", "alice")
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in server.log + done.stderr


def test_a_second_server_waits_for_the_migrations_of_the_first_longer_than_a_statement_may_take(
    postgres: Postgres,
) -> None:
    with served(postgres, {"statement_timeout": "100ms", "lock_timeout": "100ms"}) as server:
        url = server.environment["DB_CONNECTION_STRING"]
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(%s)", [0x706F636B65746964])
            with ThreadPoolExecutor(1) as second:
                waiting = second.submit(server.run, "migrate")
                time.sleep(4)
                assert not waiting.done(), waiting.result().stderr
                other.execute("SELECT pg_advisory_unlock_all()")
                assert waiting.result().returncode == 0, waiting.result().stderr


@pytest.fixture(scope="module")
def warm(postgres: Postgres) -> Iterator[tuple[Server, HttpBrowser]]:
    """A server each of whose threads keeps a connection, and an administrator who is signed in."""
    with served(postgres, {}) as server:
        alice = HttpBrowser(server.base_url)
        alice.set_up(Authenticator(server.base_url, algorithms=(ES256,)))
        yield server, alice


def _ask(server: Server, path: str, cookies: dict[str, str], times: int) -> list[int]:
    """Many at once, so that every thread of the server answers some."""
    with ThreadPoolExecutor(times) as crowd:
        return list(
            crowd.map(
                lambda _n: requests.get(server.base_url + path, headers=_cookie(cookies), timeout=20).status_code,
                range(times),
            )
        )


PATHS = ("/settings/account", "/api/users", "/readyz", "/.well-known/jwks.json", "/admin/")


@pytest.mark.parametrize("path", PATHS)
def test_connections_that_were_cut_cost_nobody_an_answer(
    warm: tuple[Server, HttpBrowser], postgres: Postgres, path: str
) -> None:
    server, alice = warm
    cookies = alice.session.cookies.get_dict()
    assert set(_ask(server, path, cookies, 24)) == {200}
    name = server.environment["DB_CONNECTION_STRING"].rpartition("/")[2]
    with psycopg.connect(postgres.connection_string, autocommit=True) as operator:
        cut = operator.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", [name]
        ).fetchone()
        assert cut is not None
        assert cut[0] >= THREADS, "there was nothing to cut"
        _wait_until_gone(operator, name)
    assert _ask(server, path, cookies, 24) == [200] * 24


def test_a_write_after_the_cut_is_done_once(warm: tuple[Server, HttpBrowser], postgres: Postgres) -> None:
    server, alice = warm
    name = server.environment["DB_CONNECTION_STRING"].rpartition("/")[2]
    with psycopg.connect(postgres.connection_string, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        _wait_until_gone(operator, name)
    made = alice.post("/api/users", json={"username": "bob", "firstName": "Bob", "email": "bob@example.org"})
    assert made.status_code == 201, made.text
    assert len(alice.get("/api/users?search=bob").json()["data"]) == 1


def test_while_the_database_is_away_everybody_hears_503_and_then_all_is_well(
    warm: tuple[Server, HttpBrowser], postgres: Postgres
) -> None:
    server, alice = warm
    cookies = alice.session.cookies.get_dict()
    postgres.pause()
    try:
        assert set(_ask(server, "/api/users", cookies, 6)) == {503}
    finally:
        postgres.resume()
    assert _ask(server, "/api/users", cookies, 24) == [200] * 24


def _wait_until_gone(operator: "psycopg.Connection", name: str) -> None:
    deadline = time.monotonic() + 10
    while operator.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s", [name]).fetchone():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _cookie(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
