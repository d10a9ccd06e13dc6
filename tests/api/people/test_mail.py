"""Mail that really leaves the server, over SMTP (contract sections 6.2, 6.6, 7.3 and 12.1)."""

import re
from collections.abc import Iterator

import pytest
from django.utils import timezone

from accounts import login_codes
from accounts.models import EmailVerification, User
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields
from tests.support.mailbox import Mailbox

EVERY_MAIL = {
    "email_one_time_access_as_unauthenticated_enabled": True,
    "email_one_time_access_as_admin_enabled": True,
    "email_verification_enabled": True,
    "email_api_key_expiration_enabled": True,
}


@pytest.fixture
def mailbox(configured) -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        configured(smtp_host="127.0.0.1", smtp_port=mailbox.port, smtp_from="id@example.org", **EVERY_MAIL)
        yield mailbox


def text(message) -> str:
    return message.get_body(("plain",)).get_content()


def test_a_test_mail_arrives_in_two_forms(script: Script, mailbox: Mailbox) -> None:
    assert script.make("/api/application-configuration/test-email").status_code == 204
    message = mailbox.next()
    assert (message["To"], message["From"], message["Subject"]) == (
        "alice@example.org",
        "Pocket ID <id@example.org>",
        "Test email",
    )
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_a_mailed_code_signs_in_the_browser_that_asked(
    mailbox: Mailbox, person: Person, django_capture_on_commit_callbacks
) -> None:
    browser = Script()
    with django_capture_on_commit_callbacks(execute=True):
        assert (
            browser.make(
                "/api/one-time-access-email", {"email": "BOB@example.org", "redirectPath": "/authorize?a=b"}
            ).status_code
            == 204
        )
    message = mailbox.next()
    assert (message["To"], message["Subject"]) == ("bob@example.org", "Login Code")
    code = re.search(r"/lc/(\w{6})\?redirect=%2Fauthorize%3Fa%3Db", text(message))[1]
    assert code in message.get_body(("html",)).get_content()
    assert refusal(Script().make(f"/api/one-time-access-token/{code}")) == (401, "device_code_invalid")
    assert browser.make(f"/api/one-time-access-token/{code}").json()["id"] == person.subject


