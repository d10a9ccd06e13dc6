"""What a list may cost, whatever is in it: statements, and whether the database finds a page without sorting the table."""

import dataclasses

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from benchmarks.fill_lists import fill
from benchmarks.lists import LISTS
from tests.api.people.script import Script

KEY = "the key of a program that reads lists"
PAGED = [path for path in LISTS if "/filters/" not in path]
# Who asks, how many rows there are, their keys, the rows; then what they are shown with.
STATEMENTS = {
    "/api/users": 4 + 3,  # groups, their numbers and claims, claims of people
    "/api/user-groups": 4 + 1,
    "/api/oidc/clients": 4 + 3,  # secrets, groups, their numbers and claims
    "/api/oidc/users/me/clients": 4,
    "/api/oidc/users/me/authorized-clients": 4 + 1,
    "/api/apis": 3 + 1,  # the first pages in one statement, with the client that introspects
    "/api/api-keys": 4,
    "/api/signup-tokens": 4 + 1,  # these let nobody into a group
    "/api/audit-logs": 4 + 1,  # where to go on counting from
    "/api/audit-logs/all": 4 + 2,  # and how many have come in since
}


@pytest.fixture
def program(db: None, settings) -> Script:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, static_api_key=KEY)
    fill(people=30, clients=30, entries=200)
    own = Script(key=KEY)
    me = own.read("/api/users/me").json()["id"]
    Entry.objects.filter(pk__in=Entry.objects.values("pk")[:30]).update(user=me)
    return own


def asked(program: Script, path: str) -> tuple[int, list[str]]:
    """How many rows there are on the page, and the statements it took."""
    with CaptureQueriesContext(connection) as queries:
        answer = program.read(path).json()
    return len(answer["data"]), [query["sql"] for query in queries]


@pytest.mark.postgres
@pytest.mark.parametrize("path", PAGED)
def test_a_page_takes_as_many_statements_however_long_it_is(program: Script, path: str) -> None:
    few, short = asked(program, f"{path}?limit=2")
    many, long = asked(program, f"{path}?limit=100")
    assert (few, len(short)) == (2, STATEMENTS[path]), "\n".join(short)
    assert many > 10
    assert len(long) == len(short), "\n".join(long)


@pytest.mark.postgres
@pytest.mark.parametrize("path", [path for path in PAGED if LISTS[path][0].startswith("search")])
def test_a_search_takes_no_more_statements_and_reads_the_table_once(program: Script, path: str) -> None:
    search = LISTS[path][0].replace("77", "")
    found, statements = asked(program, f"{path}?{search}")
    assert found > 1
    assert len(statements) <= STATEMENTS[path], "\n".join(statements)
    assert len([sql for sql in statements if "LIKE" in sql or "INSTR" in sql]) == 1


@pytest.mark.skipif("connection.vendor != 'sqlite'")
@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("/api/users?", "user_by_created_at"),
        ("/api/users?sort[column]=createdAt&", "user_by_created_at"),
        ("/api/oidc/clients?", "client_by_created"),
        ("/api/audit-logs/all?", "audit_by_time"),
        ("/api/audit-logs/all?sort[column]=createdAt&sort[direction]=desc&", "audit_by_time"),
    ],
)
def test_the_keys_of_a_page_are_read_off_an_index(program: Script, path: str, index: str) -> None:
    _found, statements = asked(program, f"{path}page=2&limit=10")
    keys = next(sql for sql in statements if "LIMIT 10" in sql)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + keys)
        plan = [step for *_numbers, step in cursor.fetchall()]
    assert len(plan) == 1, plan
    assert f"USING COVERING INDEX {index}" in plan[0]


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_entries_of_an_app_are_found_by_an_index(program: Script) -> None:
    _found, statements = asked(program, "/api/audit-logs/all?filters[clientName]=App%201")
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + next(sql for sql in statements if "COUNT(*)" in sql))
        assert any("audit_by_client" in step for *_numbers, step in cursor.fetchall())
