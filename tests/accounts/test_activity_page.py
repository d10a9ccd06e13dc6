"""What happened to an account, shown to the person it belongs to."""

import pytest

from audit import log
from audit.models import Event
from tests.accounts.browser import Browser
from tests.accounts.people import Person

pytestmark = pytest.mark.postgres


def test_it_shows_ones_own_entries_and_nobody_elses(browser: Browser, person: Person, admin: Person) -> None:
    log.record(Event.PASSKEY_REMOVED, user=admin.user, request=None, passkeyName="her key")
    log.record(Event.PASSKEY_REMOVED, user=person.user, request=None, actor=admin.user, passkeyName="his key")
    browser.sign_in(person)
    page = browser.get("/settings/audit-log").text
    assert "his key" in page
    assert "done by alice" in page
    assert "Firefox on Linux" in page
    assert "127.0.0.1" in page
    assert "her key" not in page


def test_one_kind_is_shown_when_asked_for(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    log.record(Event.EMAIL_VERIFIED, user=person.user, request=None)
    entries = browser.get("/settings/audit-log?event=EMAIL_VERIFIED").context["entries"]
    assert [entry["event"] for entry in entries] == ["E-mail address verified"]
    assert len(browser.get("/settings/audit-log?event=NONSENSE").context["entries"]) >= 2


def test_older_entries_are_a_page_away(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    for number in range(70):
        log.record(Event.PASSKEY_REMOVED, user=person.user, request=None, passkeyName=f"key {number}")
    seen, page = [], browser.get("/settings/audit-log?event=PASSKEY_REMOVED")
    while True:
        seen += [entry["about"] for entry in page.context["entries"]]
        if not page.context["older"]:
            break
        page = browser.get("/settings/audit-log?" + page.context["older"])
    assert seen == [f"key {number}" for number in reversed(range(70))]


@pytest.mark.parametrize("before", ["x", "-1", "%00", "9" * 30, "١"])
def test_a_wrong_place_to_go_on_from_is_no_error(browser: Browser, person: Person, before: str) -> None:
    browser.sign_in(person)
    assert browser.get(f"/settings/audit-log?before={before}").status_code == 200
