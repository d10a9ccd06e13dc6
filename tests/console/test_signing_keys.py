"""Signing keys are rotated by a button, once, after a question, and the log says who did it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from oidc import key_rotation, signing_keys
from oidc.models import SigningKey
from tests.accounts.browser import Browser
from tests.accounts.people import Person

LIST = "/admin/oidc/signingkey/"
ROTATE = f"{LIST}rotate/RS256/"


@pytest.fixture
def console(browser: Browser, admin: Person):
    browser.sign_in(admin)
    key_rotation.prepare("RS256")
    signing_keys.forget_published()
    yield browser
    signing_keys.forget_published()


def key(state: str, algorithm: str = "RS256") -> SigningKey:
    return SigningKey.objects.get(algorithm=algorithm, state=state)


def published_long_ago() -> None:
    SigningKey.objects.filter(state="next").update(created_at=timezone.now() - timedelta(days=1))


def test_the_list_shows_what_signs_what_comes_and_when_the_last_token_ends(console: Browser) -> None:
    published_long_ago()
    console.press("rotate", console.get(ROTATE))
    page = console.get(LIST).text
    for row in SigningKey.objects.filter(algorithm="RS256"):
        assert row.kid[:12] in page
    for words in ("Signs now", "Next", "Retired, still published", "Its last token expires"):
        assert words in page
    assert f'href="{ROTATE}"' in page


def test_a_rotation_is_asked_about_done_once_and_logged(console: Browser, admin: Person) -> None:
    published_long_ago()
    before, following = key("current"), key("next")
    question = console.get(ROTATE)
    assert key("current") == before  # looking changes nothing
    assert before.kid in question.text
    assert following.kid in question.text
    assert console.press("rotate", question)["Location"] == LIST
    assert key("current") == following
    assert "The key was rotated meanwhile" in console.get(console.press("rotate", question)["Location"]).text
    assert key("current") == following
    entry = Entry.objects.get(event="SIGNING_KEY_ROTATED")
    assert (entry.username, entry.data) == (
        admin.user.username,
        {"algorithm": "RS256", "kid": following.kid, "retired": before.kid},
    )


def test_a_key_that_was_only_just_published_signs_only_when_the_old_one_has_leaked(console: Browser) -> None:
    before = key("current")
    question = console.get(ROTATE)
    assert 'name="at_once"' in question.text
    assert "The next key may sign from" in console.press("rotate", question).text
    assert key("current") == before
    console.press("rotate", question, at_once="yes")
    assert key("current") != before


def test_keys_of_an_algorithm_are_published_before_an_app_uses_it(console: Browser) -> None:
    SigningKey.objects.filter(algorithm="ES256").delete()
    console.press("publish-ES256", console.get(LIST))
    assert key("next", "ES256").kid != key("current", "ES256").kid
    assert Entry.objects.get(event="SIGNING_KEY_PUBLISHED").data == {"algorithm": "ES256"}
    assert "publish-ES256" not in console.get(LIST).text


def test_only_an_administrator_and_only_a_known_algorithm(console: Browser, person: Person) -> None:
    assert console.get(f"{LIST}rotate/HS256/", follow=True).status_code == 404
    assert console.get(f"{LIST}publish/RS256/")["Location"] == LIST  # asking publishes nothing
    bobs = Browser()
    bobs.sign_in(person)
    before = key("current")
    for path in (ROTATE, f"{LIST}publish/RS256/"):
        assert bobs.get(path, follow=True).status_code == 403
    assert key("current") == before


def test_the_schedule_is_a_setting(console: Browser) -> None:
    page = "/admin/siteconfig/siteconfiguration/1/change/"
    assert 'name="signing_key_days"' in console.get(page).text
