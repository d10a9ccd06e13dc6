"""``python -m benchmarks.lists``: how long each list of the management API takes on a large server, against an empty one."""

import argparse
import http.client
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import postgres, processes
from benchmarks.server import Server

KEY = "the static key of the benchmark"
PEOPLE, CLIENTS, ENTRIES = 10_000, 1_000, 1_000_000
MOST = 3.0  # times the empty list
ROUNDS = 60
LATE = "pagination[page]={page}"

# Each list, what it is searched for, and a late page of it.
LISTS = {
    "/api/users": ("search=person77", 480),
    "/api/user-groups": ("search=group-77", 9),
    "/api/oidc/clients": ("search=App%2077", 48),
    "/api/oidc/users/me/clients": ("search=App%2077", 48),
    "/api/oidc/users/me/authorized-clients": ("", 48),
    "/api/apis": ("search=api77", 9),
    "/api/api-keys": ("", 9),
    "/api/signup-tokens": ("", 9),
    "/api/audit-logs": ("filters[event]=SIGN_IN", 3),
    "/api/audit-logs/all": ("filters[event]=SIGN_IN", 40_000),
    "/api/audit-logs/filters/client-names": ("", 0),
    "/api/audit-logs/filters/users": ("", 0),
}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status is 1 when a request went wrong; lists that take too long are only marked, for machines differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--quick", action="store_true", help="a hundredth of it: shows that everything works, no more")
    options = parser.parse_args(argv)
    status = 0
    for database in [options.database] if options.database else ("sqlite", "postgresql"):
        try:
            status |= compare(database, share=100 if options.quick else 1)
        except postgres.PostgresMissing as missing:
            print(f"PostgreSQL was not measured: {missing}", file=sys.stderr)
    return status


def compare(database: str, *, share: int) -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pocketid-bench-")))
        connection_string, also = "", []
        if database == "postgresql":
            connection_string, postmaster = stack.enter_context(postgres.running())
            also.append(postmaster)
        variables = {"STATIC_API_KEY": KEY, "DISABLE_RATE_LIMITING": "true"}
        server = Server(folder, name="gunicorn", database=connection_string, variables=variables)
        stack.callback(server.stop)
        server.start()
        empty = {path: measure(server, also, path) for path in LISTS}
        server.stop()
        there = server.ask("benchmarks.fill_lists", *(str(number // share) for number in (PEOPLE, CLIENTS, ENTRIES)))
        server.start()
        print(f"{database}: {there['people']} people, {there['clients']} apps, {there['entries']} entries\n")
        print("| list, ms of CPU | empty | first page | late page | searched | worst |\n|---|--:|--:|--:|--:|--:|")
        for path, (search, late) in LISTS.items():
            asked = ["", *([LATE.format(page=max(late // share, 1))] if late else []), *([search] if search else [])]
            found = [measure(server, also, f"{path}?{query}") for query in asked]
            cells = [*found, *[None] * (3 - len(found))] if late else [found[0], None, None]
            if late and not search:
                cells = [found[0], found[1], None]
            row(path, empty[path], cells)
    return 0


def row(name: str, empty: float, cells: list[float | None]) -> None:
    worst = max(cell for cell in cells if cell is not None) / empty
    shown = " | ".join("" if cell is None else f"{cell:.1f}" for cell in cells)
    print(f"| `{name}` | {empty:.1f} | {shown} | {worst:.1f}{' **miss**' if worst > MOST else ''} |", flush=True)


def measure(server: Server, also: list[int], path: str) -> float:
    """Milliseconds of CPU for one answer, of the server and its database: what others do to the machine is not in it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    for _ in range(4):
        ask(connection, path)  # both workers have loaded what they need
    before = processes.usage(server.pid, *also)
    for _ in range(ROUNDS):
        ask(connection, path)
    used = processes.usage(server.pid, *also) - before
    connection.close()
    return used.cpu / ROUNDS * 1000


def ask(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path, headers={"X-API-Key": KEY})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {body[:200]!r}")
    json.loads(body)


if __name__ == "__main__":
    sys.exit(main())
