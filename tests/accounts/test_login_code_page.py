"""Signing in with a login code on its page."""

import pytest

from accounts import login_codes
from audit.models import Entry, Event
from core import ratelimit
from tests.accounts.browser import Browser
from tests.accounts.people import Person

pytestmark = pytest.mark.postgres


def test_a_code_signs_in_once_and_goes_on_to_where_the_person_was_going(browser: Browser, person: Person) -> None:
    code = login_codes.create(person.user).code
    page = browser.get(f"/lc/{code}?redirect=/device")
    went = browser.press("login-code-submit", page)
    assert (went.status_code, went["Location"]) == (302, "/device")
    assert person.user.username in browser.get("/settings/account").text
    again = Browser()
    refused = again.press("login-code-submit", again.get(f"/lc/{code}"))
    assert refused.status_code == 401
    assert "wrong, used or expired" in refused.text


def test_opening_the_link_uses_nothing_up(browser: Browser, person: Person) -> None:
    """Mail programs open links by themselves."""
    code = login_codes.create(person.user).code
    for _look in range(3):
        assert browser.get(f"/lc/{code}").status_code == 200
    assert login_codes.redeem(code) == person.user


def test_a_code_never_sends_anybody_elsewhere(browser: Browser, person: Person) -> None:
    code = login_codes.create(person.user).code
    went = browser.press("login-code-submit", browser.get(f"/lc/{code}?redirect=//evil.example"))
    assert went["Location"] == "/settings/account"


def test_whoever_guesses_is_stopped_and_fills_no_log(
    browser: Browser, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "is_off", lambda: False)
    page = browser.get("/lc")
    for _attempt in range(ratelimit.LOGIN_CODE.burst):
        assert browser.press("login-code-submit", page, code="abcdef").status_code == 401
    for _attempt in range(3):
        limited = browser.press("login-code-submit", page, code="abcdef")
        assert limited.status_code == 429
    assert "Too many requests" in limited.text
    assert Entry.objects.filter(event=Event.LOGIN_CODE_REJECTED).count() == ratelimit.LOGIN_CODE.burst


def test_a_disabled_person_stays_outside(browser: Browser, person: Person) -> None:
    code = login_codes.create(person.user).code
    person.user.disabled = True
    person.user.save()
    assert browser.press("login-code-submit", browser.get(f"/lc/{code}")).status_code == 403
