"""Rate limits (contract section 1.5)."""

import contextlib
import dataclasses
import threading
import time

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.utils import timezone

from core import ratelimit
from core.errors import RateLimited
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal
from tests.oidc.app import App

pytestmark = [pytest.mark.usefixtures("limited"), pytest.mark.postgres]


@pytest.fixture
def limited(settings, db: None) -> None:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, disable_rate_limiting=False)


def taken(limit: ratelimit.Limit, address: str = "192.0.2.1", most: int = 400) -> int:
    """How many attempts succeed in one moment."""
    with time_machine.travel(timezone.now(), tick=False):
        for count in range(most):
            try:
                ratelimit.take(limit, address)
            except RateLimited:
                return count
    return most


@pytest.mark.parametrize(
    ("path", "body", "burst", "retry_after"),
    [
        ("/api/signup", {}, 10, "30"),
        ("/api/one-time-access-token/AAAAAA", None, 5, "10"),
        ("/api/one-time-access-email", {}, 5, "300"),
        ("/api/device-login/requests", None, 5, "10"),
        ("/api/device-login/requests/PAAAAAAA/exchange", None, 10, "2"),
    ],
)
def test_the_burst_and_what_is_answered_after_it(
    stranger: Script, path: str, body: object, burst: int, retry_after: str
) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(burst):
            assert stranger.make(path, body).status_code != 429
        answer = stranger.make(path, body)
    assert (refusal(answer), answer.json()["error"], answer["Retry-After"]) == (
        (429, "rate_limited"),
        "Too many requests",
        retry_after,
    )


@pytest.mark.parametrize(
    "limit",
    [
        ratelimit.SIGNUP,
        ratelimit.LOGIN_CODE,
        ratelimit.SEND_EMAIL_VERIFICATION,
        ratelimit.VERIFY_EMAIL,
        ratelimit.WEBAUTHN_REAUTHENTICATE,
    ],
    ids=lambda limit: limit.name,
)
def test_one_more_attempt_comes_back_after_its_time(limit: ratelimit.Limit) -> None:
    now = timezone.now().timestamp()
    with time_machine.travel(now, tick=False):
        for _ in range(limit.burst):
            ratelimit.take(limit, "192.0.2.1")
        with pytest.raises(RateLimited):
            ratelimit.take(limit, "192.0.2.1")
    with time_machine.travel(now + limit.seconds + 0.01, tick=False):
        ratelimit.take(limit, "192.0.2.1")
        with pytest.raises(RateLimited):
            ratelimit.take(limit, "192.0.2.1")


def test_every_address_and_every_limit_has_a_bucket_of_its_own() -> None:
    assert taken(ratelimit.LOGIN_CODE, "192.0.2.1") == 5
    assert taken(ratelimit.LOGIN_CODE, "192.0.2.2") == 5
    assert taken(ratelimit.VERIFY_EMAIL, "192.0.2.1") == 5


@pytest.mark.spec("attacks.md", "D12")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:1:2::1", "2001:db8:0001:0002::2"),
        ("garbage", ""),
    ],
)
def test_whoever_walks_through_a_network_meets_the_same_bucket(one: str, other: str) -> None:
    assert taken(ratelimit.LOGIN_CODE, one) == 5
    assert taken(ratelimit.LOGIN_CODE, other) == 0


@pytest.mark.django_db(transaction=True)
def test_the_bucket_is_shared_by_all_who_ask_at_once() -> None:
    outcomes: list[bool] = []

    def take() -> None:
        try:
            ratelimit.take(ratelimit.LOGIN_CODE, "192.0.2.1")
            outcomes.append(True)
        except RateLimited:
            outcomes.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcomes) == 5


def test_what_guards_secrets_fails_closed_and_the_rest_open(monkeypatch) -> None:
    def broken(*_: object) -> float:
        raise DatabaseError

    monkeypatch.setattr(ratelimit, "_take", broken)
    with pytest.raises(RateLimited):
        ratelimit.take(ratelimit.LOGIN_CODE, "192.0.2.1")
    ratelimit.take(ratelimit.API, "192.0.2.1")


def test_full_buckets_are_forgotten() -> None:
    taken(ratelimit.LOGIN_CODE)
    assert ratelimit.forget_full_buckets() == 0
    with time_machine.travel(timezone.now().timestamp() + 3600, tick=False):
        assert ratelimit.forget_full_buckets() == 1


# The general limit


def test_few_requests_cost_no_statement(django_assert_num_queries) -> None:
    throttle = ratelimit.Throttle()
    with django_assert_num_queries(0):
        for _ in range(throttle.PORTION - 1):
            throttle.check("192.0.2.1")


def test_many_requests_are_held_to_what_is_allowed() -> None:
    """Two processes with counts of their own draw on one bucket."""
    processes = [ratelimit.Throttle(), ratelimit.Throttle()]
    passed, told = 0, set()
    with time_machine.travel(timezone.now(), tick=False):
        for number in range(1000):
            try:
                processes[number % 2].check("192.0.2.1")
                passed += 1
            except RateLimited as refused:
                told.add(refused.headers["Retry-After"])
    assert told == {"1"}
    assert ratelimit.API.burst <= passed <= ratelimit.API.burst + 2 * ratelimit.Throttle.PORTION


