"""``SERVER=granian``: the other HTTP server serves the same application."""

import subprocess
import sys
import time

import psutil
import pytest
import requests

from tests.support.server import ROOT, STOP_TIMEOUT, Server


@pytest.mark.browser
def test_granian_serves_pages_documents_and_set_up() -> None:
    with Server(environment={"SERVER": "granian"}) as server:
        assert requests.get(server.base_url + "/healthz", timeout=5).status_code == 204
        assert requests.get(server.base_url + "/readyz", timeout=5).json() == {"ready": True}
        metadata = requests.get(server.base_url + "/.well-known/openid-configuration", timeout=5).json()
        assert metadata["issuer"] == server.base_url
        assert requests.get(metadata["jwks_uri"], timeout=5).json()["keys"]
        page = requests.get(server.base_url + "/setup", headers={"Accept": "text/html"}, timeout=5)
        assert page.status_code == 200
        refused = requests.post(metadata["token_endpoint"], data={"grant_type": "authorization_code"}, timeout=5)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        chunks = requests.post(
            metadata["token_endpoint"], data=iter([b"grant_type=", b"none"]), headers=form, timeout=5
        )
        assert chunks.json()["error"] == "unsupported_grant_type"


def test_granian_ends_when_it_is_asked_as_soon_as_it_has_workers() -> None:
    with Server(environment={"SERVER": "granian"}) as server:
        assert server.stop() == 0
        for delay in (0.0, 0.05, 0.2):
            process = subprocess.Popen(
                [sys.executable, "-m", "pocketid.cli", "serve"], cwd=ROOT, env=server.environment
            )
            try:
                while not psutil.Process(process.pid).children():
                    assert process.poll() is None
                    time.sleep(0.001)
                time.sleep(delay)
                process.terminate()
                assert process.wait(STOP_TIMEOUT) == 0
            finally:
                for each in (*psutil.Process(process.pid).children(), process) if process.poll() is None else ():
                    each.kill()
