"""The part of a sign-in that the person does at the provider, with whatever it asks this time."""

import json
from typing import Any

from playwright.sync_api import expect

from tests.support.visitor import Visitor


def go_through(visitor: Visitor, login_url: str, app: str) -> None:
    """From the app's sign-in link, by passkey and consent where they are asked for, until the page is the app's again."""
    visitor.page.goto(login_url)
    answer_questions(visitor, app)


def answer_questions(visitor: Visitor, app: str) -> None:
    """The same from the provider's page on; where it asks nothing the page is the app's already."""
    page = visitor.page
    sign_in, allow = (page.locator(f'[data-action="{action}"]') for action in ("passkey-sign-in", "consent-allow"))
    if sign_in.is_visible():
        sign_in.click()
        expect(sign_in).to_be_hidden(timeout=15_000)  # two answers of a server that may be busy
        page.wait_for_load_state()
    if allow.is_visible():
        allow.click()
    page.wait_for_url(f"{app}/**")


def shown(visitor: Visitor) -> dict[str, Any]:
    """The JSON that is the page."""
    body: dict[str, Any] = json.loads(visitor.page.inner_text("body"))
    return body
