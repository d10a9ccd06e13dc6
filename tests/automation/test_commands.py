"""``pocketid bootstrap`` and ``pocketid one-time-access-token``: ways in for whoever may run commands on the machine."""

import re
import stat
from pathlib import Path

import pytest
import requests

from tests.automation.installation import Installation
from tests.support.server import Server

TIMEOUT = 10.0  # seconds


@pytest.fixture
def server(live_database: str):
    with Server(database_url=live_database) as running:
        yield running


@pytest.fixture
def installation(server: Server, live_database: str, tmp_path: Path) -> Installation:
    """Commands for the server's own data, while it runs."""
    database = {"DB_CONNECTION_STRING": live_database} if live_database else {}
    return Installation(tmp_path, DATA_PATH=str(server.data_path), APP_URL=server.base_url, **database)


@pytest.mark.postgres
def test_bootstrap_writes_a_key_that_works_and_shows_it_nowhere(server: Server, installation: Installation) -> None:
    path = installation.folder / "api-key"
    done = installation.run("bootstrap", "--api-key-file", path)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = path.read_text().strip()
    assert re.fullmatch(r"pid_[\w-]{43}", key)
    assert key not in done.stdout + done.stderr + server.log
    assert done.stdout.startswith(f"{path} holds an API key of admin")
    me = requests.get(f"{server.base_url}/api/users/me", headers={"X-API-Key": key}, timeout=TIMEOUT).json()
    assert (me["username"], me["isAdmin"]) == ("admin", True)
    log = requests.get(f"{server.base_url}/api/audit-logs/all", headers={"X-API-Key": key}, timeout=TIMEOUT)
    assert {"SETUP_COMPLETED", "API_KEY_CREATED"} <= {entry["event"] for entry in log.json()["data"]}
    assert key not in log.text
    # It is over once it has done its work.
    second = installation.folder / "second"
    again = installation.run("bootstrap", "--api-key-file", second)
    assert (again.returncode, again.stdout) == (1, "")
    assert "this server has been set up" in again.stderr
    assert not second.exists()
    closed = requests.post(f"{server.base_url}/api/one-time-access-token/setup", timeout=TIMEOUT)
    assert (closed.status_code, closed.json()["code"]) == (401, "token_invalid_or_expired")


def test_a_command_that_cannot_be_understood_does_nothing(tmp_path: Path) -> None:
    for arguments in ((), ("--api-key-file",), ("--api-key-file", "x", "--expires-in", "0")):
        refused = Installation(tmp_path).run("bootstrap", *arguments)
        assert refused.returncode == 1
        assert "--api-key-file" in refused.stderr or "--expires-in" in refused.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.spec("Pocket ID contract", "9.2")
def test_a_link_signs_somebody_in_once_and_version_and_health_answer(
    server: Server, installation: Installation
) -> None:
    made = {"username": "admin", "email": "admin@example.org"}
    requests.post(f"{server.base_url}/api/signup/setup", json=made, timeout=TIMEOUT).raise_for_status()
    printed = installation.run("one-time-access-token", "Admin@Example.Org")
    assert printed.returncode == 0, printed.stderr
    code = re.search(rf"{server.base_url}/lc/(\w{{12}})$", printed.stdout.strip())
    assert code, printed.stdout
    assert 'for "admin"' in printed.stdout
    assert code[1] not in printed.stderr
    used = [
        requests.post(f"{server.base_url}/api/one-time-access-token/{code[1]}", timeout=TIMEOUT).status_code
        for _ in range(2)
    ]
    assert used == [200, 401]
    refused = installation.run("one-time-access-token", "nobody")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "'nobody'" in refused.stderr

    health(server, installation)


def health(server: Server, installation: Installation) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", installation.run("version").stdout)
    assert installation.run("healthcheck", "-e", server.base_url).returncode == 0
    assert installation.run("healthcheck", "-e", server.base_url + "/healthz").returncode == 0
    verbose = installation.run("healthcheck", "--endpoint", server.base_url + "/", "--verbose")
    assert (verbose.returncode, verbose.stdout) == (0, f"{server.base_url}/healthz: 204\n")
    assert installation.run("healthcheck", PORT=str(server.port)).returncode == 0
    assert installation.run("healthcheck", "-e", "http://localhost:1").returncode == 1
    refused = installation.run("healthcheck", "--unix-socket", "/run/x")
    assert (refused.returncode, "Unix socket" in refused.stderr) == (1, True)
