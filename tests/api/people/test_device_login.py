"""Signing in with another device (contract section 6.5)."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import device_login, sessions
from accounts.models import DeviceLogin, User
from audit.models import Entry
from core.errors import AppError
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields

pytestmark = pytest.mark.postgres

AT = "/api/device-login/"


@pytest.fixture
def phone(person: Person, browser: Browser) -> Browser:
    """Where the person is signed in."""
    browser.sign_in(person)
    return browser


@pytest.fixture
def tv(db: None) -> Script:
    return Script()


@pytest.fixture
def begun(tv: Script) -> dict:
    return tv.make(AT + "requests").json()


def prove(phone: Browser, person: Person) -> None:
    """The passkey once more."""
    answer = phone.send("/api/webauthn/reauthenticate", person.device.get(phone.login_options()))
    assert answer.status_code == 204


def decide(phone: Browser, begun: dict, decision: str = "approve"):
    return phone.send(AT + "verification/decision", {"code": begun["userCode"], "decision": decision})


def exchange(tv: Script, begun: dict):
    return tv.make(AT + f"requests/{begun['id']}/exchange")


def test_a_request_says_where_to_go_and_how_long_it_lasts(tv: Script, begun: dict) -> None:
    code = begun["userCode"]
    assert re.fullmatch("P[A-HJKMNP-Z0-9]{7}", code)
    assert begun == {
        "id": code,
        "userCode": code,
        "verificationUri": settings.APP_URL + "/device",
        "verificationUriComplete": f"{settings.APP_URL}/device?user_code={code}",
        "expiresAt": begun["expiresAt"],
        "interval": 3,
    }
    cookie = tv.cookies["device_login_token"]
    assert (len(cookie.value), cookie["path"], cookie["max-age"], bool(cookie["httponly"])) == (
        32,
        f"/api/device-login/requests/{code}/exchange",
        900,
        True,
    )
    assert code not in str(DeviceLogin.objects.values_list())


def test_a_person_sees_what_asks_and_lets_it_in(tv: Script, begun: dict, phone: Browser, person: Person) -> None:
    assert exchange(tv, begun).status_code == 202
    asks = phone.send(AT + "verification", {"code": begun["userCode"].lower()}).json()
    assert (asks["userCode"], asks["ipAddress"], asks["country"], asks["city"]) == (
        begun["userCode"],
        "127.0.0.1",
        "Internal Network",
        "LAN",
    )
    prove(phone, person)
    assert decide(phone, begun).status_code == 204
    answer = exchange(tv, begun)
    assert (answer.status_code, answer.json()["id"]) == (200, person.subject)
    assert tv.read("/api/users/me").json()["id"] == person.subject
    assert Entry.objects.filter(event="REMOTE_SIGN_IN", username="bob").exists()
    assert refusal(exchange(tv, begun)) == (401, "device_login_expired")


@pytest.mark.spec("attacks.md", "I4")
def test_an_unlocked_phone_alone_lets_nothing_in(phone: Browser, begun: dict, person: Person) -> None:
    assert refusal(decide(phone, begun)) == (401, "reauthentication_required")
    prove(phone, person)
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        assert refusal(decide(phone, begun)) == (401, "reauthentication_required")


def test_a_denial_is_said_to_the_device(tv: Script, begun: dict, phone: Browser) -> None:
    assert decide(phone, begun, "deny").status_code == 204
    assert refusal(exchange(tv, begun)) == (403, "device_login_denied")
    assert refusal(decide(phone, begun, "deny")) == (401, "device_login_expired")


def test_only_the_browser_that_asked_gets_in(begun: dict, phone: Browser, person: Person) -> None:
    prove(phone, person)
    decide(phone, begun)
    thief = Script()
    assert refusal(exchange(thief, begun)) == (401, "device_login_expired")
    thief.cookies["device_login_token"] = "x" * 32
    assert refusal(exchange(thief, begun)) == (401, "device_login_expired")


def test_it_is_over_after_five_minutes_and_for_the_disabled(
    tv: Script, begun: dict, phone: Browser, person: Person
) -> None:
    prove(phone, person)
    decide(phone, begun)
    User.objects.filter(pk=person.user.pk).update(disabled=True)
    assert refusal(exchange(tv, begun)) == (403, "user_disabled")
    User.objects.filter(pk=person.user.pk).update(disabled=False)
    again = tv.make(AT + "requests").json()
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        assert refusal(exchange(tv, again)) == (401, "device_login_expired")


def test_deciding_is_for_people_in_their_browser(begun: dict, person: Person, stranger: Script, phone: Browser) -> None:
    body = {"code": begun["userCode"], "decision": "approve"}
    for path in ("verification", "verification/decision"):
        assert refusal(stranger.make(AT + path, body)) == (401, "not_signed_in")
        assert refusal(Script(person.user).make(AT + path, body)) == (403, "api_key_auth_not_allowed")
    assert wrong_fields(phone.send(AT + "verification/decision", body | {"decision": "maybe"})) == [
        ("decision", "oneof")
    ]
    assert refusal(phone.send(AT + "verification", {"code": "PAAAAAAA"})) == (401, "device_login_expired")
    assert wrong_fields(phone.send(AT + "verification", {})) == [("code", "required")]


@pytest.mark.spec("attacks.md", "I5")
@pytest.mark.django_db(transaction=True)
def test_of_an_approval_and_a_denial_at_once_one_holds() -> None:
    user = User.objects.create(username="bob")
    begun = device_login.begin(sessions.Place())
    session, _key = sessions.start(
        user, methods=[sessions.PASSKEY], place=sessions.Place(), lifetime=timedelta(minutes=5)
    )
    outcomes: list[str] = []

    def act(verb) -> None:
        try:
            outcomes.append(verb(begun.code, session).state)
        except AppError as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(verb,)) for verb in (device_login.approve, device_login.deny) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome in ("approved", "denied") for outcome in outcomes) == 1
