"""A private PostgreSQL with its defaults, so with fsync: a careless one would flatter us."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.server import on_core

START_TIMEOUT = 30.0  # seconds


class PostgresMissing(Exception):
    """PostgreSQL is not installed, or there is nobody to run it as."""


@contextmanager
def running() -> Iterator[tuple[str, int]]:
    """The connection string of an empty database, and the process id of the server."""
    # Not below the benchmark's own folder: the user that PostgreSQL runs as may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="pocketid-bench-pg-", dir="/tmp"))
    user, owner = _user(folder), _owner()
    process: subprocess.Popen[bytes] | None = None
    try:
        data, log = folder / "data", folder / "log"
        with log.open("ab") as output, on_core(0):
            subprocess.run(
                [_binary("initdb"), "-D", str(data), "-U", "pocketid", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8"],
                stdout=output,
                stderr=output,
                check=True,
                cwd=folder,
                **owner,
            )
            # Only a socket in our folder: nothing listens on the network.
            process = subprocess.Popen(
                [_binary("postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses="],
                stdout=output,
                stderr=output,
                cwd=folder,
                **owner,
            )
        began = time.monotonic()
        while subprocess.run([_binary("pg_isready"), "-h", str(folder)], capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() - began > START_TIMEOUT:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
        yield f"postgres://{user}@/postgres?host={folder}", process.pid
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _user(folder: Path) -> str:
    """The database's superuser; the folder is given to whoever runs the server."""
    if os.geteuid() == 0:
        try:
            postgres = pwd.getpwnam("postgres")
        except KeyError:
            raise PostgresMissing("there is no user postgres to run it as: apt-get install postgresql") from None
        os.chown(folder, postgres.pw_uid, postgres.pw_gid)
    return "pocketid"


def _owner() -> dict[str, object]:
    """PostgreSQL refuses to run as root."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


def _binary(name: str) -> str:
    """The newest installed; Debian keeps them out of the search path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: float(place.parent.name), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, places), os.environ.get("PATH", "")]))
    if found is None:
        raise PostgresMissing(f"{name} is not in /usr/lib/postgresql/*/bin: apt-get install postgresql")
    return found
