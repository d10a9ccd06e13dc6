"""Mails about keys that are about to end, over real SMTP: each once, none lost, none to nobody."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import lifecycle
from accounts.models import User
from apikeys import expiry, keys
from apikeys.models import ApiKey
from siteconfig import configure
from tests.accounts.people import Person
from tests.api.people.script import Script
from tests.support.mailbox import Mailbox
from tests.support.server import ROOT, Server, free_port


@pytest.fixture
def mailbox(db: None) -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": mailbox.port, "smtp_from": "id@example.org"}
        configure.change(mail | {"email_api_key_expiration_enabled": True})
        yield mailbox


@pytest.fixture
def key(admin: Person) -> ApiKey:
    return a_key(admin)


def a_key(owner: Person, name: str = "backup", days: float = 30) -> ApiKey:
    return keys.create(owner.user, name=name, expires_at=timezone.now() + timedelta(days=days))[0]


def warned_after(**time: float) -> int:
    with time_machine.travel(timezone.now() + timedelta(**time), tick=False):
        return expiry.warn()


def test_a_key_is_told_of_once_and_a_week_before(mailbox: Mailbox, key: ApiKey, admin: Person) -> None:
    assert [warned_after(days=days) for days in (0, 22.9, 23.1, 23.2, 24, 29.9, 31)] == [0, 0, 1, 0, 0, 0, 0]
    assert mailbox.next()["Subject"] == 'API Key "backup" Expiring Soon'
    assert mailbox.is_empty
    assert Script(admin.user).read("/api/api-keys?sort[column]=name").json()["data"][0]["expirationEmailSent"] is True


def test_the_mail_says_which_key_when_and_where_to_go_and_holds_no_secret(mailbox: Mailbox, admin: Person) -> None:
    key, secret = keys.create(admin.user, name="backup", expires_at=timezone.now() + timedelta(days=30))
    warned_after(days=24)
    message = mailbox.next()
    assert message["To"] == "alice@example.org"
    plain, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for text in (plain, html):
        assert "backup" in text
        assert str(key.expires_at.year) in text
        assert "http://localhost:1411/settings/api-keys" in text
        for hidden in (secret, key.prefix, key.key_hash, str(key.pk)):
            assert hidden not in text
    assert '<html lang="en">' in html


def test_whoever_has_no_page_of_keys_is_not_sent_there(mailbox: Mailbox, person: Person) -> None:
    a_key(person)
    warned_after(days=24)
    assert "/settings/api-keys" not in mailbox.next().get_body(("plain",)).get_content()


@pytest.mark.parametrize(("locale", "subject"), [("zh-CN", "即将过期"), ("en-GB", "Expiring"), ("tlh", "Expiring")])
def test_the_mail_is_in_its_readers_language(
    mailbox: Mailbox, key: ApiKey, admin: Person, locale: str, subject: str
) -> None:
    User.objects.filter(pk=admin.user.pk).update(locale=locale)
    warned_after(days=24)
    message = mailbox.next()
    assert subject in message["Subject"]
    assert ("你好" in message.get_body(("html",)).get_content()) == (locale == "zh-CN")


def test_a_name_writes_no_header_and_no_markup(mailbox: Mailbox, admin: Person) -> None:
    a_key(admin, "<b>\r\nBcc: mallory@evil.example 100%(s)s")
    warned_after(days=24)
    message = mailbox.next()
    assert message["Bcc"] is None
    assert message["Subject"] == 'API Key "<b> Bcc: mallory@evil.example 100%(s)s" Expiring Soon'
    assert "<b>" not in message.get_body(("html",)).get_content()


@pytest.mark.parametrize("why", ["revoked", "disabled", "no address", "switched off", "deleted", "ended", "fleeting"])
def test_nobody_is_told_of_what_does_not_concern_them(mailbox: Mailbox, key: ApiKey, person: Person, why: str) -> None:
    match why:
        case "revoked":
            keys.revoke(key)
        case "disabled":
            User.objects.filter(pk=key.user.pk).update(disabled=True)
        case "no address":
            key.user.email = None
            key.user.save()
        case "switched off":
            configure.change({"email_api_key_expiration_enabled": False})
        case "deleted":
            User.objects.filter(pk=person.user.pk).update(is_admin=True)
            lifecycle.delete(key.user)
        case "ended":
            ApiKey.objects.update(expires_at=timezone.now() + timedelta(days=23))
        case "fleeting":  # made for an hour by a program that makes many
            ApiKey.objects.update(created_at=timezone.now() + timedelta(days=23.5))
    assert warned_after(days=24) == 0
    assert mailbox.is_empty


def test_who_is_disabled_while_the_mails_go_out_gets_none(
    mailbox: Mailbox, admin: Person, person: Person, monkeypatch
) -> None:
    a_key(admin, days=29), a_key(person)
    tell = expiry.emails.expires_soon

    def tell_slowly(key: ApiKey, **how: object) -> None:
        tell(key, **how)
        User.objects.filter(pk=person.user.pk).update(disabled=True)

    monkeypatch.setattr(expiry.emails, "expires_soon", tell_slowly)
    assert warned_after(days=24) == 1
    assert mailbox.next()["To"] == "alice@example.org"
    assert mailbox.is_empty


def test_a_renewed_key_is_told_of_again(mailbox: Mailbox, key: ApiKey) -> None:
    assert warned_after(days=24) == 1
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        keys.renew(key, expires_at=timezone.now() + timedelta(days=30))
        assert expiry.warn() == 0
    assert warned_after(days=31 + 24) == 1


def test_what_the_mail_server_does_not_take_is_tried_again_and_not_all_the_time(
    mailbox: Mailbox, key: ApiKey, monkeypatch
) -> None:
    attempts = []
    tell = expiry.emails.expires_soon
    monkeypatch.setattr(expiry.emails, "expires_soon", lambda key, **how: attempts.append(key) or tell(key, **how))
    configure.change({"smtp_port": free_port()})
    assert [warned_after(days=24, hours=hours) for hours in (0, 1, 2, 3)] == [0, 0, 0, 0]
    assert len(attempts) == 1
    assert ApiKey.objects.get().expiry_mail_sent_at is None
    configure.change({"smtp_port": mailbox.port})
    assert [warned_after(days=24, hours=hours) for hours in (3.9, 4.1, 5)] == [0, 1, 0]
    assert mailbox.next()["To"] == "alice@example.org"


def test_one_address_that_is_refused_keeps_no_mail_from_others(mailbox: Mailbox, admin: Person, person: Person) -> None:
    a_key(admin, days=29), a_key(person)
    admin.user.email = "nobody\r\nRCPT TO:<x>@example.org"
    admin.user.save()
    assert warned_after(days=24) == 1
    assert mailbox.next()["To"] == "bob@example.org"


def test_a_mail_that_died_with_its_process_is_sent_by_the_next(mailbox: Mailbox, key: ApiKey, monkeypatch) -> None:
    def die(*_what: object, **_how: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(expiry.emails, "expires_soon", die)
        with pytest.raises(SystemExit):
            warned_after(days=24)
    assert [warned_after(days=24, minutes=minutes) for minutes in (1, 14, 16, 17)] == [0, 0, 1, 0]


def test_after_a_long_silence_there_is_one_mail_for_each_key(mailbox: Mailbox, admin: Person) -> None:
    for number in range(5):
        a_key(admin, f"key {number}", days=10 + number)
    assert [warned_after(days=9), warned_after(days=9, hours=5)] == [5, 0]
    assert Counter(mailbox.next()["Subject"] for _ in range(5)) == {
        f'API Key "key {number}" Expiring Soon': 1 for number in range(5)
    }
    assert mailbox.is_empty


PROGRAM = """
import sys
from datetime import datetime, timedelta
import time_machine
import django
django.setup()
from django.utils import timezone
from accounts.models import User
from apikeys import expiry, keys
from siteconfig import configure
if sys.argv[1] == "fill":
    alice = User.objects.create(username="alice", email="alice@example.org", is_admin=True)
    for number in range(20):
        keys.create(alice, name=f"key {number}", expires_at=timezone.now() + timedelta(days=30))
    configure.change({"smtp_host": "127.0.0.1", "smtp_port": int(sys.argv[2]), "smtp_from": "id@example.org",
                      "email_api_key_expiration_enabled": True})
else:
    with time_machine.travel(timezone.now() + timedelta(days=24), tick=True):
        sys.stdin.readline()
        print(expiry.warn())
"""


@pytest.mark.postgres
def test_of_processes_that_begin_at_once_each_key_is_told_of_by_one(live_database: str) -> None:
    server = Server(database_url=live_database)
    server.run("migrate")
    environment = server.environment | {"DJANGO_SETTINGS_MODULE": "pocketid.settings", "LOG_LEVEL": "error"}

    def begin(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    with Mailbox() as mailbox:
        assert begin("fill", str(mailbox.port)).communicate(timeout=60)[1] == ""
        processes = [begin("warn") for _ in range(3)]
        for process in processes:
            process.stdin.write(os.linesep)
            process.stdin.flush()
        sent = [process.communicate(timeout=60) for process in processes]
        assert [problems for _out, problems in sent] == ["", "", ""]
        assert sum(int(out) for out, _problems in sent) == 20
        assert len({mailbox.next()["Subject"] for _ in range(20)}) == 20
        assert mailbox.is_empty
