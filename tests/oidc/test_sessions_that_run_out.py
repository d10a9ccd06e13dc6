"""Apps hear of sessions that end by their time (OIDC Back-Channel Logout 1.0): each once, soon, and only who wants to."""

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import cleanup, sessions
from accounts.models import Session
from accounts.signals import sessions_ended
from audit.models import Entry
from oidc.models import Grant, LogoutDelivery
from pocketid.jobs import JOBS
from siteconfig.models import current
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.oidc.app import App, an_app, userinfo

pytestmark = [pytest.mark.postgres, pytest.mark.spec("Back-Channel Logout", "2.5")]


@pytest.fixture
def chat(db: None) -> App:
    return an_app("Chat", backchannel_logout_url="https://chat.example.org/logout", refresh_tokens="always")


def told() -> list[tuple[str, uuid.UUID | None]]:
    return list(LogoutDelivery.objects.order_by("client_name").values_list("client_name", "sid"))


@pytest.fixture
def over(browser: Browser, person: Person, chat: App) -> Iterator[Session]:
    """The session of somebody who used an app, half a minute after its end."""
    browser.sign_in(person)
    chat.tokens(browser)
    session = Session.objects.get()
    with time_machine.travel(session.expires_at + timedelta(seconds=30)):
        yield session


def test_each_app_that_took_part_is_told_once_with_the_session(browser: Browser, person: Person, chat: App) -> None:
    wiki = an_app("Wiki", backchannel_logout_url="https://wiki.example.org/logout")
    deaf, unused = an_app("Deaf"), an_app("Unused", backchannel_logout_url="https://unused.example.org")
    other = Browser()
    other.sign_in(a_person("carol"))
    unused.tokens(other)
    browser.sign_in(person)
    for app in (chat, wiki, deaf):
        app.tokens(browser)
    chat.tokens(browser)  # a second time
    mine = Session.objects.get(user=person.user)
    Session.objects.exclude(pk=mine.pk).update(expires_at=mine.expires_at + timedelta(hours=1))
    with time_machine.travel(mine.expires_at + timedelta(seconds=9)):
        assert sessions.end_expired() == 0
        assert told() == []
    with time_machine.travel(mine.expires_at + timedelta(seconds=11)):
        assert (sessions.end_expired(), sessions.end_expired()) == (1, 0)
        assert told() == [("Chat", mine.pk), ("Wiki", mine.pk)]
        assert set(LogoutDelivery.objects.values_list("subject", flat=True)) == {str(person.user.pk)}
        assert Session.objects.exclude(user=person.user).exists()


def test_the_job_comes_by_twice_a_minute() -> None:
    [job] = [job for job in JOBS if job.run is sessions.end_expired]
    assert job.every + sessions.SETTLED < timedelta(minutes=1)


def test_an_app_that_does_not_want_to_know_is_told_of_other_ends_only(
    browser: Browser, person: Person, chat: App
) -> None:
    chat.client.backchannel_logout_on_session_expiry = False
    chat.client.save()
    for _end in range(2):
        browser.sign_in(person)
        chat.tokens(browser)
        session = Session.objects.get()
        if _end:
            browser.press("sign-out", browser.get("/settings/account"))
            assert told() == [("Chat", session.pk)]
        else:
            with time_machine.travel(timezone.now() + timedelta(hours=2)):
                assert sessions.end_expired() == 1
            assert told() == []


def test_who_proves_in_time_that_it_is_them_is_not_announced(browser: Browser, person: Person, chat: App) -> None:
    browser.sign_in(person)
    chat.tokens(browser)
    first_end = Session.objects.get().expires_at
    with time_machine.travel(first_end - timedelta(minutes=1)):
        browser.sign_in(person)
    with time_machine.travel(first_end + timedelta(minutes=5)):
        assert sessions.end_expired() == 0
        assert told() == []
        assert browser.get("/settings/account").status_code == 200


