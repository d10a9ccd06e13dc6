"""``examples/playbook.yml`` under a real Ansible, against the real server process; where there is no Ansible, it is not run."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from tests.support.server import ROOT, Server

ANSIBLE = shutil.which("ansible-playbook")
KEY = "a static key for programs, not a secret"

pytestmark = pytest.mark.skipif(ANSIBLE is None, reason="Ansible is not installed, which is optional")


@pytest.fixture
def server():
    with Server(environment={"STATIC_API_KEY": KEY}) as running:
        yield running


def play(server: Server, folder: Path, *options: str) -> int:
    """How many tasks changed something; none may fail."""
    assert ANSIBLE
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "ANSIBLE_LOCALHOST_WARNING": "0"}
    # The Python that Ansible itself runs on, not whatever else it finds.
    own["ANSIBLE_PYTHON_INTERPRETER"] = str(Path(ANSIBLE).resolve().parent / "python")
    done = subprocess.run(
        [ANSIBLE, "-i", "localhost,", str(ROOT / "examples/playbook.yml"), *options],
        env=own | {"POCKETID_URL": server.base_url, "POCKETID_API_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert KEY not in done.stdout
    (changed,) = re.findall(r"changed=(\d+)", done.stdout)
    return int(changed)


def test_the_second_run_changes_nothing(server: Server, tmp_path: Path) -> None:
    assert play(server, tmp_path) == 6
    assert play(server, tmp_path) == 0
    people = requests.get(f"{server.base_url}/api/users", headers={"X-API-Key": KEY}, timeout=10).json()["data"]
    assert {each["username"]: [group["name"] for group in each["userGroups"]] for each in people if each["email"]} == {
        "zoe": ["family"],
        "rob": ["family", "guests"],
    }
    rob = next(each for each in people if each["username"] == "rob")
    changed = rob | {"displayName": "Somebody else"}
    requests.put(f"{server.base_url}/api/users/{rob['id']}", json=changed, headers={"X-API-Key": KEY}, timeout=10)
    assert play(server, tmp_path) == 1
    assert play(server, tmp_path, "-e", "state=absent") == 3
    assert play(server, tmp_path, "-e", "state=absent") == 0
