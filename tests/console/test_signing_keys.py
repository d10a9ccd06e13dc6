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


# Attacks


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_link_that_is_opened_makes_and_rotates_nothing(console: Browser, method: str) -> None:
    """Any site can lead an administrator to an address."""
    SigningKey.objects.exclude(algorithm="RS256").delete()
    before = set(SigningKey.objects.values_list("kid", "state"))
    for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
        for path in (f"{LIST}rotate/{algorithm}/", f"{LIST}publish/{algorithm}/"):
            getattr(console, method)(path, {"at_once": "yes"})
    assert set(SigningKey.objects.values_list("kid", "state")) == before
    assert console.get(f"{LIST}rotate/EdDSA/")["Location"] == LIST
    assert not Entry.objects.filter(event__startswith="SIGNING_KEY").exists()


@pytest.mark.parametrize("path", [ROTATE, f"{LIST}publish/ES256/"])
def test_a_form_without_its_token_or_of_another_site_does_nothing(console: Browser, path: str) -> None:
    SigningKey.objects.exclude(algorithm="RS256").delete()
    before = set(SigningKey.objects.values_list("kid", "state"))
    token = console.get(ROTATE).context["csrf_token"]
    form = {"at_once": "yes", "instead_of": key("current").kid}
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert console.post(path, form).status_code == 403
    assert console.post(path, form | {"csrfmiddlewaretoken": str(token)}, headers=foreign).status_code == 403
    assert set(SigningKey.objects.values_list("kid", "state")) == before


def test_others_than_administrators_cannot_post_either(console: Browser, person: Person) -> None:
    bobs = Browser()
    bobs.sign_in(person)
    before = key("current")
    form = {"at_once": "yes", "instead_of": before.kid}
    token = str(bobs.get("/settings/account").context["csrf_token"])
    for visitor, more in ((bobs, {"csrfmiddlewaretoken": token}), (Browser(), {})):
        assert visitor.post(ROTATE, form | more).status_code in (302, 403)
    assert key("current") == before


@pytest.mark.parametrize("named", ["", "x", "\0", "x" * 100_000, "🙂"])
def test_a_form_that_names_another_key_rotates_nothing(console: Browser, named: str) -> None:
    before = key("current")
    done = console.press("rotate", console.get(ROTATE), at_once="yes", instead_of=named)
    assert done["Location"] == LIST
    assert key("current") == before


def test_publishing_again_is_nothing_new(console: Browser) -> None:
    SigningKey.objects.filter(algorithm="ES256").delete()
    page = console.get(LIST)
    for _press in range(2):
        assert console.press("publish-ES256", page)["Location"] == LIST
    assert SigningKey.objects.filter(algorithm="ES256").count() == 2
    assert Entry.objects.filter(event="SIGNING_KEY_PUBLISHED").count() == 1