def test_a_session_that_is_renewed_in_this_very_moment_goes_on(over: Session) -> None:
    """It was alive when the request began."""

    def renew(execute, sql, params, many, context):
        if sql.startswith("SELECT") and "LIMIT 200" in sql:
            Session.objects.filter(pk=over.pk).update(expires_at=timezone.now() + timedelta(hours=1))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(renew):
        assert sessions.end_expired() == 0
    assert told() == []
    assert Session.objects.filter(pk=over.pk).exists()


@pytest.mark.parametrize(("off_for", "is_told"), [(timedelta(hours=23), True), (timedelta(hours=25), False)])
def test_what_ended_while_the_server_was_off_is_told_within_a_day(
    over: Session, off_for: timedelta, is_told: bool
) -> None:
    with time_machine.travel(over.expires_at + off_for):
        assert sessions.end_expired() == 1
        assert told() == ([("Chat", over.pk)] if is_told else [])
        assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_told_now_is_told_later(over: Session) -> None:
    """As when the process dies between the two: neither half is there without the other."""

    class Killed(Exception):
        pass

    def die(**_more: object) -> None:
        raise Killed

    sessions_ended.connect(die)
    try:
        with pytest.raises(Killed):
            sessions.end_expired()
        with pytest.raises(Killed):
            sessions.end(over)
    finally:
        sessions_ended.disconnect(die)
    assert (Session.objects.count(), told()) == (1, [])
    assert sessions.end_expired() == 1
    assert told() == [("Chat", over.pk)]


def test_an_app_that_is_deleted_in_this_very_moment_stops_nobody(over: Session, chat: App) -> None:
    deleted: list[object] = []

    def delete(execute, sql, params, many, context):
        if not deleted and sql.startswith("SELECT") and 'FROM "oidc_client" WHERE "oidc_client"."id"' in sql:
            deleted.append(chat.client.pk)
            deleted.append(chat.client.delete())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delete):
        assert sessions.end_expired() == 1
    assert deleted
    assert told() == []


def test_the_hourly_cleaning_tells_as_well(over: Session) -> None:
    cleanup.delete_expired()
    assert told() == [("Chat", over.pk)]


def test_tokens_live_on_and_the_audit_log_is_not_filled(browser: Browser, person: Person, chat: App) -> None:
    """Nobody asked to be signed out; what apps may have beyond a session, they were allowed to have."""
    browser.sign_in(person)
    tokens = chat.tokens(browser)
    entries = Entry.objects.count()
    with time_machine.travel(Session.objects.get().expires_at - timedelta(minutes=1)):
        tokens = chat.refresh(tokens["refresh_token"]).json()
    with time_machine.travel(Session.objects.get().expires_at + timedelta(minutes=1)):
        assert sessions.end_expired() == 1
        assert userinfo(tokens["access_token"]).status_code == 200
        assert chat.refresh(tokens["refresh_token"]).status_code == 200
    assert Entry.objects.count() == entries
    assert not Grant.objects.filter(revoked_at__isnull=False).exists()


def test_many_end_in_batches_of_a_few_statements(person: Person, chat: App) -> None:
    now, many = timezone.now(), 3 * sessions.AT_ONCE + 50
    rows = Session.objects.bulk_create(
        Session(user=person.user, key_hash=f"{number}", auth_time=now, expires_at=now - timedelta(minutes=1))
        for number in range(many)
    )
    Grant.objects.bulk_create(
        Grant(
            user=person.user,
            application=chat.client,
            code=str(session.pk),
            sid=session.pk,
            auth_time=now,
            expires=now,
            redirect_uri="x",
            scope="openid",
        )
        for session in rows
    )
    with CaptureQueriesContext(
        connection,
    ) as statements:
        assert sessions.end_expired() == many
    assert len(statements) < 4 * 12
    assert len(set(told())) == LogoutDelivery.objects.count() == many


def test_it_does_not_look_at_what_it_need_not(person: Person, django_assert_num_queries) -> None:
    """Twice a minute in every process: two statements, and no lock."""
    sessions.start(person.user, methods=["phr"], place=sessions.Place(), lifetime=current().session_lifetime)
    with django_assert_num_queries(2):
        assert sessions.end_expired() == 0
