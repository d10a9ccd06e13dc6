"""POST /api/one-time-access-token/setup: the first administrator for a program without a browser (contract section 13)."""

import dataclasses
import json
from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.utils import timezone

from accounts import lifecycle
from accounts.models import Session, User
from apikeys.models import ApiKey
from audit.models import Entry, Event
from siteconfig.models import SiteConfiguration
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields
from tests.support.authenticator import Authenticator

pytestmark = pytest.mark.postgres

SETUP = "/api/one-time-access-token/setup"
NOT_THERE = (401, "token_invalid_or_expired")
KEY = {"name": "recipe", "description": "of the recipe", "expiresAt": "2099-01-01T00:00:00.000Z"}


@pytest.fixture
def program(db: None) -> Script:
    """Knows nobody and nothing."""
    return Script()


def session_in(answer: HttpResponse) -> str:
    """The recipe's own way to it: the value of the first cookie."""
    assert answer.status_code == 200, answer.content
    return next(iter(answer.cookies.values())).value


def bearer(answer: HttpResponse) -> dict[str, str]:
    return {"Authorization": f"Bearer {session_in(answer)}"}


def make_key(session: dict[str, str], **changed: object) -> HttpResponse:
    """A JSON text without its content type, as Node's fetch sends a string."""
    return Script().call(
        "POST",
        "/api/api-keys",
        data=json.dumps(KEY | changed),
        content_type="text/plain;charset=UTF-8",
        headers=session,
    )


@pytest.mark.spec("issue 5", "the published recipe")
def test_the_recipe_makes_an_administrator_and_a_key(program: Script) -> None:
    answer = program.make(SETUP)
    assert (answer.json()["username"], answer.json()["isAdmin"], answer.json()["email"]) == ("admin", True, None)
    made = make_key(bearer(answer))
    assert made.status_code == 201
    me = Script(key=made.json()["token"]).read("/api/users/me").json()
    assert (me["id"], made.json()["apiKey"]["description"]) == (answer.json()["id"], "of the recipe")
    assert [entry.event for entry in Entry.objects.order_by("pk")] == ["SETUP_COMPLETED", "API_KEY_CREATED"]


def test_a_second_call_gives_another_session_of_the_same_person(program: Script) -> None:
    first, second = program.make(SETUP), Script().make(SETUP)
    assert first.json() == second.json()
    assert User.objects.count() == 1
    assert Entry.objects.filter(event=Event.SETUP_SIGN_IN, username="admin").count() == 1


def test_whoever_was_set_up_in_a_browser_and_has_no_passkey_is_signed_in(browser: Browser, program: Script) -> None:
    browser.send("/api/signup/setup", {"username": "alice"})
    assert program.make(SETUP).json()["username"] == "alice"


def test_a_key_of_the_past_is_refused_and_names_the_field(program: Script) -> None:
    """The published script's own date lies in the past by now. It can be run again with another."""
    session = bearer(program.make(SETUP))
    refused = make_key(session, expiresAt="2025-12-31T00:00:00.000Z")
    assert refusal(refused) == (400, "invalid_api_key_expiration")
    assert refused.json()["details"]["fields"][0]["field"] == "expiresAt"
    assert wrong_fields(make_key(session, name="x")) == [("name", "too_short")]
    assert make_key(session).status_code == 201


def test_every_session_ends_with_the_key(program: Script) -> None:
    """Also one that a stranger got beside the program."""
    session, strangers = bearer(program.make(SETUP)), bearer(Script().make(SETUP))
    assert make_key(session).status_code == 201
    assert Session.objects.count() == 0
    for each in (session, strangers):
        assert refusal(Script().call("GET", "/api/users/me", headers=each)) == (401, "not_signed_in")
        assert refusal(make_key(each)) == (401, "not_signed_in")


# It is over once it has done its work: then the answer is that of a wrong login code.


def test_it_is_over_when_there_is_a_key(program: Script) -> None:
    assert make_key(bearer(program.make(SETUP))).status_code == 201
    assert refusal(program.make(SETUP)) == NOT_THERE
    ApiKey.objects.all().delete()
    assert refusal(program.make(SETUP)) == NOT_THERE


@pytest.mark.spec("attacks.md", "D8")
def test_it_is_over_when_there_is_a_passkey_and_stays_so(browser: Browser, program: Script) -> None:
    browser.send("/api/signup/setup", {"username": "alice"})
    strangers = bearer(program.make(SETUP))
    assert browser.add_passkey(Authenticator("http://localhost:1411")).status_code == 200
    assert refusal(program.make(SETUP)) == NOT_THERE
    assert refusal(Script().call("GET", "/api/users/me", headers=strangers)) == (401, "not_signed_in")
    assert browser.get("/api/users/me").status_code == 200
    User.objects.get().passkeys.all().delete()
    assert refusal(program.make(SETUP)) == NOT_THERE


