"""The first administrator: made once, by whoever may, and never again."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest
import requests

from accounts.models import Session, User
from audit.models import Entry, Event
from siteconfig.models import SiteConfiguration
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.accounts.test_registration import refusal
from tests.support.authenticator import Authenticator
from tests.support.http_browser import HttpBrowser
from tests.support.server import Server

pytestmark = pytest.mark.postgres


@pytest.mark.spec("Pocket ID contract", "6.3")
def test_the_first_person_becomes_the_administrator(browser: Browser) -> None:
    assert browser.get("/api/signup/setup").status_code == 204
    made = browser.send(
        "/api/signup/setup",
        {"username": "alice", "email": "alice@example.org", "firstName": "Alice", "lastName": "Example"},
    )
    assert made.status_code == 200
    assert made.json() | {"id": ""} == {
        "id": "",
        "username": "alice",
        "email": "alice@example.org",
        "emailVerified": False,
        "firstName": "Alice",
        "lastName": "Example",
        "displayName": "Alice Example",
        "isAdmin": True,
        "locale": None,
        "customClaims": [],
        "userGroups": [],
        "ldapId": None,
        "disabled": False,
    }
    assert Session.objects.get().methods == ("otp",)
    assert Entry.objects.get(event=Event.SETUP_COMPLETED).username == "alice"
    assert browser.get("/signup/add-passkey").status_code == 200


def test_setup_is_closed_for_ever_afterwards(browser: Browser) -> None:
    browser.send("/api/signup/setup", {"username": "alice"})
    User.objects.all().delete()
    stranger = Browser()
    assert refusal(stranger.get("/api/signup/setup")) == (404, "setup_not_available")
    assert refusal(stranger.send("/api/signup/setup", {"username": "mallory"})) == (409, "setup_already_completed")
    assert (stranger.get("/setup").status_code, stranger.get("/setup")["Location"]) == (302, "/login")
    assert stranger.post("/setup", {"username": "mallory"}).status_code in (302, 403)
    assert not User.objects.exists()


def test_setup_is_closed_where_there_are_people_already(browser: Browser, person: Person) -> None:
    assert refusal(browser.send("/api/signup/setup", {"username": "mallory"})) == (409, "setup_already_completed")
    SiteConfiguration.objects.update(setup_completed_at=None)
    assert refusal(browser.send("/api/signup/setup", {"username": "mallory"})) == (409, "setup_already_completed")


def test_the_page_does_the_same(browser: Browser) -> None:
    assert browser.get("/login")["Location"] == "/setup"
    page = browser.get("/setup")
    made = browser.press("setup-submit", page, username="alice", first_name="Alice", last_name="Example", email="")
    assert (made.status_code, made["Location"]) == (302, "/signup/add-passkey?redirect=/settings/account")
    alice = User.objects.get()
    assert (alice.is_admin, alice.email, alice.display_name) == (True, None, "Alice Example")
    assert browser.add_passkey(Authenticator("http://localhost:1411")).status_code == 200


def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(browser: Browser) -> None:
    page = browser.get("/setup")
    again = browser.press("setup-submit", page, username="-no-", first_name="Alice", last_name="", email="")
    assert again.status_code == 422
    assert "A username has letters, numbers," in again.text
    assert 'value="Alice"' in again.text
    assert not User.objects.exists()


def test_nobody_is_made_at_an_address_where_they_could_add_no_passkey(browser: Browser) -> None:
    page = browser.get("/setup")
    token = page.cookies["pocketid_csrf"].value
    for address in ("127.0.0.1:1411", "id.example.org"):
        answer = browser.post(
            "/setup",
            {"username": "alice", "csrfmiddlewaretoken": token},
            headers={"Origin": f"http://{address}", "Host": address},
        )
        assert answer.status_code == 422
        assert "address is http://localhost:1411, and passkeys work only there" in answer.text
        assert 'value="alice"' in answer.text
    assert not User.objects.exists()
    # Where a proxy changes the Host header, the form is refused before; the page says the same.
    refused = browser.post("/setup", {"username": "alice"}, headers={"Origin": "http://127.0.0.1:1411"})
    assert refused.status_code == 403
    assert 'href="http://localhost:1411"' in refused.text


def test_the_page_wants_its_own_token(browser: Browser) -> None:
    browser.get("/setup")
    assert browser.post("/setup", {"username": "mallory"}).status_code == 403
    assert not User.objects.exists()


@pytest.mark.spec("Pocket ID contract", "1.9")
@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "username", "required"),
        ({"username": ""}, "username", "required"),
        ({"username": None}, "username", "required"),
        ({"username": "x" * 51}, "username", "too_long"),
        ({"username": "-x"}, "username", "invalid_format"),
        ({"username": "a b"}, "username", "invalid_format"),
        ({"username": "alice\n"}, "username", "invalid_format"),
        ({"username": "alice", "email": "no address"}, "email", "invalid_format"),
        ({"username": "alice", "email": "x" * 250 + "@example.org"}, "email", "too_long"),
        ({"username": "alice", "firstName": "x" * 51}, "firstName", "too_long"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_wrong_field_is_named(browser: Browser, body: dict[str, object], field: str, code: str) -> None:
    answer = browser.send("/api/signup/setup", body)
    assert refusal(answer) == (400, "validation_failed")
    assert (field, code) in [(each["field"], each["code"]) for each in answer.json()["details"]["fields"]]
    assert not User.objects.exists()


@pytest.mark.spec("Pocket ID contract", "1.6")
@pytest.mark.parametrize(
    "body",
    [
        {"username": 7},
        {"username": ["alice"]},
        {"username": {"a": 1}},
        {"username": "alice", "email": 5},
        {"username": "alice", "lastName": False},
        {"username": "alice", "firstName": {}},
    ],
    ids=str,
)
def test_another_json_type_is_refused(browser: Browser, body: dict[str, object]) -> None:
    status, code = refusal(browser.send("/api/signup/setup", body))
    assert (status, code) in ((400, "invalid_request_body"), (400, "validation_failed"))
    assert not User.objects.exists()


@pytest.fixture
def with_token(settings) -> str:
    settings.SETUP_TOKEN = "the operator's own token"
    return settings.SETUP_TOKEN


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"setupToken": ""},
        {"setupToken": "wrong"},
        {"setupToken": ["the operator's own token"]},
        {"setupToken": None},
    ],
    ids=str,
)
def test_a_server_with_a_setup_token_wants_it(browser: Browser, with_token: str, given: dict[str, object]) -> None:
    assert refusal(browser.send("/api/signup/setup", {"username": "mallory"} | given)) == (
        401,
        "token_invalid_or_expired",
    )
    assert not User.objects.exists()
    assert browser.get("/api/signup/setup").status_code == 204


def test_the_setup_token_comes_in_the_body_or_a_header(browser: Browser, with_token: str) -> None:
    assert (
        browser.send("/api/signup/setup", {"username": "alice"}, headers={"X-Setup-Token": with_token}).status_code
        == 200
    )


def test_the_page_asks_for_the_setup_token(browser: Browser, with_token: str) -> None:
    page = browser.get("/setup")
    assert browser.press("setup-submit", page, username="alice", setup_token="wrong").status_code == 422
    assert browser.press("setup-submit", page, username="alice", setup_token=with_token).status_code == 302


def test_of_many_set_ups_at_the_same_moment_one_makes_an_administrator(live_database: str) -> None:
    with Server(database_url=live_database, environment={"DISABLE_RATE_LIMITING": "true"}) as server:

        def attempt(number: int) -> tuple[int, str]:
            answer = HttpBrowser(server.base_url).post("/api/signup/setup", json={"username": f"person{number}"})
            return answer.status_code, answer.json().get("code", "")

        with ThreadPoolExecutor(12) as crowd:
            answers = list(crowd.map(attempt, range(24)))
        assert sorted(answers) == [(200, "")] + [(409, "setup_already_completed")] * 23
        assert requests.get(f"{server.base_url}/api/signup/setup", timeout=5).status_code == HTTPStatus.NOT_FOUND
