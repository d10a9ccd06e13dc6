"""Where somebody is signed in: a row each, which ends when it is told to."""

import pytest
import time_machine
from django.conf import settings
from django.db import connection

from accounts.models import Session
from core.secrets import hash_token
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.accounts.test_registration import refusal, timedelta_from_now

pytestmark = pytest.mark.postgres


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/api/webauthn/credentials").status_code == 200


def test_a_session_is_a_row_that_knows_how_and_where(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    row = Session.objects.get()
    assert row.key_hash == hash_token(browser.session_key) != browser.session_key
    assert (row.user, row.methods, row.ip_address) == (person.user, ("phr",), "127.0.0.1")
    assert "Firefox" in row.user_agent


@pytest.mark.spec("Pocket ID contract", "8.2")
def test_the_cookie_is_for_this_site_and_its_server_alone(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    morsel = browser.cookies[settings.SESSION_COOKIE_NAME]
    assert settings.SESSION_COOKIE_NAME == "access_token"
    assert (morsel["path"], morsel["domain"], morsel["samesite"], bool(morsel["httponly"]), bool(morsel["secure"])) == (
        "/",
        "",
        "Lax",
        True,
        True,
    )
    assert 3590 <= int(morsel["max-age"]) <= 3600
    assert len(morsel.value) >= 43


def test_the_key_works_as_a_bearer_token_of_the_api(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    stranger = Browser()
    assert (
        stranger.get(
            "/api/webauthn/credentials", headers={"Authorization": f"Bearer {browser.session_key}"}
        ).status_code
        == 200
    )
    assert (
        stranger.get("/settings/account", headers={"Authorization": f"Bearer {browser.session_key}"}).status_code == 302
    )


@pytest.mark.parametrize("cookie", ["", "x", "0" * 43, "x" * 9000, "ü", "a\x00b", "'; DROP TABLE accounts_session; --"])
def test_a_cookie_that_is_no_key_is_nobody(browser: Browser, person: Person, cookie: str) -> None:
    browser.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert not is_signed_in(browser)
    assert browser.get("/settings/account").status_code == 302


def test_signing_in_gives_a_new_key_whatever_the_browser_had(browser: Browser, person: Person) -> None:
    browser.cookies[settings.SESSION_COOKIE_NAME] = "planted by somebody"
    browser.sign_in(person)
    first = browser.session_key
    assert first != "planted by somebody"
    browser.sign_in(person)
    assert browser.session_key != first
    assert Session.objects.count() == 1


@pytest.mark.spec("attacks.md", "D29")
def test_signing_out_ends_the_session_and_every_copy_of_its_cookie(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    thief = browser.copy()
    answer = browser.post("/api/webauthn/logout")
    assert answer.status_code == 204
    assert answer.cookies[settings.SESSION_COOKIE_NAME].value == ""
    assert int(answer.cookies[settings.SESSION_COOKIE_NAME]["max-age"]) == 0
    assert not is_signed_in(thief)
    assert not Session.objects.exists()
    assert refusal(browser.post("/api/webauthn/logout")) == (401, "not_signed_in")


def test_a_session_ends_with_its_time(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    with time_machine.travel(timedelta_from_now(minutes=59)):
        assert is_signed_in(browser)
    with time_machine.travel(timedelta_from_now(minutes=61)):
        assert not is_signed_in(browser)


def test_the_operator_says_how_long_a_session_is(browser: Browser, person: Person) -> None:
    from siteconfig.models import SiteConfiguration

    SiteConfiguration.objects.update(session_duration=5)
    browser.sign_in(person)
    assert int(browser.cookies[settings.SESSION_COOKIE_NAME]["max-age"]) <= 300
    with time_machine.travel(timedelta_from_now(minutes=6)):
        assert not is_signed_in(browser)


def test_a_disabled_person_is_refused_at_once_everywhere(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    person.user.disabled = True
    person.user.save()
    assert refusal(browser.get("/api/webauthn/credentials")) == (403, "user_disabled")
    assert refusal(browser.get("/api/webauthn/register/start")) == (403, "user_disabled")
    assert browser.get("/settings/account").status_code == 403
    assert browser.get("/admin/").status_code in (302, 403)


def test_a_deleted_person_is_nobody(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    person.user.delete()
    assert not is_signed_in(browser)
    assert not Session.objects.exists()


@pytest.mark.parametrize("by", ["signing in", "proving"])
def test_who_is_signed_out_while_they_prove_themselves_gets_no_error(browser: Browser, person: Person, by: str) -> None:
    """In another tab, or by an administrator, between the look at the session and its renewal: it stays ended."""
    browser.sign_in(person)
    ended = Session.objects.get()

    def end(execute, sql, params, many, context):
        if sql.startswith('UPDATE "accounts_session"') and "proved_at" in sql:
            Session.objects.filter(pk=ended.pk).delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(end):
        if by == "signing in":
            browser.sign_in(person)
        else:
            proof = person.device.get(browser.login_options())
            assert refusal(browser.send("/api/webauthn/reauthenticate", proof)) == (401, "not_signed_in")
    assert not Session.objects.filter(pk=ended.pk).exists()
    assert is_signed_in(browser) == (by == "signing in")
