"""``examples/bootstrap.mjs`` and the published recipe, under a real Node, against the real server process."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import requests

from tests.support.server import ROOT, Server

NODE = shutil.which("node")
TIMEOUT = 10.0  # seconds

pytestmark = pytest.mark.skipif(NODE is None, reason="Node.js is not installed")

# As it is published but for the date: no body, the first cookie, a JSON text without its content type.
RECIPE = """
const base = process.env.BASE;
const setup = await fetch(`${base}/api/one-time-access-token/setup`, { method: 'POST' });
const cookie = setup.headers.get('set-cookie').split(';')[0];
const token = cookie.substring(cookie.indexOf('=') + 1);
const answer = await fetch(`${base}/api/api-keys`, {
  method: 'POST',
  headers: { Authorization: `Bearer ${token}` },
  body: JSON.stringify({ name: 'automation', description: 'made by a script', expiresAt: process.env.UNTIL }),
});
console.log(JSON.stringify({ status: answer.status, body: await answer.json(), session: token }));
"""


def node(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    assert NODE
    own = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [NODE, *map(str, arguments)], env=own | environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def server():
    with Server() as running:
        yield running


def recipe(server: Server, until: str = "2099-01-01T00:00:00Z") -> dict:
    done = node("--input-type=module", "-e", RECIPE, BASE=server.base_url, UNTIL=until)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def who_is(server: Server, **headers: str) -> int:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(f"{server.base_url}/api/users", headers=names, timeout=TIMEOUT).status_code


def test_the_published_recipe_works(server: Server) -> None:
    late = recipe(server, until="2025-12-31T23:59:59Z")
    assert (late["status"], late["body"]["code"]) == (400, "invalid_api_key_expiration")
    assert late["body"]["details"]["fields"][0]["field"] == "expiresAt"
    made = recipe(server)
    assert made["status"] == 201
    assert made["body"]["apiKey"]["name"] == "automation"
    assert who_is(server, X_API_Key=made["body"]["token"]) == 200
    assert {who_is(server, Authorization=f"Bearer {each['session']}") for each in (late, made)} == {401}
    assert made["body"]["token"] not in server.log


def test_the_example_writes_a_key_and_prints_none(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "api-key"
    done = node(ROOT / "examples/bootstrap.mjs", path, POCKETID_URL=server.base_url + "/")
    assert done.returncode == 0, done.stderr
    key = path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key not in done.stdout + done.stderr
    assert who_is(server, X_API_Key=key) == 200
    # Neither the file nor the server is touched again.
    again = node(ROOT / "examples/bootstrap.mjs", path, POCKETID_URL=server.base_url)
    assert (again.returncode, again.stderr.strip()) == (1, f"{path} exists and is not overwritten.")
    other = node(ROOT / "examples/bootstrap.mjs", tmp_path / "other", POCKETID_URL=server.base_url)
    assert (other.returncode, other.stderr.strip()) == (1, "set-up: 401 Token is invalid or expired")
    assert not (tmp_path / "other").exists()
    assert path.read_text().strip() == key


def test_the_example_gives_the_setup_token(tmp_path: Path) -> None:
    script, path = ROOT / "examples/bootstrap.mjs", tmp_path / "api-key"
    with Server(environment={"SETUP_TOKEN": "the operator's own"}) as server:
        refused = node(script, path, POCKETID_URL=server.base_url)
        assert (refused.returncode, path.exists()) == (1, False)
        assert "The setup token is missing or wrong" in refused.stderr
        assert node(script, path, POCKETID_URL=server.base_url, SETUP_TOKEN="the operator's own").returncode == 0
        assert who_is(server, X_API_Key=path.read_text().strip()) == 200
        assert "the operator's own" not in server.log


def test_the_example_says_when_there_is_no_server(tmp_path: Path) -> None:
    done = node(ROOT / "examples/bootstrap.mjs", tmp_path / "key", POCKETID_URL="http://localhost:1")
    assert done.returncode == 1
    assert "fetch failed" in done.stderr
    assert not (tmp_path / "key").exists()
