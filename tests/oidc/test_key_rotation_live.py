"""Keys are exchanged while two servers on one database serve, and no token is ever signed by a key that apps cannot have."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.oidc.test_races import Live
from tests.support.http_browser import HttpBrowser
from tests.support.oidc import RelyingParty
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.postgres
ROTATIONS = 4
BETWEEN = 2.5  # seconds; each process publishes what it has read for one


@dataclass
class Watch:
    """What the apps saw: tokens with the key set that was published just before each was signed."""

    tokens: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    kids: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def an_app(self, keys_of: Server, app: RelyingParty) -> None:
        """Read the keys at one server, have tokens signed by the other, verify, again and again."""
        while not self.stop.is_set():
            try:
                before = keys(keys_of)
                answer = app.token(grant_type="client_credentials")
                answer.raise_for_status()
                token = answer.json()["access_token"]
                self.kids.add(jwt.decode(token, before, algorithms=["RS256"]).header["kid"])
                self.tokens.append(token)
            except Exception as problem:
                self.troubles.append(repr(problem))


def keys(server: Server) -> KeySet:
    return KeySet.import_key_set(requests.get(f"{server.base_url}/.well-known/jwks.json", timeout=10).json())


def rotate(server: Server) -> str:
    """As the operator does it: a third process."""
    command = [sys.executable, "-m", "pocketid.cli", "key-rotate", "--now"]
    done = subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0]


@pytest.mark.spec("OIDC Core", "10.1.1")
@pytest.mark.spec("attacks.md", "J1")
def test_two_servers_rotate_under_load_without_an_outage(two: tuple[Live, Server]) -> None:
    live, other = two
    one = live.server
    at_other = RelyingParty(one.base_url, live.app.client_id, live.app.client_secret)
    at_other.metadata["token_endpoint"] = f"{other.base_url}/api/oidc/token"
    watch = Watch()
    apps = [
        threading.Thread(target=watch.an_app, args=(keys_of, app))
        for keys_of, app in ((other, live.app), (one, at_other), (one, live.app))
    ]
    for app in apps:
        app.start()
    signing = []
    for _rotation in range(ROTATIONS):
        time.sleep(BETWEEN)
        signing.append(rotate(one))
    time.sleep(BETWEEN)
    watch.stop.set()
    for app in apps:
        app.join()
    assert not watch.troubles, watch.troubles[:5]
    assert set(signing) < watch.kids, "every key has signed, also the one before the first rotation"
    # All those tokens are alive: each server still publishes whatever verifies them.
    for server in (one, other):
        published = keys(server)
        assert all(jwt.decode(token, published, algorithms=["RS256"]) for token in watch.tokens)
    assert len(watch.tokens) > 20 * ROTATIONS


def test_two_rotations_at_the_same_moment_are_one(two: tuple[Live, Server]) -> None:
    """The button, pressed in several windows; the server is two processes."""
    live, other = two
    list_url = "/admin/oidc/signingkey/"
    question = live.browser.get(f"{list_url}rotate/RS256/")
    before = len(keys(live.server).keys)
    elsewhere = HttpBrowser(live.server.base_url)
    elsewhere.session.cookies.update(live.browser.session.cookies)
    answers: list[int] = []

    def press(browser: HttpBrowser) -> None:
        answers.append(browser.press("rotate", question, at_once="yes").status_code)

    threads = [threading.Thread(target=press, args=(browser,)) for browser in (live.browser, elsewhere) for _ in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 4
    time.sleep(1.2)
    assert len(keys(other).keys) == before + 1
