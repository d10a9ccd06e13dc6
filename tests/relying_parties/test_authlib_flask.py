"""An Authlib app on Flask: code with PKCE, then a refreshed access token."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.console import RegisteredClient, register_client
from tests.support.server import ROOT, free_port
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


def test_an_authlib_app_signs_in_and_refreshes(administrator: Visitor, tmp_path: Path) -> None:
    port = free_port()
    app = f"http://localhost:{port}"
    administrator.sign_in("/admin/")
    registered = register_client(administrator, "Authlib", redirect_uris=[f"{app}/callback"])
    page = administrator.page
    with flask_app(administrator.base_url, registered, port, tmp_path / "flask.log"):
        administrator.sign_out()
        page.goto(f"{app}/login")
        administrator.press("passkey-sign-in")
        administrator.press("consent-allow")
        page.wait_for_url(f"{app}/me")
        me = shown(administrator)
        assert me["id_token"]["iss"] == administrator.base_url
        assert me["id_token"]["aud"] in (registered.client_id, [registered.client_id])
        assert me["userinfo"]["sub"] == me["id_token"]["sub"]
        assert (me["userinfo"]["preferred_username"], me["userinfo"]["email"]) == ("alice", "alice@example.org")
        assert set(me["scope"].split()) == {"openid", "profile", "email", "offline_access"}

        page.goto(f"{app}/expire")
        refreshed = shown(administrator)
        assert refreshed == {"userinfo": me["userinfo"], "changed": ["access_token", "refresh_token"]}


@contextmanager
def flask_app(issuer: str, registered: RegisteredClient, port: int, log: Path) -> Iterator[None]:
    """``flask_app.py`` as a process; raise ``RuntimeError`` with its log if it does not answer."""
    environment = {
        "ISSUER": issuer,
        "CLIENT_ID": registered.client_id,
        "CLIENT_SECRET": registered.client_secret,
        "PORT": str(port),
    }
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tests.relying_parties.flask_app"]
        # Not through the proxy that the developer may have: the provider is on loopback.
        process = subprocess.Popen(
            command, cwd=ROOT, env={"PATH": os.environ["PATH"]} | environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 10
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the Flask app did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)
        print("the Flask app's log:", log.read_text()[-3000:], sep="\n")


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://localhost:{port}/", timeout=2).ok
    except requests.RequestException:
        return False


def shown(visitor: Visitor) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(visitor.page.inner_text("body"))
    return body
