"""Codes and links that come by mail, on their pages; the mail goes over real SMTP (contract sections 6.2 and 6.6)."""

import re
from collections.abc import Iterator

import pytest

from accounts.models import EmailVerification
from audit.models import Entry, Event
from siteconfig import configure
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.support.mailbox import Mailbox

EVERY_MAIL = {"email_one_time_access_as_unauthenticated_enabled": True, "email_verification_enabled": True}


@pytest.fixture
def mailbox(db: None) -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        configure.change(
            {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "smtp_from": "id@example.org"} | EVERY_MAIL
        )
        yield mailbox


def text(message) -> str:
    return message.get_body(("plain",)).get_content()


def test_a_mailed_code_signs_in_and_goes_on(
    browser: Browser, mailbox: Mailbox, person: Person, django_capture_on_commit_callbacks
) -> None:
    assert 'data-action="use-email-code"' in browser.get("/login").text
    page = browser.get("/login/alternative/email?redirect=/device")
    with django_capture_on_commit_callbacks(execute=True):
        sent = browser.press("email-code-send", page, email="BOB@example.org")
    assert sent["Location"] == "/login/alternative/code?sent=&redirect=%2Fdevice"
    mail = text(mailbox.next())
    assert "/lc/" in mail
    (code,) = set(re.findall(r"/lc/(\w+)", mail))
    assert "redirect=%2Fdevice" in mail
    asked = browser.get(sent["Location"])
    assert "a code is on its way" in asked.text
    wrong = browser.press("login-code-submit", asked, code="abcdef")
    assert "wrong, used or expired" in wrong.text
    assert Entry.objects.filter(event=Event.LOGIN_CODE_REJECTED).count() == 1
    went = browser.press("login-code-submit", wrong, code=code)
    assert (went.status_code, went["Location"]) == (302, "/device")
    assert browser.cookies["device_token"].value == ""
    assert person.user.sessions.get().methods == ("otp",)


def test_a_mailed_code_is_worth_nothing_in_another_browser(
    browser: Browser, mailbox: Mailbox, person: Person, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        browser.press("email-code-send", browser.get("/login/alternative/email"), email="bob@example.org")
    (code,) = set(re.findall(r"/lc/(\w+)", text(mailbox.next())))
    thief = Browser()
    refused = thief.press("login-code-submit", thief.get(f"/lc/{code}"))
    assert refused.status_code == 401
    assert "must be used on the device" in refused.text


@pytest.mark.spec("attacks", "D14")
def test_an_unknown_address_is_answered_alike(browser: Browser, mailbox: Mailbox, person: Person) -> None:
    answers = []
    for address in ("bob@example.org", "nobody@example.org"):
        visitor = Browser()
        sent = visitor.press("email-code-send", visitor.get("/login/alternative/email"), email=address)
        cookie = visitor.cookies["device_token"]
        answers.append((sent.status_code, sent["Location"], len(cookie.value), cookie["max-age"], cookie["path"]))
    assert answers[0] == answers[1]


def test_what_is_no_address_is_said(browser: Browser, mailbox: Mailbox, person: Person) -> None:
    page = browser.press("email-code-send", browser.get("/login/alternative/email"), email="bob")
    assert page.status_code == 422
    assert 'class="wrong"' in page.text


def test_a_server_that_mails_no_codes_says_so(browser: Browser, person: Person) -> None:
    page = browser.get("/login/alternative/email?redirect=/device")
    assert page.status_code == 403
    assert "This server mails no codes" in page.text
    assert "/login/alternative/email" not in browser.get("/login").text + browser.get("/login/alternative").text


def test_the_ways_that_are_open_are_listed(browser: Browser, mailbox: Mailbox, person: Person) -> None:
    page = browser.get("/login/alternative?redirect=/device").text
    assert 'href="/login/alternative/code?redirect=/device"' in page
    assert 'href="/login/alternative/email?redirect=/device"' in page
    browser.sign_in(person)
    assert browser.get("/login/alternative")["Location"] == "/settings/account"


def test_an_address_is_verified_from_the_account_page(
    browser: Browser, mailbox: Mailbox, person: Person, django_capture_on_commit_callbacks
) -> None:
    person.user.email_verified = False
    person.user.save()
    browser.sign_in(person)
    with django_capture_on_commit_callbacks(execute=True):
        browser.press("email-verify", browser.get("/settings/account"))
    assert "A link is on its way to bob@example.org" in browser.get("/settings/account").text
    (link,) = set(re.findall(r"http://localhost:1411(/verify-email\?token=\S+)", text(mailbox.next())))
    stranger = Browser()
    assert stranger.get(link)["Location"].startswith("/login?redirect=%2Fverify-email%3Ftoken")
    browser.head(link)
    person.user.refresh_from_db()
    assert not person.user.email_verified
    assert browser.get(link)["Location"] == "/settings/account"
    person.user.refresh_from_db()
    assert person.user.email_verified
    page = browser.get("/settings/account").text
    assert "Your e-mail address is verified." in page
    assert 'data-action="email-verify"' not in page
    assert Entry.objects.filter(event=Event.EMAIL_VERIFIED).count() == 1
    browser.get(link)
    assert "is verified already" in browser.get("/settings/account").text


def test_a_wrong_link_says_what_to_do(browser: Browser, mailbox: Mailbox, person: Person) -> None:
    person.user.email_verified = False
    person.user.save()
    browser.sign_in(person)
    browser.get("/verify-email?token=wrong")
    assert "Email verification token is invalid. Ask for a new link." in browser.get("/settings/account").text
    assert not EmailVerification.objects.exists()
