"""Requests that wait for a person who may never come: anybody can send them, so they are few, short and soon gone."""

import dataclasses
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from core import ratelimit
from oidc import authorization_request, pending
from oidc.models import DeviceGrant, PendingAuthorization, PushedRequest
from oidc.models.authorization import PENDING_LIFETIME
from pocketid.jobs import JOBS
from siteconfig.models.rate_bucket import RateBucket
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, agree, an_app, answer, http, post_form

pytestmark = [pytest.mark.postgres, pytest.mark.spec("attacks.md", "A18")]
PAGE = {"Accept": "text/html"}
FEW = dataclasses.replace(ratelimit.WAITING, burst=50)
PORTION = ratelimit.Throttle.PORTION


@pytest.fixture
def limited(settings, monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, disable_rate_limiting=False)
    monkeypatch.setattr(ratelimit, "throttle", ratelimit.Throttle())
    monkeypatch.setattr(ratelimit, "waiting", ratelimit.Throttle(FEW, window=60.0))


def post(app: App, **parameters: str):
    """As another site's page posts it, by somebody who is nobody here."""
    return post_form("/authorize", app.request(**parameters), headers=PAGE)


@pytest.mark.usefixtures("limited")
def test_an_address_may_leave_five_a_second_after_the_first(client_app: App) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        refused = None
        for _request in range(150):
            clock.shift(0.01)  # as quick as the general limit allows
            refused = post(client_app)
            if refused.status_code != 302:
                break
        assert refused is not None
        assert (refused.status_code, refused["Retry-After"]) == (429, "5")
        assert "Wait a moment" in refused.text
        parked = PendingAuthorization.objects.count()
        assert FEW.burst <= parked <= FEW.burst + PORTION


def test_one_address_alone_cannot_push_out_what_others_left() -> None:
    limit, hour = ratelimit.WAITING, PENDING_LIFETIME.total_seconds()
    assert limit.burst + hour / limit.seconds < pending.MOST_OF_STRANGERS


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize(("people", "pause"), [(400, 0.05), (60, 0.21)], ids=["at once", "a whole hour of them"])
def test_many_people_behind_one_address_all_come_through(
    client_app: App, monkeypatch: pytest.MonkeyPatch, people: int, pause: float
) -> None:
    """A company whose people open their apps at nine."""
    monkeypatch.setattr(ratelimit, "waiting", ratelimit.Throttle(ratelimit.WAITING, window=60.0))
    if pause > ratelimit.WAITING.seconds:  # long after the burst was used up
        ratelimit.take(ratelimit.WAITING, "127.0.0.1", cost=ratelimit.WAITING.burst - PORTION)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _person in range(people):
            clock.shift(pause)
            assert post(client_app)["Location"].startswith("/interaction?")


@pytest.mark.usefixtures("limited")
def test_who_signs_in_now_and_then_costs_no_statement_more(client_app: App) -> None:
    for _visit in range(PORTION - 1):
        assert post(client_app)["Location"].startswith("/interaction?")
    assert PendingAuthorization.objects.count() == PORTION - 1
    assert not RateBucket.objects.exists()


