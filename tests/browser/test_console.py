"""The console in a real browser: what an administrator does with apps."""

import re

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


def test_whoever_came_with_a_login_code_shows_the_passkey_and_lands_where_they_wanted(
    administrator: Visitor, site: Site
) -> None:
    page = administrator.page
    page.goto(login_link(site) + "?redirect=/admin/oidc/client/%3Fq%3Dx")
    administrator.press("login-code-submit")
    administrator.wait_for("/login")
    expect(page.get_by_role("heading", level=1)).to_have_text("The console opens with a passkey")
    administrator.press("passkey-sign-in")
    administrator.wait_for("/admin/oidc/client/")
    assert page.url.endswith("?q=x")
    page.goto("/admin/accounts/user/")
    administrator.wait_for("/admin/accounts/user/")


def test_a_form_that_was_open_meanwhile_is_refused_and_its_page_comes_back_after_the_passkey(
    administrator: Visitor, site: Site
) -> None:
    administrator.sign_in("/admin/accounts/group/add/")
    page = administrator.page
    page.fill('[name="name"]', "night-shift")
    page.fill('[name="friendly_name"]', "Night shift")
    other = page.context.new_page()
    other.goto(login_link(site))
    other.click('[data-action="login-code-submit"]')
    other.wait_for_url(lambda url: "/settings/account" in url)
    other.close()

    administrator.troubles.expect("status of 403")
    page.click('[name="_save"]')
    expect(page.locator('[data-page="error"]')).to_contain_text("Nothing was changed.")
    page.get_by_role("link", name="Use your passkey").click()
    administrator.press("passkey-sign-in")
    administrator.wait_for("/admin/accounts/group/add/")
    page.goto("/admin/accounts/group/?q=night-shift")
    expect(page.locator("#result_list tbody tr")).to_have_count(0)


def test_whoever_lost_the_passkey_adds_one_on_the_way_to_the_console(site: Site, chromium: Browser) -> None:
    """The recovery of README and docs/operations.md: the command, its link, a new passkey, the console."""
    without_device = Visitor(chromium, site.server.base_url)
    without_device.page.goto(login_link(site) + "?redirect=/admin/siteconfig/image/")
    without_device.press("login-code-submit")
    without_device.wait_for("/login")
    without_device.press("passkey-replace")
    without_device.wait_for("/signup/add-passkey")
    without_device.press("passkey-add")
    without_device.wait_for("/admin/siteconfig/image/")
    without_device.page.goto("/settings/account")
    without_device.page.locator("[data-dialog]").last.click()
    without_device.page.locator("dialog[open] button.danger").click()
    expect(without_device.page.locator('form.rename input[name="name"]')).to_have_count(1)
    assert without_device.close() == []


def test_an_administrator_who_has_no_passkey_yet_is_led_to_the_first_one_and_on_to_the_console(
    administrator: Visitor, site: Site, chromium: Browser
) -> None:
    administrator.sign_in("/admin/accounts/user/add/")
    page = administrator.page
    page.fill('[name="username"]', "peggy")
    page.check('[name="is_admin"]')
    page.click('[name="_save"]')
    peggy = Visitor(chromium, site.server.base_url)
    peggy.page.goto("/admin/audit/entry/")
    sign_in_with_code(peggy, site, "peggy")
    peggy.wait_for("/signup/add-passkey")
    expect(peggy.page.get_by_role("heading", level=1)).to_have_text("The console opens with a passkey")
    peggy.press("passkey-skip")
    peggy.wait_for("/settings/apps")
    peggy.page.goto("/admin/audit/entry/")
    peggy.wait_for("/signup/add-passkey")
    peggy.press("passkey-add")
    peggy.wait_for("/admin/audit/entry/")
    peggy.page.goto("/admin/")
    peggy.wait_for("/admin/")
    assert peggy.close() == []


def login_link(site: Site, name: str = "alice") -> str:
    """Printed where the server runs."""
    found = re.search(r"http\S+/lc/\w+", site.server.run("one-time-access-token", name).stdout)
    assert found
    return found[0]


def sign_in_with_code(visitor: Visitor, site: Site, name: str) -> None:
    """From the sign-in page, which keeps in mind where the person wanted to go."""
    visitor.page.click("details.fold summary")
    visitor.press("use-login-code")
    visitor.page.fill('[name="code"]', login_link(site, name).rpartition("/")[2])
    visitor.press("login-code-submit")
