"""``python -m benchmarks.run``: start the real server, drive it, print what it costs."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import postgres
from benchmarks.measure import as_json, measure
from benchmarks.report import failures, tables

DATABASES = ("sqlite", "postgresql")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status is 1 when a request went wrong; missed goals are only printed, for machines differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: shows that everything works, no more")
    parser.add_argument("--seconds", type=float, help="of each cell (default 1.5, quick 0.5)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these works, and the constant views")
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument("--server", choices=("gunicorn", "granian"), default="gunicorn")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="variables of the server")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args(argv)
    seconds = options.seconds or (0.5 if options.quick else 1.5)

    now = datetime.now(UTC)
    print(
        f"{now:%d %b %Y %H:%M} UTC, Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n"
    )
    results = []
    for database in [options.database] if options.database else DATABASES:
        try:
            result = measure(
                database=database,
                server=options.server,
                seconds=seconds,
                only=options.only,
                quick=options.quick,
                variables=dict(pair.split("=", 1) for pair in options.set),
            )
        except postgres.PostgresMissing as missing:
            print(f"PostgreSQL was not measured: {missing}", file=sys.stderr)
            continue
        print(tables(result) + "\n", flush=True)
        results.append(result)
    if options.json:
        options.json.write_text(
            json.dumps({"at": now.isoformat(), "results": [as_json(result) for result in results]}, indent=1)
        )
    return 1 if any(map(failures, results)) else 0


if __name__ == "__main__":
    sys.exit(main())