@pytest.mark.spec("attacks.md", "D8")
def test_it_is_over_when_there_is_a_second_person_and_stays_so(program: Script) -> None:
    program.make(SETUP)
    second = lifecycle.create({"username": "bob"})
    assert refusal(program.make(SETUP)) == NOT_THERE
    lifecycle.delete(second)
    assert refusal(program.make(SETUP)) == NOT_THERE


def test_it_never_was_there_for_people_whom_nobody_set_up(program: Script, person: Person, settings) -> None:
    """An administrator whom a program with STATIC_API_KEY has declared is no stranger's to become."""
    assert refusal(program.make(SETUP)) == NOT_THERE
    User.objects.all().delete()
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, static_api_key="a static key of the tests")
    operator = Script(key="a static key of the tests")
    made = operator.make("/api/users", {"username": "alice", "email": "alice@example.org", "isAdmin": True})
    assert made.status_code == 201
    assert refusal(program.make(SETUP)) == NOT_THERE


def test_the_user_of_a_static_key_is_nobody(program: Script, settings) -> None:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, static_api_key="a static key of the tests")
    assert Script(key="a static key of the tests").read("/api/users/me").status_code == 200
    assert program.make(SETUP).json()["username"] == "admin"


@pytest.mark.parametrize("change", [{"disabled": True}, {"is_admin": False}], ids=str)
def test_nobody_becomes_somebody_who_may_not_sign_in_or_is_no_administrator(program: Script, change: dict) -> None:
    program.make(SETUP)
    User.objects.update(**change)
    assert refusal(program.make(SETUP)) == NOT_THERE


def test_the_page_of_set_up_is_closed_afterwards(program: Script, browser: Browser) -> None:
    program.make(SETUP)
    assert browser.get("/api/signup/setup").status_code == 404
    assert browser.get("/setup")["Location"] == "/login"


def test_other_methods_are_no_endpoint(program: Script) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = program.call(method, SETUP)
        assert (answer.status_code, answer.json()) == (404, {"error": "API endpoint not found"})
    assert not User.objects.exists()


@pytest.mark.spec("attacks.md", "G17")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_page_of_another_site_shuts_nobody_out(program: Script, headers: dict[str, str]) -> None:
    assert refusal(program.make(SETUP, headers=headers)) == (403, "forbidden")
    assert not User.objects.exists()


# SETUP_TOKEN

TOKEN = "the operator's own token"


@pytest.fixture
def with_token(settings) -> None:
    settings.SETUP_TOKEN = TOKEN


@pytest.mark.usefixtures("with_token")
@pytest.mark.parametrize("given", ["", "wrong", TOKEN + "x", TOKEN.upper()])
def test_a_server_with_a_setup_token_wants_it(program: Script, given: str) -> None:
    assert refusal(program.make(SETUP, headers={"X-Setup-Token": given})) == NOT_THERE
    form = program.call("POST", SETUP, data=f"setup_token={given}", content_type="application/x-www-form-urlencoded")
    assert refusal(form) == NOT_THERE
    assert not User.objects.exists()
    assert not Session.objects.exists()
    assert Entry.objects.filter(event=Event.SETUP_REFUSED).count() == 2
    assert TOKEN not in str(list(Entry.objects.values()))


@pytest.mark.usefixtures("with_token")
def test_it_comes_in_a_header_or_a_form(program: Script) -> None:
    assert program.make(SETUP, headers={"X-Setup-Token": TOKEN}).status_code == 200
    form = program.call("POST", SETUP, data=f"setup_token={TOKEN}", content_type="application/x-www-form-urlencoded")
    assert form.status_code == 200
    multipart = f'--x\r\nContent-Disposition: form-data; name="setup_token"\r\n\r\n{TOKEN}\r\n--x--\r\n'
    assert (
        program.call("POST", SETUP, data=multipart, content_type="multipart/form-data; boundary=x").status_code == 200
    )
    assert refusal(program.make(SETUP)) == NOT_THERE


@pytest.mark.usefixtures("with_token")
@pytest.mark.spec("attacks.md", "D12")
@pytest.mark.parametrize("path", [SETUP, "/api/signup/setup", "/setup"])
def test_it_cannot_be_guessed_at_for_long(program: Script, browser: Browser, settings, path: str) -> None:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, disable_rate_limiting=False)

    def guess(number: int) -> int:
        if path == "/setup":
            page = browser.get("/setup")
            return browser.press("setup-submit", page, username="mallory", setup_token=f"guess {number}").status_code
        return program.make(path, {"username": "mallory"}, headers={"X-Setup-Token": f"guess {number}"}).status_code

    with time_machine.travel(timezone.now(), tick=False) as moment:
        refused = 422 if path == "/setup" else 401
        assert [guess(number) for number in range(6)] == [refused] * 5 + [429]
        moment.shift(timedelta(seconds=10))
        assert guess(7) == refused
    assert Entry.objects.filter(event=Event.SETUP_REFUSED).count() == 6
    assert SiteConfiguration.objects.get().setup_completed_at is None
