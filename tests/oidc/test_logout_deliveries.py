"""Logout tokens on their way: apps that never answer hold up nobody, and of several processes one delivers each."""

import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import ThreadingHTTPServer
from socket import SOMAXCONN, socket

import jwt
import pytest
from django.db import connections
from django.utils import timezone

from oidc import backchannel, deliveries
from oidc.models import LogoutDelivery
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App
from tests.oidc.listener import Listener, listening
from tests.support.server import ROOT, Server

pytestmark = [pytest.mark.postgres, pytest.mark.spec("Back-Channel Logout", "2.5")]
DEAD = 40


class Slow(ThreadingHTTPServer, Listener):
    """An app that takes ``seconds`` to answer each of many at once."""

    def __init__(self, seconds: float = 0) -> None:
        self.seconds = seconds
        super().__init__()

    def finish_request(self, *arguments: object) -> None:
        time.sleep(self.seconds)
        super().finish_request(*arguments)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening(Slow()) as server:
        yield server


@pytest.fixture
def silent() -> Iterator[list[str]]:
    """Addresses that take a connection and never say a word."""
    with ExitStack() as open_sockets:
        urls = []
        for number in range(DEAD):
            each = open_sockets.enter_context(socket())
            each.bind(("127.0.0.1", 0))
            each.listen(SOMAXCONN)
            urls.append(f"http://127.0.0.1:{each.getsockname()[1]}/logout?app={number}")
        yield urls


@pytest.fixture(autouse=True)
def nothing_is_known_of_any_app() -> Iterator[None]:
    deliveries._failing.clear()
    yield
    deliveries._failing.clear()


def queue(url: str, *, client: str, times: int = 1) -> None:
    LogoutDelivery.objects.bulk_create(
        LogoutDelivery(
            client_id=client,
            client_name=client,
            url=url,
            algorithm="ES256",
            subject=str(uuid.uuid4()),
            sid=uuid.uuid4(),
            next_attempt_at=timezone.now(),
        )
        for _time in range(times)
    )
    backchannel.queued.set()


@contextmanager
def delivering() -> Iterator[threading.Thread]:
    """The job, as the server runs it."""

    def run() -> None:
        try:
            deliveries.deliver_due()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(60)
        assert not thread.is_alive()


def wait_until(condition, seconds: float) -> float:
    """How long it took; raise ``AssertionError`` after ``seconds``."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "too slow"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.django_db(transaction=True)
def test_forty_apps_that_never_answer_delay_nobody(
    silent: list[str],
    listener: Listener,
    browser: Browser,
    person: Person,
    client_app: App,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliveries, "TIMEOUT", 5.0)
    for number, url in enumerate(silent):
        queue(url, client=f"silent-{number}", times=3)
    queue(listener.url, client="good")
    with delivering():
        wait_until(lambda: len(listener.heard) == 1, 3)
        # People sign in and apps get tokens meanwhile: what is under way holds no lock.
        began = time.monotonic()
        browser.sign_in(person)
        client_app.tokens(browser)
        assert time.monotonic() - began < 3
        # What comes while they are silent does not wait for them either.
        queue(listener.url, client="good", times=10)
        wait_until(lambda: len(listener.heard) == 11, 3)
        LogoutDelivery.objects.exclude(client_id="good").filter(attempts=0).delete()
    failed = LogoutDelivery.objects.exclude(client_id="good")
    assert set(failed.values_list("attempts", "leased_until", "delivered_at")) == {(1, None, None)}
    assert all("no answer within 5 seconds" in error for error in failed.values_list("last_error", flat=True))


@pytest.mark.django_db(transaction=True)
def test_apps_that_are_known_to_be_silent_have_few_threads(
    silent: list[str], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "TIMEOUT", 12.0)
    deliveries._failing.update(f"silent-{number}" for number in range(DEAD))
    for number, url in enumerate(silent):
        queue(url, client=f"silent-{number}", times=10)
    queue(listener.url, client="good", times=30)
    with delivering():
        wait_until(lambda: len(listener.heard) == 30, 10)
        leased = LogoutDelivery.objects.filter(leased_until__gt=timezone.now(), delivered_at=None)
        assert leased.count() <= deliveries.FOR_THE_REST
        LogoutDelivery.objects.filter(attempts=0).delete()


@pytest.mark.django_db(transaction=True)
def test_one_app_does_not_take_every_thread(
    silent: list[str], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a client is deleted to which a thousand people are signed in."""
    monkeypatch.setattr(deliveries, "TIMEOUT", 3.0)
    queue(silent[0], client="silent", times=1000)
    queue(listener.url, client="good")
    with delivering():
        wait_until(lambda: len(listener.heard) == 1, 2)
        leased = LogoutDelivery.objects.filter(client_id="silent", leased_until__isnull=False)
        assert leased.count() == deliveries.FOR_ONE_APP
        LogoutDelivery.objects.filter(attempts=0).delete()


