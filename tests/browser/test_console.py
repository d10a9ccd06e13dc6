"""The console in a real browser: what an administrator does with apps."""

import pytest
from playwright.sync_api import expect

from tests.support.console import register_client
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


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
