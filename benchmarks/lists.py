"""``python -m benchmarks.lists``: how long each list of the management API takes on a large server, against an empty one."""

import argparse
import http.client
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import postgres, processes
from benchmarks.server import Server

KEY = "the static key of the benchmark"
PEOPLE, CLIENTS, ENTRIES = 10_000, 1_000, 1_000_000
MOST = 3.0  # times the empty list
ROUNDS, IN_A_ROUND = 6, 20
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
    """An empty server and a full one run at the same time and are asked in turn: others disturb both alike."""
    with ExitStack() as stack:
        empty, full = start(stack, database), start(stack, database)
        full.server.stop()
        there = full.server.ask(
            "benchmarks.fill_lists", *(str(number // share) for number in (PEOPLE, CLIENTS, ENTRIES))
        )
        full.server.start()
        print(f"{database}: {there['people']} people, {there['clients']} apps, {there['entries']} entries\n")
        print("| list, ms of CPU | empty | first page | late page | searched | worst |\n|---|--:|--:|--:|--:|--:|")
        for path, (search, late) in LISTS.items():
            late_page = LATE.format(page=max(late // share, 1)) if late else None
            asked = ["", late_page, search or None]
            row(
                path,
                *measure(
                    [(empty, path), *((full, f"{path}?{query}") if query is not None else None for query in asked)]
                ),
            )
    return 0


@dataclass(frozen=True)
class Installation:
    """A server, and the processes of its database."""

    server: Server
    roots: tuple[int, ...]

    def cpu(self) -> float:
        return processes.running_time(self.server.pid, *self.roots)


def start(stack: ExitStack, database: str) -> Installation:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pocketid-bench-")))
    connection_string, roots = "", ()
    if database == "postgresql":
        connection_string, postmaster = stack.enter_context(postgres.running())
        roots = (postmaster,)
    variables = {"STATIC_API_KEY": KEY, "DISABLE_RATE_LIMITING": "true"}
    server = Server(folder, name="gunicorn", database=connection_string, variables=variables)
    stack.callback(server.stop)
    server.start()
    return Installation(server, roots)


def row(name: str, empty: float, *cells: float | None) -> None:
    worst = max(cell for cell in cells if cell is not None) / empty
    shown = " | ".join("" if cell is None else f"{cell:.1f}" for cell in cells)
    print(f"| `{name}` | {empty:.1f} | {shown} | {worst:.1f}{' **miss**' if worst > MOST else ''} |", flush=True)


def measure(questions: Sequence[tuple[Installation, str] | None]) -> list[float | None]:
    """Milliseconds of CPU for one answer to each, of the server and its database: of several rounds the one that cost least,
    for what disturbs can only add."""
    least: list[float | None] = [None] * len(questions)
    for number in range(ROUNDS + 1):
        for place, question in enumerate(questions):
            if question is None:
                continue
            installation, path = question
            connection = http.client.HTTPConnection("127.0.0.1", installation.server.port, timeout=120)
            ask(connection, path)
            before = installation.cpu()
            for _ in range(IN_A_ROUND):
                ask(connection, path)
            used = (installation.cpu() - before) / IN_A_ROUND * 1000
            connection.close()
            if number:  # in the first both workers load what they need
                least[place] = min(used, least[place] or used)
    return least


def ask(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path, headers={"X-API-Key": KEY})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {body[:200]!r}")
    json.loads(body)


if __name__ == "__main__":
    sys.exit(main())
