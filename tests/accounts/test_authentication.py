"""Signing in with a passkey (WebAuthn L3 section 7.2)."""

from typing import Any

import pytest
import time_machine
from django.conf import settings

from accounts.models import Ceremony, Session
from audit.models import Entry, Event
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.accounts.test_registration import REFUSED, UNREADABLE, refusal, timedelta_from_now
from tests.support.authenticator import Authenticator

pytestmark = pytest.mark.postgres


@pytest.mark.spec("Pocket ID contract", "6.1")
def test_the_options_name_nobody(browser: Browser, person: Person) -> None:
    options = browser.login_options()
    assert options.keys() == {"challenge", "timeout", "rpId", "userVerification"}
    assert (options["rpId"], options["timeout"], options["userVerification"]) == ("localhost", 60_000, "required")


@pytest.mark.spec("Pocket ID contract", "5.1")
def test_a_passkey_signs_its_person_in(browser: Browser, person: Person) -> None:
    body = browser.sign_in(person).json()
    assert body == {
        "id": person.subject,
        "username": "bob",
        "email": "bob@example.org",
        "emailVerified": True,
        "firstName": "Bob",
        "lastName": "Example",
        "displayName": "Bob Example",
        "isAdmin": False,
        "locale": None,
        "customClaims": [],
        "userGroups": [],
        "ldapId": None,
        "disabled": False,
    }
    assert browser.get("/settings/account").status_code == 200
    assert person.passkey.last_used_at is not None
    assert Entry.objects.get(event=Event.SIGN_IN).user == person.user


