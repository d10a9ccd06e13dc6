"""Passkeys in a real browser: everything a person does with them, and everything that goes wrong."""

import pytest
from playwright.sync_api import Browser, expect

from tests.support.fixtures import Site
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser

PASSKEYS = 'form.rename input[name="name"]'


def test_the_first_person_sets_up_the_server_and_signs_in_again_with_their_passkey(visitor: Visitor) -> None:
    visitor.set_up()
    visitor.sign_out()
    visitor.page.goto("/settings/account")
    visitor.wait_for("/login")
    visitor.press("passkey-sign-in")
    visitor.wait_for("/settings/account")
    expect(visitor.page.locator("#who")).to_have_text("Alice Example")
    expect(visitor.page.locator(PASSKEYS)).to_have_count(1)
    assert [credential["signCount"] for credential in visitor.device.credentials()] == [2]


def test_setup_is_over_after_the_first_person(administrator: Visitor) -> None:
    administrator.page.goto("/setup")
    administrator.wait_for("/login")


def test_without_user_verification_nobody_is_signed_in(administrator: Visitor) -> None:
    administrator.device.verify_user(False)
    administrator.page.goto("/login")
    administrator.press("passkey-sign-in")
    administrator.expect_passkey_message("Nothing happened.")
    administrator.page.goto("/settings/account")
    administrator.wait_for("/login")

    administrator.device.verify_user(True)
    administrator.sign_in()


def test_a_cancelled_sign_in_is_said_calmly_and_can_be_tried_again(administrator: Visitor) -> None:
    # As the browser reports a person who pressed Cancel: the same error, at once.
    administrator.page.add_init_script(
        "navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    )
    administrator.page.goto("/login")
    button = administrator.page.locator('[data-action="passkey-sign-in"]')
    button.click()
    administrator.expect_passkey_message("Try again when you are ready.")
    expect(administrator.page.locator("[data-passkey-status] .bad")).to_have_count(0)
    expect(button).to_be_enabled()
    administrator.page.evaluate("delete navigator.credentials.get")
    button.click()
    administrator.wait_for("/settings/account")


def test_at_another_address_the_page_says_where_the_passkeys_work(administrator: Visitor) -> None:
    administrator.page.goto(administrator.base_url.replace("localhost", "127.0.0.1") + "/login")
    administrator.expect_passkey_message(f"This server's address is {administrator.base_url}")
    expect(administrator.page.locator('[data-action="passkey-sign-in"]')).to_be_disabled()


def test_the_same_device_cannot_be_added_twice(administrator: Visitor) -> None:
    administrator.sign_in()
    known = administrator.page.locator(PASSKEYS).count()
    administrator.press("passkey-add")
    administrator.expect_passkey_message("This device already has a passkey for you.")
    administrator.page.reload()
    expect(administrator.page.locator(PASSKEYS)).to_have_count(known)


def test_a_second_device_signs_in_until_its_passkey_is_deleted(
    administrator: Visitor, site: Site, chromium: Browser
) -> None:
    administrator.sign_in()
    administrator.device.give_back(site.authenticator.credentials[0])  # the first device is out of reach
    passkeys = administrator.page.locator(PASSKEYS)
    known = passkeys.count()
    administrator.press("passkey-add")
    expect(passkeys).to_have_count(known + 1)

    phone = Visitor(chromium, site.server.base_url)
    administrator.device.move_to(phone.device)
    phone.sign_in()
    phone.sign_out()

    administrator.page.locator("[data-dialog]").last.click()
    administrator.page.locator("dialog[open] button.danger").click()
    expect(passkeys).to_have_count(known)
    phone.troubles.expect("status of 401")
    phone.page.goto("/login")
    phone.press("passkey-sign-in")
    expect(phone.page.locator("[data-passkey-status] .bad")).to_be_visible()
    assert phone.close() == []


def test_a_passkey_of_another_server_is_refused_politely(administrator: Visitor, site: Site) -> None:
    administrator.troubles.expect("status of 401")
    administrator.page.goto("/login")
    stranger = administrator.device.credentials()[0] | {"credentialId": "AAAAAAAAAAAAAAAAAAAAAA=="}
    administrator.device.give_back(site.authenticator.credentials[0])
    administrator.device.add({name: value for name, value in stranger.items() if value != ""})
    administrator.press("passkey-sign-in")
    expect(administrator.page.locator("[data-passkey-status] .bad")).to_be_visible()
    assert administrator.page.url.endswith("/login")
