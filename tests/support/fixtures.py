"""Fixtures for tests against the real server, loaded by ``tests/conftest.py``. Nothing here starts unless a test asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.authenticator import Authenticator
from tests.support.credential import ES256
from tests.support.http_browser import HttpBrowser
from tests.support.server import Server

if TYPE_CHECKING:
    # At run time inside the fixtures: most test runs need no browser, and Playwright takes a moment to load.
    from playwright.sync_api import Browser

    from tests.support.visitor import Visitor

FAILED = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Site:
    """A server that has been set up, and the passkey of its administrator ``alice``."""

    server: Server
    authenticator: Authenticator


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.when == "call":
        item.stash[FAILED] = call.excinfo is not None
    return report


@pytest.fixture
def empty_server() -> Iterator[Server]:
    """A server that nobody has set up."""
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """One server for all tests that do not care who else uses it: together they sign in more often than one person may."""
    with Server(environment={"DISABLE_RATE_LIMITING": "true"}) as running:
        # ES256 is the only algorithm that a virtual authenticator takes over.
        authenticator = Authenticator(running.base_url, algorithms=(ES256,))
        HttpBrowser(running.base_url).set_up(authenticator)
        yield Site(running, authenticator)


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """Per module and not per session: while Playwright runs, Django refuses to use the ORM in this thread."""
    from tests.support.browser import chromium as launch

    with launch() as browser:
        yield browser


@pytest.fixture
def visitor(
    chromium: "Browser", empty_server: Server, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator["Visitor"]:
    """The first person at a server that nobody has set up."""
    with visiting(empty_server, chromium, request, tmp_path) as person:
        yield person


@pytest.fixture
def administrator(
    chromium: "Browser", site: Site, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator["Visitor"]:
    """Alice with her passkey at ``site``, not signed in yet."""
    passkey = site.authenticator.credentials[0]
    with visiting(site.server, chromium, request, tmp_path) as person:
        person.device.hold(passkey, rp_id="localhost")
        yield person
        person.device.give_back(passkey)


@contextmanager
def visiting(
    server: Server, browser: "Browser", request: pytest.FixtureRequest, directory: Path
) -> Iterator["Visitor"]:
    """A visitor whose test fails when anything went wrong unseen; a test that failed leaves a picture and the server's log."""
    from tests.support.visitor import Visitor

    person = Visitor(browser, server.base_url)
    yield person
    has_failed = request.node.stash.get(FAILED, False)
    if has_failed:
        print(
            f"was at {person.page.url}, see {person.screenshot(directory / 'failed.png')}; the server's log ended with:\n{server.log[-3000:]}"
        )
    troubles = person.close()
    if has_failed:
        print("troubles:", *troubles, sep="\n  ")
    else:
        assert not troubles, "\n".join(troubles)
