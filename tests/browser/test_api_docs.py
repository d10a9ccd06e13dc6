"""The page that shows the API and lets people try it: under our own policy, at every width, in light and dark."""

import pytest
from playwright.sync_api import expect

from tests.support.visitor import Visitor

SLOW = 60_000  # milliseconds: the document is made when it is first asked for

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_api_can_be_read_and_tried(administrator: Visitor, width: int, scheme: str) -> None:
    """By the administrator's session: the request comes from this server's own page."""
    administrator.sign_in()
    page = administrator.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url))
    page.goto("/api/docs")
    page.wait_for_selector(".opblock-tag", timeout=SLOW)
    page.locator(".opblock-tag", has_text="Versions").click()
    operation = page.locator(".opblock", has_text="/api/version/current")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("2.18.0", timeout=SLOW)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in elsewhere if not url.startswith((administrator.base_url + "/", "data:"))] == []
    ink, paper = page.evaluate(
        "[getComputedStyle(document.querySelector('.opblock-summary-path')).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert ink != paper