@pytest.mark.parametrize("path", ["//evil.example/x", "https://evil.example/", "/\\evil.example"])
def test_a_mailed_link_leads_nowhere_else(
    mailbox: Mailbox, person: Person, django_capture_on_commit_callbacks, path: str
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        Script().make("/api/one-time-access-email", {"email": "bob@example.org", "redirectPath": path})
    assert "evil" not in text(mailbox.next())


def test_nobody_is_mailed_at_an_address_nobody_has(
    mailbox: Mailbox, person: Person, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as calls:
        Script().make("/api/one-time-access-email", {"email": "nobody@example.org"})
    assert calls == []


def test_an_administrator_mails_a_code_that_works_anywhere(
    script: Script, mailbox: Mailbox, person: Person, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert script.make(f"/api/users/{person.subject}/one-time-access-email", {"ttl": "1h"}).status_code == 204
    code = re.search(r"/lc/(\w{12})\s", text(mailbox.next()))[1]
    assert Script().make(f"/api/one-time-access-token/{code}").status_code == 200


@pytest.mark.spec("attacks.md", "F14")
def test_names_write_no_headers_and_no_markup(
    mailbox: Mailbox, person: Person, configured, script: Script, django_capture_on_commit_callbacks
) -> None:
    configured(app_name='Ev"il\r\nBcc: x@example.com')
    person.user.first_name, person.user.last_name = "<img src=x>", ""
    person.user.save()
    with django_capture_on_commit_callbacks(execute=True):
        script.make(f"/api/users/{person.subject}/one-time-access-email", {})
    message = mailbox.next()
    assert message["Bcc"] is None
    assert message["From"] == '"Evil Bcc: x@example.com" <id@example.org>'
    assert "<img src=x>" not in message.get_body(("html",)).get_content()
    assert "Hello <img src=x>," in text(message)


# The language of a mail


@pytest.mark.parametrize(
    ("locale", "asked_in", "subject", "words"),
    [
        (None, "en", "Login Code", "Hello Bob Example,"),
        (None, "zh-Hans", "登录码", "你好"),
        ("zh-CN", "en", "登录码", "你好"),
        ("en-GB", "zh-Hans", "Login Code", "Hello Bob Example,"),
        ("pt-BR", "zh-Hans", "登录码", "你好"),
    ],
)
def test_a_mail_is_in_one_language_its_readers_own_if_we_speak_it(
    mailbox: Mailbox,
    person: Person,
    django_capture_on_commit_callbacks,
    locale,
    asked_in: str,
    subject: str,
    words: str,
) -> None:
    """Else in that in which it was asked for, though another thread sends it."""
    User.objects.filter(pk=person.user.pk).update(locale=locale)
    with django_capture_on_commit_callbacks(execute=True):
        Script().make("/api/one-time-access-email", {"email": "bob@example.org"}, headers={"Accept-Language": asked_in})
    message = mailbox.next()
    assert message["Subject"] == subject
    html = message.get_body(("html",)).get_content()
    assert words in text(message)
    assert words in html
    assert f'<html lang="{"en" if subject == "Login Code" else "zh-hans"}">' in html


# Verifying an address


def test_an_address_is_verified_by_its_link(
    mailbox: Mailbox, person: Person, django_capture_on_commit_callbacks
) -> None:
    User.objects.filter(pk=person.user.pk).update(email_verified=False)
    own = Script(User.objects.get(pk=person.user.pk))
    with django_capture_on_commit_callbacks(execute=True):
        assert own.make("/api/users/me/send-email-verification").status_code == 204
    message = mailbox.next()
    assert message["Subject"] == "Verify your Pocket ID email address"
    token = re.search(r"/verify-email\?token=([\w-]+)", text(message))[1]
    assert refusal(own.make("/api/users/me/verify-email", {"token": "wrong"})) == (
        400,
        "invalid_email_verification_token",
    )
    assert wrong_fields(own.make("/api/users/me/verify-email", {})) == [("token", "required")]
    assert own.make("/api/users/me/verify-email", {"token": token}).status_code == 204
    assert own.read("/api/users/me").json()["emailVerified"] is True
    assert refusal(own.make("/api/users/me/verify-email", {"token": token})) == (
        400,
        "invalid_email_verification_token",
    )


@pytest.mark.spec("attacks.md", "D17")
def test_a_link_is_for_one_person_one_address_and_one_day(
    mailbox: Mailbox, person: Person, admin: Person, django_capture_on_commit_callbacks
) -> None:
    own, other = Script(person.user), Script(admin.user)

    def link() -> str:
        with django_capture_on_commit_callbacks(execute=True):
            own.make("/api/users/me/send-email-verification")
        return re.search(r"token=([\w-]+)", text(mailbox.next()))[1]

    token = link()
    assert other.make("/api/users/me/verify-email", {"token": token}).status_code == 400
    person.user.email, person.user.email_verified = "elsewhere@example.org", False
    person.user.save()
    assert own.make("/api/users/me/verify-email", {"token": token}).status_code == 400
    token = link()
    EmailVerification.objects.update(expires_at=timezone.now())
    assert own.make("/api/users/me/verify-email", {"token": token}).status_code == 400


def test_what_is_not_set_up_is_said_before_anything_is_done(person: Person, script: Script, configured) -> None:
    own = Script(person.user)
    assert refusal(own.make("/api/users/me/send-email-verification")) == (403, "email_verification_disabled")
    configured(email_verification_enabled=True)
    assert refusal(own.make("/api/users/me/send-email-verification")) == (409, "email_not_configured")
    assert refusal(script.make("/api/application-configuration/test-email")) == (409, "email_not_configured")
    configured(smtp_host="127.0.0.1", smtp_port=1, smtp_from="id@example.org")
    assert refusal(script.make("/api/application-configuration/test-email")) == (502, "email_not_sent")


# A device nobody has seen


def test_a_sign_in_from_elsewhere_is_told_and_one_from_home_is_not(
    mailbox: Mailbox, person: Person, configured, django_capture_on_commit_callbacks
) -> None:
    configured(email_login_notification_enabled=True)

    def sign_in(address: str) -> bool:
        code = login_codes.create(person.user).code
        with django_capture_on_commit_callbacks(execute=True) as sent:
            answer = Script().make(f"/api/one-time-access-token/{code}", REMOTE_ADDR=address)
            assert answer.status_code == 200
        return bool(sent)

    assert [sign_in(address) for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2")] == [
        False,
        False,
        True,
        False,
    ]
    message = mailbox.next()
    assert message["Subject"] == "New device login with Pocket ID"
    assert "192.0.2.2" in text(message)
