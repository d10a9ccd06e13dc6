"""A private PostgreSQL for as long as a test run lasts: fast, unsafe, reachable from this machine only."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.support.server import free_port

START_TIMEOUT = 20.0  # seconds
# Losing everything in a crash is fine here, and it makes every commit about ten times faster.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresMissing(Exception):
    """PostgreSQL cannot be started on this machine; the text says what to install."""


class Postgres:
    """``with Postgres() as postgres: Server(database_url=postgres.create_database("case_1"))``."""

    def __init__(self) -> None:
        self.port = free_port()
        # Not pytest's temporary directory: its parents are closed to the user that PostgreSQL runs as.
        self._directory = Path(tempfile.mkdtemp(prefix="pocketid-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def connection_string(self) -> str:
        """Of the database ``postgres``, which is always there."""
        return self._connection_string("postgres")

    def create_database(self, name: str) -> str:
        """The connection string of a new, empty database."""
        with psycopg.connect(self.connection_string, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self._connection_string(name)

    def start(self) -> None:
        if self._user:
            try:
                owner = pwd.getpwnam(self._user)
            except KeyError:
                raise PostgresMissing(
                    f"there is no user {self._user!r} to run PostgreSQL as: apt-get install postgresql"
                ) from None
            os.chown(self._directory, owner.pw_uid, owner.pw_gid)
        data = self._directory / "data"
        options = [
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ]
        made = self._run([str(_binary("initdb")), "--pgdata", str(data), *options])
        if made.wait():
            raise RuntimeError(f"initdb failed:\n{self._log}")
        self._serve()

    def _serve(self) -> None:
        settings = CARELESS | {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._directory),
            "max_connections": "100",
        }
        command = [str(_binary("postgres")), "-D", str(self._directory / "data")]
        self._process = self._run(command + [f"--{name}={value}" for name, value in settings.items()])
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._log}")
            time.sleep(0.05)

    def pause(self) -> None:
        """Fast shutdown: clients are cut off. The data stay, for ``resume``."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)
            self._process = None

    def resume(self) -> None:
        self._serve()

    def stop(self) -> None:
        """The data are gone afterwards."""
        self.pause()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _connection_string(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        with (self._directory / "log").open("ab") as log:
            groups: list[str] | None = [] if self._user else None
            return subprocess.Popen(
                command,
                cwd=self._directory,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self._user,
                group=self._user,
                extra_groups=groups,
            )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.connection_string, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")[-4000:]


def _binary(name: str) -> Path:
    """The newest installed; Debian keeps the server's programs out of the search path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    found = shutil.which(name, path=os.pathsep.join(map(str, places)) + os.pathsep + os.environ.get("PATH", ""))
    if found is None:
        raise PostgresMissing(
            f"PostgreSQL's {name} is neither in /usr/lib/postgresql/*/bin nor in PATH: apt-get install postgresql"
        )
    return Path(found)