@pytest.mark.django_db
def test_what_a_process_took_with_it_is_due_again_when_its_lease_is_over(listener: Listener) -> None:
    queue(listener.url, client="good", times=2)
    first, second = LogoutDelivery.objects.order_by("pk")
    LogoutDelivery.objects.filter(pk=first.pk).update(leased_until=timezone.now() + timedelta(seconds=30), attempts=1)
    LogoutDelivery.objects.filter(pk=second.pk).update(leased_until=timezone.now() - timedelta(seconds=1), attempts=1)
    assert deliveries.deliver_due() == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.delivered_at, second.delivered_at is not None) == (None, True)


@pytest.mark.django_db(transaction=True)
def test_asking_for_another_try_meanwhile_sends_no_second_one_at_once(listener: Listener) -> None:
    with listening(Slow(1)) as slow:
        slow.status = 500
        queue(slow.url, client="slow")
        with delivering():
            wait_until(lambda: LogoutDelivery.objects.filter(leased_until__isnull=False).exists(), 3)
            assert deliveries.try_again(LogoutDelivery.objects.all()) == 1
            time.sleep(0.3)
            assert LogoutDelivery.objects.get().attempts <= 1
            slow.status = 200
        assert len(slow.heard) <= 2
    assert LogoutDelivery.objects.get().delivered_at is not None


@pytest.mark.django_db
def test_an_attempt_that_breaks_off_is_tried_again(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)
    with monkeypatch.context() as patch:
        patch.setattr(deliveries.fetch, "fetch", broken)
        queue(listener.url, client="good")
        assert deliveries.deliver_due() == 0
    delivery = LogoutDelivery.objects.get()
    assert "broke off" in delivery.last_error
    assert delivery.next_attempt_at > timezone.now()


SETUP = "import django; django.setup(); from django.core.management import call_command; call_command('migrate', verbosity=0)"
QUEUE = """
import django; django.setup()
import sys, uuid
from django.utils import timezone
from oidc.models import LogoutDelivery
LogoutDelivery.objects.bulk_create(LogoutDelivery(client_id=f"app-{n % 20}", client_name="App", url=sys.argv[1],
    algorithm="ES256", subject="somebody", sid=uuid.uuid4(), next_attempt_at=timezone.now()) for n in range(120))
"""
DELIVER = """
import django; django.setup()
import sys, time
from oidc import deliveries, signing_keys
signing_keys.ensure("ES256")
time.sleep(max(0, float(sys.argv[1]) - time.time()))
count = 0
while time.time() < float(sys.argv[1]) + 8:
    count += deliveries.deliver_due()
    time.sleep(0.02)
print(count)
"""


def test_of_several_processes_one_delivers_each(live_database: str) -> None:
    server = Server(database_url=live_database, environment={"DJANGO_SETTINGS_MODULE": "pocketid.settings"})

    def run(script: str, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", script, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=server.environment, text=True, stdout=subprocess.PIPE)

    with listening(Slow(0.3)) as app:
        assert run(SETUP).wait(120) == 0
        assert run(QUEUE, app.url).wait(60) == 0
        together = str(time.time() + 8)
        processes = [run(DELIVER, together) for _process in range(3)]
        arrived = [int(process.communicate(timeout=120)[0]) for process in processes]
    sids = Counter(jwt.decode(token, options={"verify_signature": False})["sid"] for token in app.heard)
    assert (len(sids), set(sids.values()), sum(arrived)) == (120, {1}, 120)
    assert sum(count > 0 for count in arrived) > 1, arrived
