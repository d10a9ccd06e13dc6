"""Debian's mod_auth_openidc, a client certified by the OpenID Foundation, in front of a page of Apache."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.relying_parties.apache import Apache
from tests.relying_parties.registration import Registrar
from tests.relying_parties.sign_in import go_through
from tests.support.console import register_client
from tests.support.fixtures import Site
from tests.support.sessions import let_time_run_out, sid_of
from tests.support.visitor import Visitor

pytestmark = pytest.mark.browser


def test_from_a_new_server_to_an_app_and_out_again(visitor: Visitor) -> None:
    visitor.set_up()
    with registered_apache(visitor) as apache:
        visitor.sign_out()
        page = visitor.page
        page.goto(apache.protected_url)
        visitor.press("passkey-sign-in")
        visitor.press("consent-allow")
        expect_signed_in(page, apache, issuer=visitor.base_url)

        # The second time nobody is asked anything: the session and the consent are remembered.
        page.context.clear_cookies(name="mod_auth_openidc_session")
        page.goto(apache.protected_url)
        expect_signed_in(page, apache, issuer=visitor.base_url)

        log_out(visitor, apache)
        page.goto(visitor.base_url + "/settings/account")
        visitor.wait_for("/login")
        page.goto(apache.protected_url)
        expect(page.locator('[data-action="passkey-sign-in"]')).to_be_visible()


def test_who_declines_gets_no_further_until_they_agree(administrator: Visitor) -> None:
    administrator.sign_in("/admin/")
    with registered_apache(administrator, token_endpoint_auth="client_secret_post") as apache:
        page = administrator.page
        page.goto(apache.protected_url)
        administrator.press("consent-deny")
        page.wait_for_url(apache.redirect_uri + "**error=access_denied**")
        # Its words are about something else: with an issuer and no code (RFC 9207) it takes the
        # answer for a login that a third party begins. What counts is that nobody is let in.
        expect(page.locator("body")).to_contain_text("Error:")
        page.goto(apache.protected_url)
        administrator.press("consent-allow")
        expect_signed_in(page, apache, issuer=administrator.base_url)


def test_signing_out_here_ends_the_session_there_and_no_other(
    registrar: Registrar, administrator: Visitor, chromium: Browser
) -> None:
    planned = Apache(administrator.base_url)
    registered = registrar.register(
        "Wiki that listens",
        planned.redirect_uri,
        backchannelLogoutURL=f"{planned.redirect_uri}?logout=backchannel",
        skipConsent=True,
    )
    with replace(planned, client_id=registered.client_id, client_secret=registered.client_secret) as apache:
        phone = Visitor(chromium, administrator.base_url)
        administrator.device.move_to(phone.device)
        go_through(phone, apache.protected_url, apache.base_url)
        expect_signed_in(phone.page, apache, issuer=phone.base_url)
        phone.device.move_to(administrator.device)
        go_through(administrator, apache.protected_url, apache.base_url)
        expect_signed_in(administrator.page, apache, issuer=administrator.base_url)

        # Apache hears of it from the provider: the browser goes nowhere near it (OIDC Back-Channel Logout 1.0).
        administrator.sign_out()
        deadline = time.monotonic() + 10
        while is_signed_in(administrator, apache):
            assert time.monotonic() < deadline, apache.log
        phone.page.goto(apache.protected_url)
        expect_signed_in(phone.page, apache, issuer=phone.base_url)
        assert phone.close() == []


@pytest.mark.spec("Back-Channel Logout", "2.5")
def test_a_session_that_runs_out_here_ends_there_unless_the_app_is_not_to_know(
    site: Site, registrar: Registrar, administrator: Visitor, chromium: Browser
) -> None:
    planned = [Apache(administrator.base_url), Apache(administrator.base_url)]
    told, apart = (
        registrar.register(
            name,
            apache.redirect_uri,
            backchannelLogoutURL=f"{apache.redirect_uri}?logout=backchannel",
            backchannelLogoutOnSessionExpiry=name == "Told",
            skipConsent=True,
        )
        for name, apache in zip(("Told", "Apart"), planned, strict=True)
    )
    phone = Visitor(chromium, administrator.base_url)
    with (
        replace(planned[0], client_id=told.client_id, client_secret=told.client_secret) as one,
        replace(planned[1], client_id=apart.client_id, client_secret=apart.client_secret) as other,
    ):
        go_through(administrator, one.protected_url, one.base_url)
        administrator.device.move_to(phone.device)
        go_through(phone, other.protected_url, other.base_url)
        for visitor in (administrator, phone):
            cookies = {cookie["name"]: cookie["value"] for cookie in visitor.context.cookies()}
            assert let_time_run_out(site.server, sid_of(site.server, cookies["access_token"])) == 1
        deadline = time.monotonic() + 60
        while is_signed_in(administrator, one):
            assert time.monotonic() < deadline, one.log
            time.sleep(0.2)
        assert is_signed_in(phone, other)
    phone.device.move_to(administrator.device)
    assert phone.close() == []


def is_signed_in(visitor: Visitor, apache: Apache) -> bool:
    """Whether the app shows its page, and does not send the person to sign in."""
    answer = visitor.context.request.get(apache.protected_url, max_redirects=0)
    return answer.status == 200


@contextmanager
def registered_apache(administrator: Visitor, *, token_endpoint_auth: str = "client_secret_basic") -> Iterator[Apache]:
    """A running Apache that the administrator, who is signed in, has registered in the console."""
    planned = Apache(administrator.base_url, token_endpoint_auth=token_endpoint_auth)
    registered = register_client(
        administrator,
        "Wiki",
        redirect_uris=[planned.redirect_uri],
        post_logout_redirect_uris=[planned.goodbye_url],
    )
    with replace(planned, client_id=registered.client_id, client_secret=registered.client_secret) as running:
        yield running
        print("Apache's log ended with:", running.log[-3000:], sep="\n")


def expect_signed_in(page: Page, apache: Apache, *, issuer: str) -> None:
    """The app's own page, with what the ID token and userinfo told it."""
    page.wait_for_url(apache.protected_url)
    for name, value in {
        "user": "alice",
        "name": "Alice Example",
        "email": "alice@example.org",
        "issuer": issuer,
    }.items():
        expect(page.locator(f"#{name}")).to_have_text(value)


def log_out(visitor: Visitor, apache: Apache) -> None:
    """RP-initiated logout (OpenID Connect RP-Initiated Logout section 2), begun in the app."""
    visitor.page.goto(f"{apache.redirect_uri}?logout={apache.goodbye_url}")
    goodbye, confirm = visitor.page.locator("#goodbye"), visitor.page.locator('[data-action="logout-confirm"]')
    expect(goodbye.or_(confirm)).to_be_visible()
    if confirm.is_visible():
        confirm.click()
    expect(goodbye).to_be_visible()
    assert visitor.page.url.partition("?")[0] == apache.goodbye_url