@pytest.mark.spec("WebAuthn L3", "7.2")
@pytest.mark.parametrize(
    ("lie", "answer"),
    [
        ({"origin": "https://badexample.com"}, REFUSED),
        ({"origin": "https://localhost:1411"}, REFUSED),
        ({"origin": "http://localhost"}, REFUSED),
        ({"origin": "http://localhost:14110"}, REFUSED),
        ({"origin": "null"}, REFUSED),
        ({"rp_id": "evil.example"}, REFUSED),
        ({"client_data_type": "webauthn.create"}, REFUSED),
        ({"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, REFUSED),
        ({"corrupt_signature": True}, REFUSED),
        ({"user_present": False}, REFUSED),
        ({"user_verified": False}, (400, "passkey_user_verification_required")),
        ({"cross_origin": True}, REFUSED),
        ({"top_origin": "https://evil.example"}, REFUSED),
        ({"backed_up": True}, REFUSED),
        ({"backup_eligible": True}, REFUSED),
        ({"user_handle": b""}, REFUSED),
        ({"user_handle": b"somebody else"}, REFUSED),
        ({"credential_id": b"nobody's"}, REFUSED),
        ({"credential_id": b"x" * 1024}, UNREADABLE),
    ],
    ids=str,
)
def test_a_lie_signs_nobody_in(browser: Browser, person: Person, lie: dict[str, Any], answer: tuple[int, str]) -> None:
    for name, value in lie.items():
        setattr(person.device, name, value)
    assert refusal(browser.try_to_sign_in(person.device)) == answer
    assert not browser.session_key
    assert not Session.objects.exists()
    assert Entry.objects.get(event=Event.PASSKEY_REJECTED).data == {"code": answer[1]}


def test_a_passkey_with_another_persons_user_handle_is_refused(browser: Browser, person: Person, admin: Person) -> None:
    person.device.user_handle = admin.subject.encode()
    assert refusal(browser.try_to_sign_in(person.device)) == REFUSED


def test_a_passkey_of_another_person_under_ones_own_credential_id_is_refused(
    browser: Browser, person: Person, admin: Person
) -> None:
    person.device.credential_id = admin.device.credentials[0].id
    assert refusal(browser.try_to_sign_in(person.device)) == REFUSED


def test_a_disabled_person_is_told_so_and_not_signed_in(browser: Browser, person: Person) -> None:
    person.user.disabled = True
    person.user.save()
    assert refusal(browser.try_to_sign_in(person.device)) == (403, "user_disabled")
    assert not Session.objects.exists()


def test_a_deleted_passkey_is_worth_nothing(browser: Browser, person: Person) -> None:
    person.passkey.delete()
    assert refusal(browser.try_to_sign_in(person.device)) == REFUSED


# The counter (WebAuthn L3 section 6.1.1)


@pytest.mark.spec("WebAuthn L3", "6.1.1")
def test_a_counter_that_stands_still_or_goes_back_gives_a_clone_away(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    person.device.counter_step = 0
    assert refusal(Browser().try_to_sign_in(person.device)) == REFUSED
    person.device.counter_step = -1
    assert refusal(Browser().try_to_sign_in(person.device)) == REFUSED
    person.device.credentials[0].sign_count = 1000
    person.device.counter_step = 1
    assert Browser().sign_in(person)
    assert person.passkey.sign_count == 1001


def test_a_counter_does_not_fall_back_to_zero(browser: Browser, person: Person) -> None:
    person.device.credentials[0].sign_count, person.device.counter_step = 0, 0
    assert refusal(browser.try_to_sign_in(person.device)) == REFUSED


def test_passkeys_that_are_synced_count_nothing(browser: Browser) -> None:
    settled = Authenticator(settings.APP_URL, counter_step=0, backup_eligible=True, backed_up=True)
    browser.send("/api/signup/setup", {"username": "alice"})
    browser.add_passkey(settled)
    for _again in range(3):
        assert Browser().try_to_sign_in(settled).status_code == 200


def test_a_passkey_may_become_synced_when_it_could_from_the_start(browser: Browser) -> None:
    device = Authenticator(settings.APP_URL, backup_eligible=True)
    browser.send("/api/signup/setup", {"username": "alice"})
    assert browser.add_passkey(device).json()["backupState"] is False
    device.backed_up = True
    assert Browser().try_to_sign_in(device).status_code == 200
    device.backup_eligible = device.backed_up = False
    assert refusal(Browser().try_to_sign_in(device)) == REFUSED


# Challenges


def test_an_answer_counts_once(browser: Browser, person: Person) -> None:
    answer = person.device.get(browser.login_options())
    thief = browser.copy()
    assert browser.send("/api/webauthn/login/finish", answer).status_code == 200
    assert refusal(thief.send("/api/webauthn/login/finish", answer)) == (400, "invalid_webauthn_session")
    assert refusal(browser.send("/api/webauthn/login/finish", answer)) == (400, "missing_session_id")


def test_a_challenge_ends_after_five_minutes(browser: Browser, person: Person) -> None:
    options = browser.login_options()
    with time_machine.travel(timedelta_from_now(minutes=5, seconds=1)):
        assert refusal(browser.send("/api/webauthn/login/finish", person.device.get(options))) == (
            400,
            "invalid_webauthn_session",
        )


def test_a_challenge_of_another_browser_is_not_this_ones(browser: Browser, person: Person) -> None:
    other = Browser()
    other.login_options()
    assert refusal(other.send("/api/webauthn/login/finish", person.device.get(browser.login_options()))) == REFUSED


def test_a_challenge_for_registering_signs_nobody_in(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    challenge = browser.registration_options()["challenge"]
    answer = person.device.get({"challenge": challenge, "rpId": "localhost"})
    assert refusal(browser.send("/api/webauthn/login/finish", answer)) == (400, "invalid_webauthn_session")


def test_expired_challenges_are_swept_by_the_next_start(browser: Browser) -> None:
    browser.login_options()
    with time_machine.travel(timedelta_from_now(minutes=6)):
        browser.login_options()
        assert Ceremony.objects.count() == 1


# Again


@pytest.mark.spec("Pocket ID contract", "6.1")
def test_reauthenticating_with_a_passkey_renews_the_session_under_a_new_key(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    thief, before = browser.copy(), Session.objects.get()
    with time_machine.travel(timedelta_from_now(minutes=30)):
        assert (
            browser.send("/api/webauthn/reauthenticate", person.device.get(browser.login_options())).status_code == 204
        )
        after = Session.objects.get()
        assert after.pk == before.pk
        assert (after.auth_time - before.auth_time).total_seconds() > 1700
        assert browser.get("/api/webauthn/credentials").status_code == 200
        assert thief.get("/api/webauthn/credentials").status_code == 401


def test_reauthenticating_without_a_passkey_works_for_a_minute_after_signing_in(
    browser: Browser, person: Person
) -> None:
    browser.sign_in(person)
    assert browser.post("/api/webauthn/reauthenticate").status_code == 204
    with time_machine.travel(timedelta_from_now(minutes=1, seconds=1)):
        assert refusal(browser.post("/api/webauthn/reauthenticate")) == (401, "reauthentication_required")


def test_the_minute_does_not_prolong_itself(browser: Browser, person: Person) -> None:
    browser.sign_in(person)
    with time_machine.travel(timedelta_from_now(seconds=50)):
        assert browser.post("/api/webauthn/reauthenticate").status_code == 204
    with time_machine.travel(timedelta_from_now(seconds=70)):
        assert refusal(browser.post("/api/webauthn/reauthenticate")) == (401, "reauthentication_required")


def test_nobody_reauthenticates_as_somebody_else(browser: Browser, person: Person, admin: Person) -> None:
    browser.sign_in(person)
    answer = browser.send("/api/webauthn/reauthenticate", admin.device.get(browser.login_options()))
    assert refusal(answer) == (401, "reauthentication_required")
    assert refusal(Browser().post("/api/webauthn/reauthenticate")) == (401, "not_signed_in")


def test_the_first_set_up_is_no_passkey_and_reauthenticates_nobody(browser: Browser) -> None:
    browser.send("/api/signup/setup", {"username": "alice"})
    assert refusal(browser.post("/api/webauthn/reauthenticate")) == (401, "reauthentication_required")


def test_signing_in_as_another_person_ends_the_first_persons_session(
    browser: Browser, person: Person, admin: Person
) -> None:
    browser.sign_in(person)
    thief = browser.copy()
    browser.sign_in(admin)
    assert thief.get("/api/webauthn/credentials").status_code == 401
    assert [session.user for session in Session.objects.all()] == [admin.user]


def test_two_people_in_two_browsers_are_never_mixed_up(person: Person) -> None:
    browsers = {}
    for name in ("carol", "dave", "erin"):
        someone = a_person(name)
        browsers[name] = Browser()
        browsers[name].sign_in(someone)
    for name, each in browsers.items():
        assert (
            each.get("/settings/account").text.count(f"{name}@example.org")
            or name in each.get("/settings/account").text
        )
