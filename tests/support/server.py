"""The real server as its operator starts it: its own process, its own data directory."""

import atexit
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from http import HTTPStatus
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import psutil
import requests

ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = count()  # of the servers with SQLite in this process
START_TIMEOUT, STOP_TIMEOUT = 60.0, 15.0  # seconds


class ServerDidNotStart(Exception):
    """The text ends with the last lines of the server's log."""


class Server:
    """``with Server() as server: requests.get(server.base_url + "/healthz")``.

    ``database_url`` names a PostgreSQL database; without it the data are in SQLite. ``environment`` is added last.
    The first server of a test process, and each that is ``from_nothing``, makes its tables itself; the others find them.
    ``clock`` is the time of day at which it starts, when it is to be another than ours.
    Nothing of the caller's environment but the search path reaches the server.
    """

    def __init__(
        self,
        *,
        database_url: str = "",
        environment: Mapping[str, str] | None = None,
        clock: datetime | None = None,
        from_nothing: bool = False,
    ) -> None:
        self._is_prepared = bool(database_url) or from_nothing
        self._module = ["tests.support.clock", clock.isoformat()] if clock else ["pocketid.cli"]
        self.port = free_port()
        self.base_url = f"http://localhost:{self.port}"
        self._directory = TemporaryDirectory(prefix="pocketid-server-")
        self.data_path = Path(self._directory.name) / "data"
        self._log = Path(self._directory.name) / "log"
        own = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": self._directory.name,
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
        }
        own |= {"PORT": str(self.port), "HOST": "127.0.0.1", "APP_URL": self.base_url, "DATA_PATH": str(self.data_path)}
        self.environment = (
            own | ({"DB_CONNECTION_STRING": database_url} if database_url else {}) | dict(environment or {})
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._directory.cleanup()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        """The process that was started: with gunicorn the one that minds the workers."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Also after ``stop()``, on the same data. Raise ``ServerDidNotStart``."""
        self._prepare()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("serve"), cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                reason = (
                    f"exited with {self._process.returncode}"
                    if self._process.poll() is not None
                    else f"no answer within {START_TIMEOUT:.0f} s"
                )
                self.stop()
                raise ServerDidNotStart(f"{reason}; its log:\n" + "\n".join(self.log.splitlines()[-40:]))
            time.sleep(0.05)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of the program on the same data."""
        self._prepare()
        return subprocess.run(
            self._command(*arguments), cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def _prepare(self) -> None:
        self.data_path.mkdir(exist_ok=True)
        if not self._is_prepared and next(_NUMBERS) > 0:
            shutil.copy(migrated_database(), self.data_path)
        self._is_prepared = True

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", *self._module, *arguments]

    def stop(self) -> int:
        """Ask it to end, as systemd and Docker do, and return its exit status; one that does not end is killed."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(
                f"the server did not end within {STOP_TIMEOUT:.0f} s of SIGTERM; its log:\n{self.log[-4000:]}"
            ) from None

    def kill(self) -> None:
        """End it and its workers as a power cut does: nobody gets to say anything."""
        if self._process is None:
            return
        process, self._process = self._process, None
        workers = psutil.Process(process.pid).children(recursive=True)
        process.kill()  # first, or it would make new workers
        process.wait()
        for worker in workers:
            worker.kill()
        psutil.wait_procs(workers, STOP_TIMEOUT)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/healthz", timeout=2).status_code == HTTPStatus.NO_CONTENT
        except requests.RequestException:
            return False


@cache
def migrated_database() -> Path:
    """An SQLite file with all tables and nothing else, not even a signing key: making the tables takes 5 s of CPU time."""
    folder = Path(tempfile.mkdtemp(prefix="pocketid-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "DATA_PATH": str(folder),
        "ENCRYPTION_KEY": "not used for tables",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True, timeout=120
    )
    return folder / "pocketid.sqlite3"


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
