"""Login codes (contract section 6.2)."""

import re
import threading

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import cleanup, login_codes
from accounts.models import LoginCode, User
from audit.models import Entry
from core.errors import AppError
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields

pytestmark = pytest.mark.postgres


@pytest.fixture
def path(person: Person) -> str:
    return f"/api/users/{person.subject}/one-time-access-token"


def test_a_code_signs_in_once(script: Script, stranger: Script, person: Person, path: str) -> None:
    code = script.make(path, {"ttl": "15m"}).json()["token"]
    answer = stranger.make(f"/api/one-time-access-token/{code}")
    assert (answer.status_code, answer.json()["id"]) == (200, person.subject)
    assert answer.cookies[settings.SESSION_COOKIE_NAME]["httponly"]
    assert stranger.read("/api/users/me").json()["username"] == "bob"
    assert Entry.objects.filter(event="TOKEN_SIGN_IN", username="bob").exists()
    assert refusal(stranger.make(f"/api/one-time-access-token/{code}")) == (401, "token_invalid_or_expired")


def test_a_code_is_short_while_it_is_fresh_and_easy_to_read(script: Script, path: str) -> None:
    for ttl, length in (("15m", 6), ("16m", 12), (None, 6), (0, 6), (3600, 12), ("1h30m", 12), (900.0, 6), ("900s", 6)):
        code = script.make(path, {"ttl": ttl}).json()["token"]
        assert re.fullmatch(f"[a-hj-km-np-zA-HJKM-NP-Z0-9]{{{length}}}", code), (ttl, code)
    assert not LoginCode.objects.filter(code_hash=code).exists()


def test_what_looks_alike_is_the_same(person: Person, stranger: Script, monkeypatch) -> None:
    monkeypatch.setattr(login_codes, "ALPHABET", "01")
    code = login_codes.create(person.user).code
    assert stranger.make("/api/one-time-access-token/" + code.replace("1", "I").replace("0", "o")).status_code == 200


@pytest.mark.parametrize(
    ("ttl", "code"), [("745h", "ttl"), ("500ms", "ttl"), (-5, "ttl"), ("-1h", "ttl"), (1e300, "ttl"), (1, "ttl")]
)
def test_how_long_a_code_may_live(script: Script, path: str, ttl: object, code: str) -> None:
    assert wrong_fields(script.make(path, {"ttl": ttl})) == [("ttl", code)]


@pytest.mark.parametrize("ttl", ["soon", "900", "", True, [], "1h" * 100])
def test_what_is_no_duration_makes_the_body_unreadable(script: Script, path: str, ttl: object) -> None:
    assert refusal(script.make(path, {"ttl": ttl})) == (400, "invalid_request_body")
    assert refusal(script.make(path)) == (400, "invalid_request_body")


@pytest.mark.parametrize("code", ["AAAA", "AAAAAA", "x" * 500, "%00", "ü" * 6])
def test_a_wrong_code_is_wrong_in_one_way_only(stranger: Script, code: str) -> None:
    assert refusal(stranger.make(f"/api/one-time-access-token/{code}")) == (401, "token_invalid_or_expired")


def test_a_code_ends_with_its_time_and_with_its_owner(
    script: Script, stranger: Script, person: Person, path: str
) -> None:
    code = script.make(path, {"ttl": "15m"}).json()["token"]
    with time_machine.travel(timezone.now() + login_codes.TTL * 2, tick=False):
        assert refusal(stranger.make(f"/api/one-time-access-token/{code}")) == (401, "token_invalid_or_expired")
        cleanup.delete_expired()
        assert not LoginCode.objects.exists()
    code = script.make(path, {}).json()["token"]
    User.objects.filter(pk=person.user.pk).update(disabled=True)
    assert refusal(stranger.make(f"/api/one-time-access-token/{code}")) == (403, "user_disabled")


@pytest.mark.spec("attacks.md", "D13, D18")
@pytest.mark.django_db(transaction=True)
def test_of_many_who_use_a_code_at_once_one_gets_in() -> None:
    user = User.objects.create(username="bob")
    code = login_codes.create(user).code
    outcomes: list[str] = []

    def redeem() -> None:
        try:
            outcomes.append(login_codes.redeem(code).username)
        except AppError as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=redeem) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["bob", *["token_invalid_or_expired"] * 7]


# By mail


def test_codes_by_mail_are_off_at_first(script: Script, stranger: Script, person: Person) -> None:
    assert refusal(stranger.make("/api/one-time-access-email", {"email": "bob@example.org"})) == (
        403,
        "one_time_access_disabled",
    )
    assert refusal(script.make(f"/api/users/{person.subject}/one-time-access-email", {})) == (
        403,
        "one_time_access_disabled",
    )


@pytest.mark.spec("attacks.md", "D14")
def test_an_address_nobody_has_is_answered_alike(
    stranger: Script, person: Person, configured, django_assert_num_queries
) -> None:
    configured(email_one_time_access_as_unauthenticated_enabled=True)
    answers = []
    for email in ("bob@example.org", "nobody@example.org"):
        with django_assert_num_queries(5):
            answers.append(Script().make("/api/one-time-access-email", {"email": email}))
    known, unknown = answers
    assert known.status_code == unknown.status_code == 204
    one, other = (answer.cookies["device_token"] for answer in answers)
    assert len(one.value) == len(other.value) == 16
    assert {name: value for name, value in one.items() if name != "expires"} == {
        name: value for name, value in other.items() if name != "expires"
    }
    assert (one["path"], one["max-age"], one["samesite"]) == ("/", 900, "Lax")


@pytest.mark.spec("attacks.md", "D17")
def test_a_mailed_code_works_in_the_browser_that_asked(stranger: Script, person: Person) -> None:
    new = login_codes.create(person.user, for_this_browser_only=True)
    assert refusal(stranger.make(f"/api/one-time-access-token/{new.code}")) == (401, "device_code_invalid")
    stranger.cookies["device_token"] = "another"
    assert refusal(stranger.make(f"/api/one-time-access-token/{new.code}")) == (401, "device_code_invalid")
    stranger.cookies["device_token"] = new.browser_key
    assert stranger.make(f"/api/one-time-access-token/{new.code}").status_code == 200


def test_a_person_without_address_cannot_be_mailed(script: Script, configured) -> None:
    configured(email_one_time_access_as_admin_enabled=True)
    user = User.objects.create(username="nomail")
    assert refusal(script.make(f"/api/users/{user.pk}/one-time-access-email", {})) == (409, "user_email_not_set")
    assert wrong_fields(Script().make("/api/one-time-access-email", {})) == [("email", "required")]
