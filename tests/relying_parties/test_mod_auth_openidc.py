"""Debian's mod_auth_openidc, a client certified by the OpenID Foundation, in front of a page of Apache."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from tests.relying_parties.apache import Apache
from tests.support.console import register_client
from tests.support.server import Server
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


@pytest.fixture
def apache(visitor: Visitor, empty_server: Server) -> Iterator[Apache]:
    """An Apache that the first administrator of a new server has registered in the console."""
    planned = Apache(empty_server.base_url)
    visitor.set_up()
    registered = register_client(visitor, "Wiki", redirect_uris=[planned.redirect_uri], post_logout_redirect_uris=[planned.goodbye_uri])
    with replace(planned, client_id=registered.client_id, client_secret=registered.client_secret) as running:
        yield running
        print("Apache's log ended with:", running.log[-3000:], sep="\n")


def test_from_a_new_server_to_an_app_and_out_again(visitor: Visitor, apache: Apache) -> None:
    visitor.sign_out()
    page = visitor.page

    page.goto(apache.base_url + "/protected/")
    page.wait_for_url(visitor.base_url + "/**")
    visitor.press("passkey-sign-in")
    visitor.press("consent-allow")
    expect_signed_in(page, apache, issuer=visitor.base_url)

    # The second time nobody is asked anything: the session and the consent are remembered.
    page.context.clear_cookies(name="mod_auth_openidc_session")
    page.goto(apache.base_url + "/protected/")
    expect_signed_in(page, apache, issuer=visitor.base_url)

    log_out(visitor, apache)
    page.goto(visitor.base_url + "/settings/account")
    page.wait_for_url(visitor.base_url + "/login*")
    page.goto(apache.base_url + "/protected/")
    page.wait_for_url(visitor.base_url + "/**")
    expect(page.locator('[data-action="passkey-sign-in"]')).to_be_visible()


def test_a_person_who_declines_gets_no_further(visitor: Visitor, apache: Apache) -> None:
    visitor.troubles.expect("status of 401")  # Apache's answer to the refusal
    page = visitor.page
    page.goto(apache.base_url + "/protected/")
    visitor.press("consent-deny")
    page.wait_for_url(apache.base_url + "/**")
    expect(page.locator("body")).to_contain_text("access_denied")
    expect(page.locator("#user")).to_have_count(0)


def expect_signed_in(page: Page, apache: Apache, *, issuer: str) -> None:
    """The app's own page, with what the ID token and userinfo told it."""
    page.wait_for_url(apache.base_url + "/protected/")
    for name, value in {"user": "alice", "name": "Alice Example", "email": "alice@example.org", "issuer": issuer}.items():
        expect(page.locator(f"#{name}")).to_have_text(value)


def log_out(visitor: Visitor, apache: Apache) -> None:
    """RP-initiated logout (OpenID Connect RP-Initiated Logout section 2), begun in the app."""
    visitor.page.goto(f"{apache.redirect_uri}?logout={apache.goodbye_uri}")
    goodbye, confirm = visitor.page.locator("#goodbye"), visitor.page.locator('[data-action="logout-confirm"]')
    expect(goodbye.or_(confirm)).to_be_visible()
    if confirm.is_visible():
        confirm.click()
    expect(goodbye).to_be_visible()
    assert visitor.page.url.split("?")[0] == apache.goodbye_uri
