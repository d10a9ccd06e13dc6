"""Debian's oidc-agent, which gets tokens for the command line: by device code, then with its refresh token."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.relying_parties.registration import Registrar
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

ACCOUNT = "pocketid"
# It wants one even for the device flow, where nothing is ever sent to it.
REDIRECT_URI = "http://localhost:4242"


@dataclass
class OidcAgent:
    """A running agent, with a home of its own."""

    environment: dict[str, str]

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> str:
        """What the command printed; raise ``AssertionError`` with it."""
        running = self.start(*command)
        printed, _ = running.communicate(timeout=30)
        assert running.returncode == 0, printed
        return printed


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[OidcAgent]:
    if shutil.which("oidc-agent") is None:
        problem = "no oidc-agent: apt-get install oidc-agent-cli"
        pytest.fail(problem) if os.environ.get("CI") else pytest.skip(problem)
    (tmp_path / ".config/oidc-agent").mkdir(parents=True)
    running = OidcAgent({"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8", "OIDC_PW": "of a test"})
    started = json.loads(running.run("oidc-agent", "--json", "--no-webserver", "-a", str(tmp_path / "socket")))
    running.environment["OIDC_SOCK"] = started["socket"]
    yield running
    os.kill(int(started["dpid"]), signal.SIGTERM)


def test_a_device_code_is_approved_in_the_browser_and_serves_the_command_line(
    agent: OidcAgent, registrar: Registrar, administrator: Visitor, tmp_path: Path
) -> None:
    registered = registrar.register("Command line", REDIRECT_URI)
    settings = {
        "issuer_url": registrar.issuer,
        "client_id": registered.client_id,
        "client_secret": registered.client_secret,
        "redirect_uris": [REDIRECT_URI],
        "scope": "openid profile offline_access",
    }
    (tmp_path / "client.json").write_text(json.dumps(settings))
    command = ["oidc-gen", "--flow=device", "-f", str(tmp_path / "client.json"), "--scope", settings["scope"]]
    asking = agent.start(*command, "--pw-env=OIDC_PW", "--prompt=none", "--confirm-default", "--no-url-call", ACCOUNT)

    code, page = "", ""
    for line in asking.stdout:  # until it has drawn what a phone could read
        page = line.strip() if line.startswith("http") else page
        if found := re.match(r"And enter the code: (\w+)", line):
            code = found[1]
            break
    assert page == f"{registrar.issuer}/device"
    administrator.sign_in()
    administrator.page.goto(page)
    administrator.page.fill('input[name="user_code"]', code.lower())  # as people type it
    administrator.press("device-continue")
    administrator.press("device-allow")
    administrator.wait_for("/device/done")
    printed, _ = asking.communicate(timeout=30)
    assert asking.returncode == 0, printed[-2000:]

    first = agent.run("oidc-token", ACCOUNT).strip()
    assert userinfo(registrar, first).json()["preferred_username"] == "alice"
    renewed = agent.run("oidc-token", "--force-new", ACCOUNT).strip()
    assert renewed != first
    assert userinfo(registrar, renewed).json()["preferred_username"] == "alice"

    # Whoever deletes the account at the command line ends what it had (RFC 7009).
    agent.run("oidc-gen", "--pw-env=OIDC_PW", "--confirm-yes", "-d", ACCOUNT)
    assert userinfo(registrar, renewed).status_code == 401


def userinfo(registrar: Registrar, access_token: str) -> requests.Response:
    return requests.get(
        f"{registrar.issuer}/api/oidc/userinfo", headers={"Authorization": f"Bearer {access_token}"}, timeout=10
    )
