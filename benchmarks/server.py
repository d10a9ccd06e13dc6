"""The real server as its operator starts it, on a data folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT, STOP_TIMEOUT = 60.0, 20.0  # seconds


class ServerDidNotStart(Exception):
    """The text ends with the server's log."""


@contextmanager
def on_core(number: int) -> Iterator[None]:
    """Processes started inside run on this core; the load generator keeps to another, as in ``performance.md``."""
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        os.sched_setaffinity(0, {sorted(before)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Server:
    def __init__(self, folder: Path, *, name: str, database: str, variables: Mapping[str, str]) -> None:
        """``name`` is the HTTP server, ``database`` a connection string or empty for SQLite in ``folder``."""
        self.port = _free_port()
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            # Compiled once, as an installed server is, whatever is beside the sources.
            "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "APP_URL": f"http://localhost:{self.port}",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_PATH": str(folder / "data"),
            "LOG_LEVEL": "warn",
            "TRUST_PROXY": "127.0.0.1",  # benchmarks.works sends X-Forwarded-For
            "SERVER": name,
            "WORKERS": "2",
            "DB_CONNECTION_STRING": database,
            **variables,
        }

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> float:
        """Start, and return the seconds until the first answer."""
        began = time.perf_counter()
        with self.log.open("ab") as log, on_core(0):
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pocketid.cli", "serve"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        while not self._answers():
            if self.process.poll() is not None or time.perf_counter() - began > START_TIMEOUT:
                self.stop()
                raise ServerDidNotStart(self.log.read_text(errors="replace")[-4000:])
            time.sleep(0.002)
        return time.perf_counter() - began

    def stop(self) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask(self, module: str, *arguments: str, given: object = None) -> dict[str, Any]:
        """The JSON that a module of ours prints, run in the server's environment; ``given`` goes to its standard input."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def _answers(self) -> bool:
        request = f"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: localhost:{self.port}\r\nConnection: close\r\n\r\n"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(request.encode())
                return connection.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
