"""Sessions run out at real servers, several processes on one database, of which any may be killed; a real app listens."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest

from accounts import sessions
from tests.oidc.listener import Listener, listening
from tests.oidc.test_races import Live
from tests.support.authenticator import Authenticator
from tests.support.http_browser import HttpBrowser
from tests.support.oidc import RelyingParty
from tests.support.server import Server
from tests.support.sessions import let_time_run_out, run_python

pytestmark = [pytest.mark.postgres, pytest.mark.spec("Back-Channel Logout", "2.5")]
SOON = 60.0  # seconds within which an app hears of it
MANY = 3 * sessions.AT_ONCE


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening(Listener()) as server:
        yield server


def an_app(browser: HttpBrowser, listener: Listener, **settings: object) -> RelyingParty:
    callback = "https://app.example.org/callback"
    body = {"name": "Chat", "callbackURLs": [callback], "skipConsent": True, "backchannelLogoutURL": listener.url}
    made = browser.post("/api/oidc/clients", json=body | settings).json()
    return RelyingParty(browser.base_url, made["id"], made["createdSecret"]["secret"], redirect_uri=callback)


def signed_in(base_url: str, device: Authenticator, *apps: RelyingParty) -> str:
    """The ``sid`` of somebody who comes with a new browser and uses these apps."""
    browser, sids = HttpBrowser(base_url), set()
    browser.sign_in(device).raise_for_status()
    for app in apps:
        asked = app.begin("openid")
        answer = browser.get(asked.url).headers["Location"]
        code = dict(parse_qsl(urlsplit(answer).query))["code"]
        sids.add(app.claims(app.redeem(code, asked)["id_token"])["sid"])
    [sid] = sids
    return sid


def heard(listener: Listener) -> Counter[tuple[str, str]]:
    """How often which app was told of which session."""
    told = [jwt.decode(token, options={"verify_signature": False}) for token in list(listener.heard)]
    return Counter((claims["aud"][0], claims["sid"]) for claims in told)


def wait_until(condition, seconds: float = SOON) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "too slow"
        time.sleep(0.05)


def test_of_two_servers_one_tells_each_app_soon(two: tuple[Live, Server], listener: Listener) -> None:
    live, _other = two
    url, device = live.server.base_url, live.device
    chat = an_app(live.browser, listener)
    mail = an_app(live.browser, listener, name="Mail")
    apart = an_app(live.browser, listener, name="Apart", backchannelLogoutOnSessionExpiry=False)
    over = [signed_in(url, device, chat, mail, apart) for _browser in range(4)]
    alive = signed_in(url, device, chat, apart)
    long_ago = signed_in(url, device, chat)
    let_time_run_out(live.server, long_ago, ago=timedelta(days=2))
    let_time_run_out(live.server, *over)
    expected = Counter((app.client_id, sid) for app in (chat, mail) for sid in over)
    wait_until(lambda: heard(listener) >= expected)
    time.sleep(2)  # whatever somebody would send a second time
    assert heard(listener) == expected
    assert alive not in {sid for _app, sid in heard(listener)}
    for token in listener.heard:
        assert jwt.get_unverified_header(token)["typ"] == "logout+jwt"


_QUEUE = """
import django; django.setup()
import sys, uuid
from datetime import timedelta
from django.utils import timezone
from accounts.models import Session, User
from oidc.models import Client, Grant
now, user, client = timezone.now(), User.objects.get(username="alice"), Client.objects.get(client_id=sys.argv[1])
rows = Session.objects.bulk_create(Session(user=user, key_hash=uuid.uuid4().hex, auth_time=now, expires_at=now - timedelta(seconds=60))
    for number in range(int(sys.argv[2])))
Grant.objects.bulk_create(Grant(user=user, application=client, code=str(row.pk), sid=row.pk, auth_time=now, expires=now,
    redirect_uri="x", scope="openid") for row in rows)
print(" ".join(str(row.pk) for row in rows))
"""
_QUEUED = """
import django; django.setup()
import json
from oidc.models import LogoutDelivery
print(json.dumps([str(sid) for sid in LogoutDelivery.objects.values_list("sid", flat=True)]))
"""


def test_nothing_is_lost_or_told_twice_when_the_server_is_killed_in_between(
    live_database: str, listener: Listener
) -> None:
    """Also: what ran out while everything was off is told at the next start."""
    with Server(database_url=live_database, environment={"DISABLE_RATE_LIMITING": "true"}) as server:
        device, browser = Authenticator(server.base_url), HttpBrowser(server.base_url)
        browser.set_up(device)
        browser.sign_in(device)
        chat = an_app(browser, listener)
        server.kill()
        sids = run_python(server, _QUEUE, chat.client_id, str(MANY)).split()
        server.start()
        wait_until(lambda: len(listener.heard) > 5)
        server.kill()
        killed_after = len(listener.heard)
        server.start()
        # A delivery that was under way at the kill is due again when its lease is over, a minute later.
        wait_until(lambda: {sid for _app, sid in heard(listener)} == set(sids), 2 * SOON + 30)
        assert Counter(json.loads(run_python(server, _QUEUED))) == Counter(sids)
        assert killed_after < MANY
        # Only those that were on their way at that very moment may arrive again: nobody can know whether they had.
        assert sum(heard(listener).values()) - MANY <= 64
