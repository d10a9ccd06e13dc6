"""The page of a person's apps: what they can open, what each may know, and taking it back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Group
from audit.models import Entry, Event
from oidc.models import Consent, Grant, LogoutDelivery
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, userinfo

pytestmark = pytest.mark.postgres


@pytest.fixture
def wiki(person: Person) -> App:
    return an_app(
        "Wiki",
        launch_url="https://wiki.example.com",
        refresh_tokens="always",
        backchannel_logout_url="https://wiki.example.com/bye",
    )


@pytest.fixture
def bobs(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def test_a_stranger_signs_in_first(browser: Browser, person: Person) -> None:
    assert browser.get("/settings/apps")["Location"] == "/login?redirect=%2Fsettings%2Fapps"
    assert browser.post("/settings/apps/x/withdraw").status_code in (302, 403)


def test_it_lists_what_can_be_opened_and_nothing_else(bobs: Browser, wiki: App, person: Person) -> None:
    an_app("Backend")
    an_app("Board room", launch_url="https://board.example.com", is_group_restricted=True)
    staff = an_app("Staff list", launch_url="https://staff.example.com", is_group_restricted=True)
    group = Group.objects.create(name="staff", friendly_name="Staff")
    group.members.add(person.user)
    staff.client.allowed_groups.add(group)
    page = bobs.get("/settings/apps")
    assert [client.name for client in page.context["launchable"]] == ["Staff list", "Wiki"]
    assert 'href="https://wiki.example.com"' in page.text
    assert "Board room" not in page.text
    found = bobs.get("/settings/apps?q=WIK").context["launchable"]
    assert [client.name for client in found] == ["Wiki"]
    assert "No app has “zebra” in its name." in bobs.get("/settings/apps?q=zebra").text


def test_it_says_what_each_app_may_know_in_the_persons_own_values(bobs: Browser, wiki: App, person: Person) -> None:
    assert "No app knows anything about you" in bobs.get("/settings/apps").text
    wiki.tokens(bobs, scope="openid profile email offline_access")
    page = bobs.get("/settings/apps").text
    for shown in ("Your name and username", "Bob Example · bob", "bob@example.org", "Stays signed in", "allowed "):
        assert shown in page


def test_withdrawing_asks_first_and_then_ends_every_token(bobs: Browser, wiki: App, person: Person) -> None:
    tokens = wiki.tokens(bobs)
    assert userinfo(tokens["access_token"]).status_code == 200
    path = f"/settings/apps/{wiki.client.client_id}/withdraw"
    question = bobs.get(path)
    assert "Withdraw what Wiki may know?" in question.text
    assert Consent.objects.filter(user=person.user).exists()
    done = bobs.press("app-withdraw", question)
    assert (done.status_code, done["Location"]) == (302, "/settings/apps")
    assert "Wiki may not know anything about you any more" in bobs.get("/settings/apps").text
    assert not Consent.objects.filter(user=person.user).exists()
    assert userinfo(tokens["access_token"]).status_code == 401
    assert wiki.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert not Grant.objects.filter(user=person.user, revoked_at__isnull=True).exists()
    assert LogoutDelivery.objects.get().subject == person.subject
    assert Entry.objects.get(event=Event.TOKENS_REVOKED).client_name == "Wiki"
    # What the app gets from now on needs a new consent.
    assert 'data-page="consent"' in bobs.get(wiki.ask(bobs)["Location"]).text


def test_the_dialog_on_the_list_sends_the_same_form(bobs: Browser, wiki: App, person: Person) -> None:
    wiki.tokens(bobs)
    assert bobs.press("app-withdraw", bobs.get("/settings/apps")).status_code == 302
    assert not Consent.objects.filter(user=person.user).exists()


def test_withdrawing_twice_and_from_nobody_is_no_error(bobs: Browser, wiki: App, person: Person, admin: Person) -> None:
    wiki.tokens(bobs)
    hers = Browser()
    hers.sign_in(admin)
    page = bobs.get("/settings/apps")
    bobs.press("app-withdraw", page)
    assert bobs.press("app-withdraw", page).status_code == 302
    assert "Wiki knew nothing any more." in bobs.get("/settings/apps").text
    assert bobs.get("/settings/apps/nobody/withdraw").status_code == 404
    # Somebody else's press takes nothing from bob.
    wiki.tokens(bobs)
    question = hers.get(f"/settings/apps/{wiki.client.client_id}/withdraw")
    hers.press("app-withdraw", question)
    assert Consent.objects.filter(user=person.user).exists()


def test_many_apps_cost_few_statements(
    bobs: Browser, person: Person, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    for number in range(30):
        client = an_app(f"App {number:02}", launch_url=f"https://app{number}.example.com").client
        Consent.objects.create(
            user=person.user, client=client, scope="openid email", last_used_at=timezone.now() - timedelta(days=number)
        )
    with django_assert_max_num_queries(12):
        page = bobs.get("/settings/apps")
    assert page.text.count("bob@example.org") == 30
    assert 'name="q"' in page.text
