"""What apps keep when somebody has signed out here, and what they are told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import sessions
from accounts.models import Session
from oidc.models import LogoutDelivery
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import an_app, userinfo
from tests.oidc.test_devices import begin, poll

pytestmark = pytest.mark.postgres
OFFLINE = "openid offline_access"


@pytest.mark.spec("Back-Channel Logout", "2.7")
@pytest.mark.parametrize(
    ("policy", "scope", "has_one"),
    [
        ("offline_access", "openid", False),
        ("offline_access", OFFLINE, True),
        ("always", "openid", True),
        ("never", OFFLINE, False),
    ],
)
def test_refresh_tokens_that_outlive_the_session_were_allowed_to(
    browser: Browser, person: Person, policy: str, scope: str, has_one: bool
) -> None:
    """By the person, who agreed to offline_access, or by the administrator, who gives them always; there are no others."""
    app = an_app("Wiki", refresh_tokens=policy)
    browser.sign_in(person)
    tokens, device = app.tokens(browser, scope=scope), begin(app, scope)
    browser.press("device-allow", browser.get("/device", {"user_code": device["user_code"]}))
    assert ("refresh_token" in tokens, "refresh_token" in poll(app, device).json()) == (has_one, has_one)
    browser.press("sign-out", browser.get("/settings/account"))
    assert not Session.objects.exists()
    if has_one:
        assert app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
def test_an_app_that_signs_somebody_out_loses_what_it_had(browser: Browser, person: Person) -> None:
    app, other = an_app("Wiki", refresh_tokens="always"), an_app("Other", refresh_tokens="always")
    browser.sign_in(person)
    tokens, others = app.tokens(browser), other.tokens(browser)
    assert browser.get("/api/oidc/end-session", {"id_token_hint": tokens["id_token"]}).status_code == 302
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert other.refresh(others["refresh_token"]).status_code == 200


@pytest.mark.spec("Back-Channel Logout", "2.7")
@pytest.mark.parametrize("by_time", [False, True])
def test_a_code_that_is_on_its_way_signs_nobody_in_after_the_app_was_told(
    browser: Browser, person: Person, by_time: bool
) -> None:
    """The app hears of an end but once, and would keep the person for ever. Who is not told keeps the code."""
    told = an_app("Chat", backchannel_logout_url="https://chat.example.org/logout")
    deaf = an_app("Wiki")
    browser.sign_in(person)
    tokens, codes = told.tokens(browser), [app.code(browser) for app in (told, deaf)]
    if by_time:
        Session.objects.update(expires_at=timezone.now() - timedelta(seconds=11))
        assert sessions.end_expired() == 1
    else:
        browser.press("sign-out", browser.get("/settings/account"))
    assert LogoutDelivery.objects.count() == 1
    refused = told.redeem(codes[0])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert deaf.redeem(codes[1]).status_code == 200
    assert userinfo(tokens["access_token"]).status_code == 200  # what it had is for the app to end