@pytest.mark.usefixtures("limited")
def test_who_is_signed_in_is_not_counted(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    RateBucket.objects.all().delete()
    for _visit in range(2 * PORTION):
        assert client_app.ask(browser, prompt="consent").status_code == 302
    assert not RateBucket.objects.filter(name__startswith="waiting").exists()


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize(("kind", "is_counted"), [("public", True), ("confidential", False)])
def test_requests_that_anybody_can_push_are_counted_too(db: None, kind: str, is_counted: bool) -> None:
    app = an_app("Phone", client_type=kind)
    form = app.request() | ({"client_secret": app.secret} if app.secret else {})
    statuses = set()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _request in range(FEW.burst + PORTION + 1):
            clock.shift(0.01)
            statuses.add(post_form("/api/oidc/par", form).status_code)
    assert statuses == ({201, 429} if is_counted else {201})
    assert PushedRequest.objects.count() <= FEW.burst + PORTION + 1


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize(("kind", "is_counted"), [("public", True), ("confidential", False)])
def test_devices_that_anybody_can_let_wait_are_counted_too(db: None, kind: str, is_counted: bool) -> None:
    app = an_app("Television", client_type=kind)
    form = {"client_id": app.client.client_id, "scope": "openid"}
    form |= {"client_secret": app.secret} if app.secret else {}
    statuses = set()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _request in range(FEW.burst + PORTION + 1):
            clock.shift(0.01)
            statuses.add(post_form("/api/oidc/device/authorize", form).status_code)
    assert statuses == ({200, 429} if is_counted else {200})
    assert DeviceGrant.objects.count() <= FEW.burst + PORTION + 1
    long = post_form("/api/oidc/device/authorize", form | {"nonce": "n" * 1025})
    assert long.status_code == (429 if is_counted else 400)
    assert ("nonce" in long.json()["error_description"]) == (not is_counted)


def test_long_requests_of_real_apps_come_through(browser: Browser, person: Person, client_app: App) -> None:
    """An ID token of many groups, a state that is a whole page's address, and claims."""
    browser.sign_in(person)
    hint = client_app.tokens(browser)["id_token"]
    long = {"state": "s" * 6000, "nonce": "n" * 2000, "claims": '{"userinfo": {"name": null}}', "id_token_hint": hint}
    parked = post(client_app, **long)
    assert parked.status_code == 302
    done = answer(agree(browser, parked))
    assert (done["state"], "code" in done) == (long["state"], True)


def test_one_that_is_longer_than_any_of_an_app_is_refused_in_words(client_app: App) -> None:
    each = "x" * 8000
    refused = post(client_app, state=each, nonce=each, login_hint=each)
    said = answer(refused)
    assert (said["error"], said["state"]) == ("invalid_request", each)
    assert said["error_description"] == f"The request is longer than {authorization_request.LONGEST} characters."
    assert not PendingAuthorization.objects.exists()
    pushed = client_app.request(state=each, nonce=each, login_hint=each) | {"client_secret": client_app.secret}
    assert post_form("/api/oidc/par", pushed).json()["error"] == "invalid_request"


def test_the_oldest_of_too_many_strangers_go_and_nobody_elses(
    browser: Browser, person: Person, client_app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "MOST_OF_STRANGERS", 20)
    browser.sign_in(person)
    mine = client_app.ask(browser, prompt="consent")["Location"]
    now = timezone.now()
    strangers = [
        PendingAuthorization(client=client_app.client, parameters={}, expires_at=now + timedelta(seconds=number))
        for number in range(1, 31)
    ]
    PendingAuthorization.objects.bulk_create(strangers)
    assert [pending.drop_oldest_of_strangers() for _turn in range(2)] == [10, 0]
    left = PendingAuthorization.objects.filter(session_id=None)
    assert set(left.values_list("pk", flat=True)) == {each.pk for each in strangers[10:]}
    assert browser.get(mine).status_code == 200
    gone = browser.get(f"/interaction?interaction={strangers[0].pk}", headers=PAGE)
    assert (gone.status_code, "Go back to the app and sign in again." in gone.text) == (404, True)
    assert [job.every for job in JOBS if job.run is pending.drop_oldest_of_strangers] == [timedelta(minutes=1)]


# What else a stranger may send to the authorization endpoint


@pytest.mark.spec("OIDC Core", "3.1.2.1")
@pytest.mark.parametrize("kind", ["multipart/form-data", "application/json", "text/plain"])
def test_what_is_no_form_gets_a_page_in_plain_words_and_nothing_else(client_app: App, kind: str) -> None:
    """Form serialization is what the specification allows; a browser sends the others only for a page made to do so."""
    body = client_app.request() if kind.startswith("multipart") else "{}"
    more = {} if kind.startswith("multipart") else {"content_type": kind}
    page = http().post("/authorize", body, headers=PAGE, **more)
    assert page.status_code == 400
    assert 'data-page="error"' in page.text
    for words in ("The app sent a request that cannot be read", "Nothing about you was shared.", "the app"):
        assert words in page.text
    assert "multipart" not in page.text
    assert not {"Location", "Refresh", "Set-Cookie"} & page.headers.keys()
    assert client_app.redirect_uri not in page.text
    assert "no-store" in page["Cache-Control"]
    assert not PendingAuthorization.objects.exists()
