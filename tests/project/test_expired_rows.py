"""Every table whose rows come to an end is emptied by the jobs, in small transactions, and of nothing that still counts."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django.apps import apps
from django.db import connection, models
from django.utils import timezone
from oauth2_provider.models import AbstractIDToken

from accounts.models import Ceremony, DeviceLogin, EmailVerification, LoginCode, Session, SignupToken, User
from apikeys.models import ApiKey
from audit.models import Entry
from core import batches
from oidc.models import (
    AccessToken,
    Client,
    ClientSecret,
    DeviceGrant,
    Grant,
    LogoutDelivery,
    PendingAuthorization,
    PushedRequest,
    RefreshToken,
    SigningKey,
    UsedAssertion,
)
from pocketid.jobs import JOBS
from siteconfig.models.rate_bucket import RateBucket
from tests.accounts.people import Person
from tests.oidc.app import App

pytestmark = pytest.mark.postgres
MANY = 1300  # more than two batches of each
LONG_AGO = timedelta(days=400)
# What has an end and is kept beyond it, and why.
KEPT = {
    ApiKey: "its owner sees in the list that it has ended, and renews it",
    ClientSecret: "administrators see in the list which one has ended",
    Client: "its end is that of a document that is fetched again",
    SigningKey: "goes 90 days after it has retired (test_key_rotation.py)",
}


def clean_up() -> None:
    for job in JOBS:
        if job.name.startswith("delete"):
            job.run()


def rows_of(person: Person, app: App, *, ended: bool) -> dict[type[models.Model], Callable[[int], models.Model]]:
    """How to make the nth row of each table: one that ended long ago, or one that has not."""
    now = timezone.now()
    at = now - LONG_AGO if ended else now + timedelta(days=1)
    user, client = person.user, app.client
    others = User.objects.exclude(pk__in=EmailVerification.objects.values("user_id")).iterator()

    def text(number: int) -> str:
        return f"{ended}{number}".rjust(64, "x")

    return {
        Session: lambda n: Session(user=user, key_hash=text(n), auth_time=now, expires_at=at),
        LoginCode: lambda n: LoginCode(user=user, code_hash=text(n), expires_at=at),
        SignupToken: lambda n: SignupToken(token_hash=text(n), usage_limit=1, created_at=now, expires_at=at),
        EmailVerification: lambda n: EmailVerification(user=next(others), token_hash=text(n), expires_at=at),
        DeviceLogin: lambda n: DeviceLogin(code_hash=text(n), secret_hash="x", created_at=now, expires_at=at),
        Ceremony: lambda n: Ceremony(key_hash=text(n), kind="authentication", challenge=b"x", expires_at=at),
        Grant: lambda n: Grant(user=user, application=client, code=text(n), expires=at, auth_time=now),
        RefreshToken: lambda n: RefreshToken(token_checksum=text(n), grant=Grant.objects.latest("pk"), expires=at),
        AccessToken: lambda n: AccessToken(token_checksum=text(n), application=client, expires=at),
        DeviceGrant: lambda n: DeviceGrant(
            application=client, device_code=text(n), user_code=text(n), expires=at, interval=5
        ),
        PendingAuthorization: lambda n: PendingAuthorization(client=client, parameters={}, expires_at=at),
        PushedRequest: lambda n: PushedRequest(key_hash=text(n), client=client, parameters={}, expires_at=at),
        UsedAssertion: lambda n: UsedAssertion(key_hash=text(n), expires_at=at),
        LogoutDelivery: lambda n: LogoutDelivery(client_id="x", url="https://app.example.org", subject="x"),
        RateBucket: lambda n: RateBucket(name=text(n), full_at=at.timestamp()),
        Entry: lambda n: Entry(event="SIGN_IN", user=user),
    }


def make(person: Person, app: App, *, ended: bool, how_many: int) -> None:
    for model, row in rows_of(person, app, ended=ended).items():
        made = model._default_manager.bulk_create([row(number) for number in range(how_many)])
        if ended and model in (LogoutDelivery, Entry):  # whose age counts
            model._default_manager.filter(pk__in=[each.pk for each in made]).update(
                created_at=timezone.now() - LONG_AGO
            )


def test_every_table_whose_rows_end_is_known(person: Person, client_app: App) -> None:
    ending = {
        model
        for model in apps.get_models()
        if any(field.name.startswith("expires") or "_expires" in field.name for field in model._meta.concrete_fields)
        and not issubclass(model, AbstractIDToken)  # never written
    }
    assert ending - {*KEPT, *rows_of(person, client_app, ended=True)} == set()


def test_what_has_ended_goes_a_few_rows_at_a_time_and_the_rest_stays(
    person: Person, client_app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.bulk_create(User(username=f"person{number}") for number in range(MANY + 5))
    make(person, client_app, ended=True, how_many=MANY)
    make(person, client_app, ended=False, how_many=3)
    largest: dict[str, int] = {}

    def watch(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith("DELETE"):
            table = sql.split()[2]
            largest[table] = max(largest.get(table, 0), context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(watch):
        clean_up()
    left = {model.__name__: model._default_manager.count() for model in rows_of(person, client_app, ended=False)}
    assert left == dict.fromkeys(left, 3)
    assert {table.strip('"') for table in largest} >= {
        model._meta.db_table for model in rows_of(person, client_app, ended=False)
    }
    assert max(largest.values()) <= batches.SIZE
    clean_up()  # harmless when it is run again


def test_the_table_is_gone_through_once(person: Person, django_assert_max_num_queries) -> None:
    """Rows that stay are not looked at again for each batch that goes."""
    now, number = timezone.now(), count()

    def session(*, ended: bool) -> Session:
        at = now - LONG_AGO if ended else now + LONG_AGO
        return Session(
            id=uuid.UUID(int=next(number)), user=person.user, key_hash=uuid.uuid4().hex, auth_time=now, expires_at=at
        )

    Session.objects.bulk_create(session(ended=index % 2 == 0) for index in range(4 * batches.SIZE))
    with django_assert_max_num_queries(3 * 6):  # a look, a second look and the rows that hang on it, for each batch
        assert batches.delete(Session.objects.filter(expires_at__lte=now)) == 2 * batches.SIZE
    assert Session.objects.count() == 2 * batches.SIZE


def test_a_row_that_was_renewed_meanwhile_stays(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    session = Session.objects.create(user=person.user, key_hash="x", auth_time=now, expires_at=now - LONG_AGO)
    expired = Session.objects.filter(expires_at__lte=now)

    def renew(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT") and "ORDER BY" in sql:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE accounts_session SET expires_at = %s", [str(now + LONG_AGO)])
        return result

    with connection.execute_wrapper(renew):
        assert batches.delete(expired) == 0
    assert Session.objects.filter(pk=session.pk).exists()


def test_the_audit_log_is_kept_for_as_long_as_the_operator_wants(person: Person, settings) -> None:
    Entry.objects.create(event="SIGN_IN", user=person.user)
    Entry.objects.update(created_at=timezone.now() - timedelta(days=89))
    clean_up()
    assert Entry.objects.count() == 1
    Entry.objects.update(created_at=timezone.now() - LONG_AGO)
    settings.AUDIT_LOG_RETENTION_DAYS = 0
    clean_up()
    assert Entry.objects.count() == 1
    settings.AUDIT_LOG_RETENTION_DAYS = 90
    clean_up()
    assert Entry.objects.count() == 0