@pytest.mark.parametrize("rate", [2 * ratelimit.Throttle.PORTION - 1, 5 * ratelimit.Throttle.PORTION])
def test_what_passes_in_the_long_run_is_what_is_allowed(monkeypatch, rate: int) -> None:
    """``rate`` requests a second come to each process: what is over a portion, or was refused, is paid later."""
    processes = [ratelimit.Throttle(), ratelimit.Throttle(), ratelimit.Throttle()]
    passed, seconds = 0, 20
    monkeypatch.setattr("core.ratelimit.time.monotonic", time.time)  # which the traveller takes along
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for number in range(seconds * rate * len(processes)):
            clock.shift(1 / rate / len(processes))
            with contextlib.suppress(RateLimited):
                processes[number % len(processes)].check("192.0.2.1")
                passed += 1
    allowed = ratelimit.API.burst + seconds / ratelimit.API.seconds
    assert 0.95 * allowed <= passed <= 1.05 * allowed


def test_the_memory_of_a_process_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(ratelimit.Throttle, "MAX_ADDRESSES", 50)
    throttle = ratelimit.Throttle()
    for number in range(500):
        throttle.check(f"192.0.2.{number % 250}")
    assert len(throttle._counts) <= 50


def test_nothing_is_limited_where_the_operator_says_so(settings) -> None:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, disable_rate_limiting=True)
    assert taken(ratelimit.LOGIN_CODE) == 400


OPEN = ["/api/oidc/token", "/api/oidc/userinfo", "/api/oidc/introspect", "/api/oidc/revoke", "/.well-known/jwks.json"]


@pytest.mark.parametrize(
    ("path", "is_open"), [*((path, True) for path in OPEN), ("/api/oidc/par", False), ("/x", None)]
)
def test_an_app_in_a_browser_can_read_that_it_asks_too_often(
    stranger: Script, monkeypatch: pytest.MonkeyPatch, path: str, is_open: bool | None
) -> None:
    """The contract's CORS endpoints (section 1.3), and no other; a preflight is let through, or nothing could be read."""
    monkeypatch.setattr(ratelimit, "throttle", ratelimit.Throttle())
    method = "GET" if path.endswith(("userinfo", "json")) else "POST"
    with time_machine.travel(timezone.now(), tick=False):
        answer = stranger.call("GET", "/.well-known/jwks.json")
        for _request in range(400):
            if answer.status_code == 429:
                break
            answer = stranger.call("GET", "/.well-known/jwks.json")
        refused = stranger.call(method, path, headers={"Origin": "https://spa.example.org"})
        preflight = stranger.call("OPTIONS", path, headers={"Access-Control-Request-Method": method})
    if is_open is None:  # no page is limited so
        assert refused.status_code == 404
        return
    assert refusal(refused) == (429, "rate_limited")
    assert refused.headers.get("Access-Control-Allow-Origin") == ("*" if is_open else None)
    assert refused.headers.get("Access-Control-Expose-Headers") == ("Retry-After" if is_open else None)
    assert int(refused["Retry-After"]) >= 1
    assert preflight.status_code == (204 if is_open else 429)


# What refusals say beside the status


def ask_too_often() -> None:
    """The next request is one too many."""
    taken(ratelimit.API, "127.0.0.1", most=ratelimit.API.burst)
    for _request in range(ratelimit.Throttle.PORTION - 1):
        ratelimit.throttle.check("127.0.0.1")


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("path", ["token", "introspect", "revoke", "par", "device/authorize"])
def test_an_app_is_told_in_the_members_that_it_reads(
    stranger: Script, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The contract's ``error`` and ``code`` stay; client libraries show ``error_description``."""
    monkeypatch.setattr(ratelimit, "throttle", ratelimit.Throttle())
    with time_machine.travel(timezone.now(), tick=False):
        ask_too_often()
        answer = stranger.call("POST", f"/api/oidc/{path}")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "1"
    assert answer.json() == {
        "error": "Too many requests",
        "code": "rate_limited",
        "error_description": "Too many requests",
        "request_id": answer["X-Request-ID"],
    }


PAGES = [
    ("/device", {"user_code": "ABCD-EFGH"}, ratelimit.USER_CODE, "5"),
    ("/device", {"user_code": "PAAAAAAA"}, ratelimit.DEVICE_LOGIN_VERIFICATION, "10"),
    ("/login/alternative/device", {}, ratelimit.DEVICE_LOGIN_CREATE, "10"),
]


@pytest.mark.spec("RFC 6585", "4")
@pytest.mark.parametrize(("path", "query", "limit", "seconds"), PAGES, ids=lambda value: str(value)[:30])
def test_pages_say_when_to_come_back(
    browser: Browser, person: Person, path: str, query: dict[str, str], limit: ratelimit.Limit, seconds: str
) -> None:
    if path == "/device":
        browser.sign_in(person)
    with time_machine.travel(timezone.now(), tick=False):
        taken(limit, "127.0.0.1")
        page = browser.get(path, query)
    assert (page.status_code, page["Retry-After"]) == (429, seconds)
    assert "Too many requests" in page.text


def test_a_page_of_an_error_says_it_too(person: Person, client_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "throttle", ratelimit.Throttle())
    with time_machine.travel(timezone.now(), tick=False):
        ask_too_often()
        page = client_app.ask(Browser())
    assert (page.status_code, page["Retry-After"]) == (429, "1")
    assert "Wait a moment, then try again." in page.text
