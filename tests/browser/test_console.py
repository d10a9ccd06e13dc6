"""The console in a real browser: what an administrator does with apps."""

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.support.console import register_client
from tests.support.fixtures import Site
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="90" height="90"><rect width="9" height="9"/></svg>'


def test_the_console_asks_for_the_passkey_and_then_opens(administrator: Visitor) -> None:
    administrator.page.goto("/admin/oidc/client/")
    administrator.wait_for("/login")
    administrator.press("passkey-sign-in")
    administrator.wait_for("/admin/oidc/client/")


def test_a_secret_is_shown_once_and_can_be_made_anew(administrator: Visitor) -> None:
    administrator.sign_in("/admin/")
    page = administrator.page
    first = register_client(administrator, "Photos", redirect_uris=["https://photos.example.org/callback"])
    assert len(first.client_secret) >= 32

    page.get_by_role("link", name="I have copied the secret").click()
    expect(page.locator('[name="redirect_uris"]')).to_have_value("https://photos.example.org/callback")
    assert first.client_secret not in page.content()
    administrator.press("new-secret")
    secret = page.locator("#client-secret")
    expect(secret).to_be_visible()
    assert secret.inner_text() != first.client_secret


def test_a_public_app_has_no_secret(administrator: Visitor) -> None:
    administrator.sign_in("/admin/")
    register_client(administrator, "Phone app", redirect_uris=["com.example.app:/callback"], client_type="public")
    expect(administrator.page.locator("#client-secret")).to_have_count(0)


def test_signing_out_of_the_console_ends_the_session(administrator: Visitor) -> None:
    administrator.sign_in("/admin/")
    administrator.press("sign-out")
    administrator.wait_for("/signed-out")
    administrator.page.goto("/admin/")
    administrator.wait_for("/login")


def test_a_list_is_read_on_a_phone_without_scrolling_sideways(administrator: Visitor) -> None:
    administrator.sign_in("/admin/")
    page = administrator.page
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/admin/accounts/user/", "/admin/accounts/session/", "/admin/audit/entry/"):
        page.goto(path)
        row = page.locator("#result_list tbody tr").first
        expect(row).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.evaluate("document.querySelector('.results').scrollWidth <= innerWidth"), path
        label = row.locator("td[data-label]").first
        assert label.evaluate("cell => getComputedStyle(cell, '::before').content") not in ("none", '""')


def test_somebody_without_a_passkey_is_helped_with_a_login_code(
    administrator: Visitor, site: Site, chromium: Browser
) -> None:
    administrator.sign_in("/admin/")
    page = administrator.page
    page.goto("/admin/accounts/user/add/")
    page.fill('[name="username"]', "oscar")
    page.fill('[name="email"]', "oscar@example.org")
    page.click('[name="_continue"]')
    administrator.press("login-code")
    administrator.press("login-code-show")
    link = page.locator("#login-link").inner_text()

    oscar = Visitor(chromium, site.server.base_url)
    oscar.page.goto(link)
    oscar.press("login-code-submit")
    oscar.wait_for("/signup/add-passkey")
    oscar.press("passkey-add")
    oscar.wait_for("/settings/account")

    page.goto("/admin/accounts/session/?q=oscar")
    page.check("#result_list .action-select")
    page.select_option('[name="action"]', "end_sessions")
    page.click('#changelist .actions button[type="submit"]')
    expect(page.locator(".note.ok")).to_contain_text("1 session was ended.")
    oscar.page.goto("/settings/account")
    oscar.wait_for("/login")
    assert oscar.close() == []


def test_an_app_that_was_let_in_to_an_api_gets_tokens_for_what_was_ticked(administrator: Visitor, site: Site) -> None:
    administrator.sign_in("/admin/")
    page = administrator.page
    robot = register_client(administrator, "Robot", redirect_uris=["https://robot.example.org/callback"])
    page.goto("/admin/oidc/apiresource/add/")
    page.fill('[name="name"]', "Calendar")
    page.fill('[name="audience"]', "https://calendar.example.org/")
    page.fill('[name="permissions-0-key"]', "read")
    page.fill('[name="permissions-0-name"]', "Read it")
    page.click(".add-row a")
    page.fill('[name="permissions-1-key"]', "write")
    page.fill('[name="permissions-1-name"]', "Change it")
    page.click('[name="_continue"]')
    administrator.press("api-choose-app")
    page.select_option('[name="app"]', label="Robot")
    administrator.press("api-app-next")
    page.get_by_role("group", name="For itself").get_by_label("Read it").check()
    administrator.press("api-access-save")
    expect(page.locator(".given")).to_contain_text("For itself · Read it")

    form = {"grant_type": "client_credentials", "resource": "https://calendar.example.org"}
    given = requests.post(
        f"{site.server.base_url}/api/oidc/token", form, auth=(robot.client_id, robot.client_secret), timeout=10
    ).json()
    assert given["scope"] == "read", given
    page.get_by_role("link", name="Robot", exact=True).click()
    administrator.press("api-access-remove")
    expect(page.locator(".note.ok")).to_contain_text("Robot may not use Calendar any more")
    refused = requests.post(
        f"{site.server.base_url}/api/oidc/token", form, auth=(robot.client_id, robot.client_secret), timeout=10
    )
    assert refused.status_code == 403, refused.text


def test_a_picture_of_the_installation_is_replaced_and_shown_to_strangers(visitor: Visitor) -> None:
    visitor.set_up()
    page = visitor.page
    page.goto("/admin/siteconfig/image/")
    page.set_input_files("#email-file", {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": SVG})
    visitor.press("image-replace-email")
    expect(page.locator("#email [role=alert]")).to_contain_text("Choose a file of another kind: PNG, JPEG.")
    for name in ("logo", "background"):
        page.set_input_files(f"#{name}-file", {"name": "a.svg", "mimeType": "image/svg+xml", "buffer": SVG})
        visitor.press(f"image-replace-{name}")
        expect(page.locator(f"#{name} .tag")).to_have_text("Your own")
    visitor.sign_out()
    page.goto("/login")
    for place in (".mark.has-logo img", ".art .background"):
        assert page.locator(place).evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    visitor.sign_in("/admin/siteconfig/image/")
    visitor.press("image-reset-logo")
    expect(page.locator("#logo .tag")).to_have_count(0)
    page.goto("/settings/account")
    expect(page.locator(".mark.has-logo")).to_have_count(0)
