"""No page logs an error, breaks its own content security policy or leads nowhere."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.fixtures import Site
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

MOST = 60  # pages; a console that has more links than this has too many for one test


def test_every_page_that_the_account_and_the_console_link_to_is_sound(administrator: Visitor) -> None:
    administrator.sign_in("/admin/")
    seen: set[str] = set()
    todo = ["/settings/account", "/admin/", "/signup/add-passkey"]
    while todo and len(seen) < MOST:
        path = todo.pop(0)
        seen.add(path)
        answer = administrator.page.goto(path)
        assert answer is not None
        assert answer.ok, f"{path} answered {answer.status}"
        todo += [
            each for each in links(administrator.page, administrator.base_url) if each not in seen and each not in todo
        ]
    assert "/admin/oidc/client/add/" in seen


@pytest.mark.parametrize(
    "path", ["/login", "/signed-out", "/logout", "/no-such-page", "/authorize", "/authorize?client_id=unknown"]
)
def test_what_strangers_see_is_sound(administrator: Visitor, path: str) -> None:
    administrator.troubles.expect("status of 40")  # the browser's own note that a page is an error page
    administrator.page.goto(path)
    expect(administrator.page.locator("h1")).to_be_visible()


def test_an_app_that_is_not_registered_gets_an_error_page_and_no_redirect(administrator: Visitor) -> None:
    administrator.troubles.expect("status of 40")
    administrator.page.goto(
        "/authorize?client_id=unknown&response_type=code&redirect_uri=https://evil.example/&scope=openid"
    )
    expect(administrator.page.locator('[data-page="error"]')).to_be_visible()
    administrator.wait_for("/authorize")


def links(page: Page, base_url: str) -> list[str]:
    """Where the page leads on this server; anchors and queries are the same page."""
    found = page.eval_on_selector_all("a[href]", "links => links.map((link) => link.href)")
    return sorted({urlsplit(each).path for each in found if each.startswith(base_url + "/")})


def test_a_browser_is_signed_in_by_another_device(administrator: Visitor, site: Site, chromium: Browser) -> None:
    television = Visitor(chromium, site.server.base_url)
    television.page.goto("/login?redirect=/settings/apps")
    television.page.get_by_text("Other ways to sign in").click()
    television.press("use-another-device")
    expect(television.page.locator(".scan .qr")).to_be_visible()
    code = television.page.locator("#device-code").inner_text()

    administrator.sign_in("/device")
    administrator.page.fill("#user_code", code)
    administrator.press("device-continue")
    expect(administrator.page.locator(".shared")).to_contain_text(code)
    administrator.press("device-allow")
    administrator.wait_for("/device/done")
    television.wait_for("/settings/apps")
    assert television.close() == []


def test_a_browser_without_scripts_is_signed_in_by_another_device_too(
    administrator: Visitor, site: Site, chromium: Browser
) -> None:
    context = chromium.new_context(base_url=site.server.base_url, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/login/alternative/device")
    code = plain.locator("#device-code").inner_text()
    administrator.sign_in("/device")
    administrator.page.goto(f"/device?user_code={code}")
    administrator.press("device-allow")
    plain.wait_for_url("**/settings/account", timeout=20_000)
    context.close()
