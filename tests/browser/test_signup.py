"""Somebody new with a link: from the short address to a passkey and a page of their own."""

import pytest
from playwright.sync_api import Browser, expect

from tests.support.fixtures import Site
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


def test_somebody_with_a_link_becomes_a_person_with_a_passkey(
    administrator: Visitor, site: Site, chromium: Browser
) -> None:
    administrator.sign_in()
    made = administrator.context.request.post(
        "/api/signup-tokens", data={"ttl": "1h", "usageLimit": 1}, headers={"Origin": site.server.base_url}
    )
    token = made.json()["token"]

    newcomer = Visitor(chromium, site.server.base_url)
    newcomer.page.goto(f"/st/{token}")
    newcomer.wait_for("/signup")
    for name, value in {"username": "nina", "first_name": "Nina", "email": "nina@example.org"}.items():
        newcomer.page.fill(f'input[name="{name}"]', value)
    newcomer.press("signup-submit")
    newcomer.wait_for("/signup/add-passkey")
    newcomer.press("passkey-add")
    newcomer.wait_for("/settings/account")
    expect(newcomer.page.locator("h1")).to_have_text("Nina")
    newcomer.sign_out()
    newcomer.sign_in("/settings/apps")

    late = Visitor(chromium, site.server.base_url)
    late.troubles.expect("status of 403")
    late.page.goto(f"/st/{token}")
    expect(late.page.locator('[data-reason="token"]')).to_be_visible()
    assert newcomer.close() == []
    assert late.close() == []
    assert f"/st/{token}" not in site.server.log
    assert "/st/..." in site.server.log
