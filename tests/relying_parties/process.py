"""An app in a process of its own, reachable on loopback."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from tests.support.server import ROOT

START_TIMEOUT = 20.0  # seconds


@contextmanager
def app_process(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], log: Path, directory: Path = ROOT
) -> Iterator[None]:
    """``command`` as a process that is told its port by ``PORT``; raise ``RuntimeError`` with its log if it does not answer."""
    # Not through the proxy that the developer may have: the provider is on loopback.
    own = {"PATH": os.environ["PATH"], "PORT": str(port), "HOME": str(log.parent), "LANG": "C.UTF-8"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=own | dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[-1]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)
        print(f"the log of {command[-1]}:", log.read_text()[-3000:], sep="\n")


def answers(port: int) -> bool:
    """Whatever it answers: it is there."""
    try:
        return requests.get(f"http://localhost:{port}/", timeout=2, allow_redirects=False).status_code < 500
    except requests.RequestException:
        return False
