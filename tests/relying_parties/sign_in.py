"""The part of a sign-in that the person does at the provider, with whatever it asks this time."""

import json
import time
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.support.visitor import Visitor

PATIENCE = 15  # seconds: several answers of a server that may be busy


def go_through(visitor: Visitor, login_url: str, app: str) -> None:
    """From the app's sign-in link, by passkey and consent where they are asked for, until the page is the app's again."""
    visitor.page.goto(login_url)
    answer_questions(visitor, app)


def answer_questions(visitor: Visitor, app: str) -> None:
    """The same from the provider's page on; where it asks nothing the page is the app's already."""
    page = visitor.page
    sign_in, allow = (page.locator(f'[data-action="{action}"]') for action in ("passkey-sign-in", "consent-allow"))
    while button := _next_question(page, app, sign_in, allow):
        button.click()
        expect(button).to_be_hidden(timeout=PATIENCE * 1000)
    page.wait_for_url(f"{app}/**")


def _next_question(page: Page, app: str, *buttons: Locator) -> Locator | None:
    """Whichever button is shown first, or none as soon as the page is the app's; a busy server may take its time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if page.url.startswith(f"{app}/"):
            return None
        for button in buttons:
            if button.is_visible():
                return button
        page.wait_for_timeout(20)
    raise AssertionError(f"{page.url} neither asks anything nor is the app's")


def shown(visitor: Visitor) -> dict[str, Any]:
    """The JSON that is the page."""
    body: dict[str, Any] = json.loads(visitor.page.inner_text("body"))
    return body
