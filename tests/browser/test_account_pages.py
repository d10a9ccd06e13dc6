"""A person's own pages in a real browser: apps, keys, activity."""

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


def test_a_key_is_made_copied_used_and_revoked(administrator: Visitor) -> None:
    administrator.sign_in("/settings/api-keys")
    page = administrator.page
    administrator.press("api-key-new")
    page.fill('[name="name"]', "Terraform")
    page.get_by_text("Limit what it may do").click()
    page.check('[value="users:read"]')
    administrator.press("api-key-create")
    key = page.locator("#api-key").inner_text()
    page.click("[data-copy]")
    expect(page.locator("[data-copied]")).to_be_visible()

    def answers(path: str) -> int:
        return requests.get(administrator.base_url + path, headers={"X-API-Key": key}, timeout=10).status_code

    assert (answers("/api/users"), answers("/api/user-groups")) == (200, 403)
    administrator.press("api-key-copied")
    expect(page.locator(".rows")).to_contain_text("Terraform")
    assert key not in page.content()
    page.locator(".rows > li", has_text="Terraform").locator("[data-dialog]").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Revoke the key “Terraform”?")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_have_count(0)
    assert answers("/api/users") == 200
    page.locator(".rows > li", has_text="Terraform").locator("[data-dialog]").click()
    page.locator('dialog[open] [data-action="api-key-revoke"]').click()
    expect(page.locator(".note.ok")).to_contain_text("does not work any more")
    assert answers("/api/users") == 401


def test_the_tabs_lead_to_every_page(administrator: Visitor) -> None:
    administrator.sign_in("/settings/account")
    for name, path in (
        ("Apps", "/settings/apps"),
        ("Activity", "/settings/audit-log"),
        ("API keys", "/settings/api-keys"),
        ("Account", "/settings/account"),
    ):
        administrator.page.get_by_role("navigation", name="Your pages").get_by_role("link", name=name).click()
        administrator.wait_for(path)
    administrator.page.goto("/settings/audit-log")
    expect(administrator.page.locator(".rows > li").first).to_contain_text("Signed in with a passkey")


def test_a_passkey_is_deleted_without_scripts(visitor: Visitor, chromium: Browser) -> None:
    visitor.set_up()
    first = visitor.device.credentials()[0]
    visitor.device.remove(first["credentialId"])  # else the device would say that it has one already
    visitor.press("passkey-add")
    expect(visitor.page.locator(".rows").first.locator("> li")).to_have_count(2)

    plain = chromium.new_context(
        base_url=visitor.base_url, java_script_enabled=False, storage_state=visitor.context.storage_state()
    )
    page = plain.new_page()
    page.goto("/settings/account")
    page.locator("a[data-dialog]").first.click()
    expect(page.locator("h1")).to_contain_text("Delete the passkey")
    page.get_by_role("link", name="Keep it").click()
    page.locator("a[data-dialog]").first.click()
    page.click('[data-action="passkey-remove"]')
    expect(page.locator(".note.ok")).to_contain_text("The passkey was removed.")
    expect(page.locator("a[data-dialog]")).to_have_count(0)
    plain.close()
