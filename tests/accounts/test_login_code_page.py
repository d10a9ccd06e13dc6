"""Signing in with a login code on its page."""

import pytest

from accounts import login_codes
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


def test_a_disabled_person_stays_outside(browser: Browser, person: Person) -> None:
    code = login_codes.create(person.user).code
    person.user.disabled = True
    person.user.save()
    assert browser.press("login-code-submit", browser.get(f"/lc/{code}")).status_code == 403
