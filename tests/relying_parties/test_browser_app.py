"""An app without a server: oidc-client-ts in a real Chromium, on another site than the provider."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.relying_parties.node_app import DIRECTORY, node
from tests.relying_parties.process import app_process
from tests.relying_parties.registration import Registrar
from tests.relying_parties.sign_in import answer_questions
from tests.support.server import free_port
from tests.support.virtual_authenticator import VirtualAuthenticator
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class BrowserApp:
    base_url: str
    start: str  # with the registration
    start_of_another: str  # with one that nobody has agreed to


@pytest.fixture(scope="module")
def app(registrar: Registrar, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserApp]:
    node()  # the library comes from npm
    port = free_port()
    # Not localhost: to a browser that is another site, and nothing that goes across carries cookies.
    base = f"http://127.0.0.1:{port}/spa/"
    registrations = [
        registrar.register(
            name,
            base,
            f"{base}?popup",
            logoutCallbackURLs=[f"{base}?signed-out"],
            isPublic=True,
            accessTokenDurationMinutes=1,
        )
        for name in ("Browser app", "Another browser app")
    ]
    starts = [
        f"{base}?{urlencode({'authority': registrar.issuer, 'client_id': registered.client_id})}"
        for registered in registrations
    ]
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(DIRECTORY)]
    log = tmp_path_factory.mktemp("spa") / "log"
    with app_process(command, port=port, environment={}, log=log):
        yield BrowserApp(base, *starts)


def test_it_signs_in_renews_by_itself_revokes_and_signs_out(app: BrowserApp, administrator: Visitor) -> None:
    page = administrator.page
    page.goto(app.start)
    page.click("#sign-in")
    administrator.wait_for("/interaction")
    answer_questions(administrator, app.base_url.rstrip("/"))
    first = user(page)
    assert (first["profile"]["preferred_username"], first["profile"]["email"]) == ("alice", "alice@example.org")
    assert set(first["scope"].split()) == {"openid", "profile", "email", "offline_access"}

    # Without an iframe, whose cookies browsers withhold: with the refresh token.
    page.wait_for_function(
        "before => !document.querySelector('#user').textContent.includes(before)", arg=first["access_token"]
    )
    renewed = user(page)
    assert renewed["refresh_token"] != first["refresh_token"]
    assert renewed["profile"]["sub"] == first["profile"]["sub"]
    assert page.locator("iframe").count() == 0

    page.click("#revoke")
    page.wait_for_function("() => !JSON.parse(document.querySelector('#user').textContent)?.refresh_token")
    assert page.inner_text("#problem") == ""

    page.click("#sign-out")
    page.wait_for_url(f"{app.base_url}?signed-out**")
    expect(page.locator("#user")).to_have_text("null")
    page.goto(administrator.base_url + "/settings/account")
    administrator.wait_for("/login")


def test_it_can_read_a_refusal_from_another_origin(
    app: BrowserApp, administrator: Visitor, registrar: Registrar
) -> None:
    page = administrator.page
    page.goto(app.start)
    page.click("#sign-in")
    administrator.wait_for("/interaction")
    answer_questions(administrator, app.base_url.rstrip("/"))
    # Somebody else ends what the app has.
    ended = registrar.browser.session.post(
        f"{administrator.base_url}/api/oidc/revoke",
        data={"client_id": page.evaluate("localStorage.client_id"), "token": user(page)["refresh_token"]},
    )
    assert ended.status_code == 200
    administrator.troubles.expect("status of 400")
    page.click("#renew")
    expect(page.locator("#problem")).to_contain_text("invalid_grant: ")


def test_it_signs_in_in_a_window_of_its_own(app: BrowserApp, administrator: Visitor) -> None:
    # With Cross-Origin-Opener-Policy on any page of the way the window would lose its opener (EspoCRM).
    page = administrator.page
    page.goto(app.start_of_another)
    with page.expect_popup() as opened:
        page.click("#sign-in-popup")
    popup = opened.value
    device = VirtualAuthenticator(popup)
    administrator.device.move_to(device)
    popup.click('[data-action="passkey-sign-in"]')
    allow = popup.locator('[data-action="consent-allow"]')
    expect(allow).to_be_visible()
    device.move_to(administrator.device)  # before the window and its device are gone
    with popup.expect_event("close"):
        allow.click()
    page.wait_for_function("() => document.querySelector('#user').textContent !== 'null'")
    assert user(page)["profile"]["preferred_username"] == "alice"


def user(page: Page) -> dict[str, Any]:
    """What the app knows of who is signed in."""
    expect(page.locator("#user")).to_contain_text("access_token")
    return json.loads(page.inner_text("#user"))
