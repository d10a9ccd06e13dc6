"""Signing up on its pages: openly, with a link, or not at all (contract section 6.4)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import signup
from accounts.models import Group, SignupToken, User
from audit.models import Entry, Event
from core import ratelimit
from siteconfig import configure
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App

pytestmark = pytest.mark.postgres

NEW = {"username": "carol", "first_name": "Carol", "last_name": "Example", "email": "carol@example.org"}


@pytest.fixture
def token(admin: Person) -> SignupToken:
    group = Group.objects.create(name="family", friendly_name="Family")
    return signup.create_token(usage_limit=2, group_ids=[str(group.pk)])


def test_an_open_server_offers_it_where_people_sign_in(browser: Browser, admin: Person) -> None:
    assert 'data-action="sign-up"' not in browser.get("/login").text
    configure.change({"allow_user_signups": "open"})
    assert 'href="/signup?redirect=/device"' in browser.get("/login?redirect=/device").text


def test_the_sign_in_page_of_an_app_offers_it_too(browser: Browser, admin: Person, client_app: App) -> None:
    configure.change({"allow_user_signups": "open"})
    page = browser.get(client_app.ask(browser)["Location"])
    assert 'href="/signup?redirect=/' in page.text


def test_somebody_signs_up_and_goes_on_to_the_passkey(browser: Browser, admin: Person) -> None:
    configure.change({"allow_user_signups": "open"})
    went = browser.press("signup-submit", browser.get("/signup?redirect=/device"), **NEW)
    assert (went.status_code, went["Location"]) == (302, "/signup/add-passkey?redirect=%2Fdevice")
    carol = User.objects.get(username="carol")
    assert (carol.display_name, carol.email, carol.is_admin) == ("Carol Example", "carol@example.org", False)
    assert carol.sessions.get().methods == ()
    assert browser.get(went["Location"]).status_code == 200
    entry = Entry.objects.get(event=Event.ACCOUNT_CREATED)
    assert entry.data == {"method": "open_signup"}
    assert browser.get("/signup")["Location"] == "/settings/account"


def test_a_link_works_whatever_the_settings_say_and_brings_its_groups(browser: Browser, token: SignupToken) -> None:
    link = browser.get(f"/st/{token.token}")
    assert link["Location"] == f"/signup?token={token.token}"
    assert browser.press("signup-submit", browser.get(link["Location"]), **NEW).status_code == 302
    assert [group.name for group in User.objects.get(username="carol").groups.all()] == ["family"]
    token.refresh_from_db()
    assert token.usage_count == 1
    assert token.token not in str(Entry.objects.get(event=Event.ACCOUNT_CREATED).data)


@pytest.mark.parametrize(
    ("mode", "query", "reason"),
    [("disabled", "", "closed"), ("withToken", "", "needs-link"), ("open", "?token=wrong", "token")],
)
def test_who_cannot_sign_up_is_told_why(browser: Browser, admin: Person, mode: str, query: str, reason: str) -> None:
    configure.change({"allow_user_signups": mode})
    page = browser.get(f"/signup{query}")
    assert page.status_code == 403
    assert f'data-reason="{reason}"' in page.text


def test_a_link_that_ends_meanwhile_makes_nobody(browser: Browser, token: SignupToken) -> None:
    page = browser.get(f"/signup?token={token.token}")
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        refused = browser.press("signup-submit", page, **NEW)
    assert refused.status_code == 403
    assert 'data-reason="token"' in refused.text
    assert not User.objects.filter(username="carol").exists()


def test_a_server_that_closes_meanwhile_makes_nobody(browser: Browser, admin: Person) -> None:
    configure.change({"allow_user_signups": "open"})
    page = browser.get("/signup")
    configure.change({"allow_user_signups": "disabled"})
    assert browser.press("signup-submit", page, **NEW).status_code == 403
    assert not User.objects.filter(username="carol").exists()


@pytest.mark.parametrize(
    "wrong", [{"username": "ALICE"}, {"username": ""}, {"username": "a b"}, {"email": "carol"}, {"email": ""}], ids=str
)
def test_a_wrong_form_says_so_and_keeps_what_was_typed(
    browser: Browser, token: SignupToken, wrong: dict[str, str]
) -> None:
    page = browser.press("signup-submit", browser.get(f"/signup?token={token.token}"), **NEW | wrong)
    assert page.status_code == 422
    assert 'value="Carol"' in page.text
    assert 'class="wrong"' in page.text or 'class="note bad"' in page.text
    assert f'value="{token.token}"' in page.text
    assert User.objects.count() == 1
    token.refresh_from_db()
    assert token.usage_count == 0


def test_an_address_is_not_asked_for_where_nobody_needs_one(browser: Browser, admin: Person) -> None:
    configure.change({"allow_user_signups": "open", "require_user_email": False})
    assert browser.press("signup-submit", browser.get("/signup"), **NEW | {"email": ""}).status_code == 302
    assert User.objects.get(username="carol").email is None


def test_nobody_is_sent_to_another_server(browser: Browser, admin: Person) -> None:
    configure.change({"allow_user_signups": "open"})
    went = browser.press("signup-submit", browser.get("/signup?redirect=//evil.example"), **NEW)
    assert went["Location"] == "/signup/add-passkey?redirect=%2Fsettings%2Faccount"


def test_asking_who_is_here_already_is_limited(
    browser: Browser, token: SignupToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts that fail count too; what was typed is kept."""
    monkeypatch.setattr(ratelimit, "is_off", lambda: False)
    page = browser.get(f"/signup?token={token.token}")
    for _attempt in range(ratelimit.SIGNUP.burst):
        assert browser.press("signup-submit", page, **NEW | {"username": "alice"}).status_code == 422
    limited = browser.press("signup-submit", page, **NEW)
    assert "Too many requests" in limited.text
    assert 'value="carol"' in limited.text
    assert not User.objects.filter(username="carol").exists()


def test_before_the_first_administrator_there_is_only_the_set_up(browser: Browser) -> None:
    assert browser.get("/signup")["Location"] == "/setup"
