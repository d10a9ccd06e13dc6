"""The apps in ``node/``, each around a client library from npm, run by Node.js."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.relying_parties.process import app_process

DIRECTORY = Path(__file__).with_name("node")
# Debian 12 has Node.js 18, where web cryptography is not yet global and localhost is IPv6 first.
FLAGS = ["--experimental-global-webcrypto", "--dns-result-order=ipv4first"]


@dataclass(frozen=True)
class NodeApp:
    """One registration of a running app, at addresses of its own."""

    base_url: str

    def url(self, page: str) -> str:
        return f"{self.base_url}/{page}"

    def get(self, page: str, **query: str) -> dict[str, Any]:
        """What the app shows; raise ``AssertionError`` with its problem."""
        response = requests.get(self.url(page), params=query, timeout=30)
        assert response.ok, response.text
        return response.json()

    def problem(self, page: str, **query: str) -> dict[str, Any]:
        """What its library makes of a refusal."""
        response = requests.get(self.url(page), params=query, timeout=30)
        assert response.status_code == 500, response.text
        return response.json()


@contextmanager
def node_apps(
    program: str, registrations: Mapping[str, Mapping[str, object]], *, issuer: str, port: int, log: Path
) -> Iterator[dict[str, NodeApp]]:
    """``program`` of ``node/`` with its registrations by name; skip the test where Node.js is missing."""
    environment = {"ISSUER": issuer, "CLIENTS": json.dumps(registrations)}
    with app_process([node(), *FLAGS, str(DIRECTORY / program)], port=port, environment=environment, log=log):
        yield {name: NodeApp(f"http://localhost:{port}/{name}") for name in registrations}


def node() -> str:
    """The Node.js to run; the test is skipped without it, or without the packages, except in CI."""
    found = shutil.which("node")
    problem = ""
    if found is None:
        problem = "no Node.js: apt-get install nodejs npm"
    elif not (DIRECTORY / "node_modules").is_dir():
        problem = f"no packages: make .venv/node, or (cd {DIRECTORY} && npm ci)"
    else:
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        major = int(re.match(r"v(\d+)", version)[1])
        if major < 18:
            problem = f"Node.js {version.strip()} is too old: 18 is needed"
    if problem and os.environ.get("CI"):
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)
    return found
