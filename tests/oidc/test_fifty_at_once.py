"""Fifty requests at the same moment, spread over two servers of several processes: one winner, and everybody gets a proper answer."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Barrier
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest
import requests

from tests.oidc.test_races import CALLBACK, Live
from tests.support.server import Server

pytestmark = pytest.mark.postgres
FIFTY = 50
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
TABLES = ("oidc_grant", "oidc_refreshtoken", "oidc_accesstoken", "oidc_devicegrant", "accounts_session")


@dataclass(frozen=True)
class Crowd:
    """An app that people are signed in to, two servers that serve it, and the database behind them."""

    live: Live
    servers: tuple[Server, Server]
    database_url: str

    def at_once(self, path: str, form: dict[str, str], *, json: bool = False, auth: bool = True) -> list[Any]:
        """The same request fifty times, released together; the answers."""
        together = Barrier(FIFTY)
        app = self.live.app

        def one(number: int) -> requests.Response:
            url = self.servers[number % 2].base_url + path
            together.wait()
            return requests.post(
                url,
                **{"json" if json else "data": form},
                auth=(app.client_id, app.client_secret) if auth else None,
                timeout=60,
            )

        with ThreadPoolExecutor(FIFTY) as threads:
            return list(threads.map(one, range(FIFTY)))

    def rows(self) -> Counter[str]:
        return Counter({table: self._one(f"SELECT count(*) FROM {table}") for table in TABLES})

    def orphans(self) -> int:
        """Tokens that hang on nothing: on a code that was never used, or on a refresh token of another grant."""
        return self._one(
            "SELECT count(*) FROM oidc_accesstoken t JOIN oidc_grant g ON g.id = t.grant_id"
            " LEFT JOIN oidc_refreshtoken r ON r.id = t.refresh_token_id"
            " WHERE g.used_at IS NULL OR r.grant_id <> t.grant_id"
        ) + self._one(
            "SELECT count(*) FROM oidc_refreshtoken r JOIN oidc_grant g ON g.id = r.grant_id WHERE g.used_at IS NULL"
        )

    def _one(self, statement: str) -> int:
        connect: Callable[[], Any] = (
            (lambda: psycopg.connect(self.database_url))
            if self.database_url
            else (lambda: sqlite3.connect(self.live.server.data_path / "pocketid.sqlite3"))
        )
        with closing(connect()) as connection:
            (number,) = connection.execute(statement).fetchone()
            return int(number)


@pytest.fixture(scope="module")
def crowd(two: tuple[Live, Server], live_database_of_module: str) -> Iterator[Crowd]:
    live, other = two
    consent = live.browser.get(
        live.browser.get(live.app.begin("openid profile offline_access").url).headers["Location"]
    )
    live.browser.press("consent-allow", consent)
    found = Crowd(live, (live.server, other), live_database_of_module)
    yield found
    assert found.orphans() == 0
    for server in found.servers:
        assert "Traceback" not in server.log, server.log[-4000:]
        assert " 500 " not in server.log


def outcomes(answers: list[requests.Response], key: str = "error") -> Counter[tuple[int, str | None]]:
    return Counter((answer.status_code, None if answer.ok else answer.json().get(key)) for answer in answers)


@pytest.mark.spec("RFC 6749", "4.1.2")
@pytest.mark.spec("attacks.md", "B4")
def test_one_code_is_redeemed_once(crowd: Crowd) -> None:
    code, verifier = crowd.live.code()
    before = crowd.rows()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    answers = crowd.at_once("/api/oidc/token", form)
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): FIFTY - 1}
    assert crowd.rows() - before == Counter(oidc_refreshtoken=1, oidc_accesstoken=1)


@pytest.mark.spec("RFC 8628", "3.5")
def test_one_device_code_is_redeemed_once(crowd: Crowd) -> None:
    app = crowd.live.app
    begun = requests.post(
        app.metadata["device_authorization_endpoint"],
        data={"client_id": app.client_id, "scope": "openid offline_access"},
        auth=(app.client_id, app.client_secret),
        timeout=10,
    ).json()
    page = crowd.live.browser.get("/device", params={"user_code": begun["user_code"]})
    crowd.live.browser.press("device-allow", page)
    before = crowd.rows()
    answers = crowd.at_once("/api/oidc/token", {"grant_type": DEVICE, "device_code": begun["device_code"]})
    assert outcomes(answers) == {(200, None): 1, (400, "invalid_grant"): FIFTY - 1}
    after = crowd.rows()
    assert after - before == Counter(oidc_grant=1, oidc_refreshtoken=1, oidc_accesstoken=1)
    assert before - after == Counter(oidc_devicegrant=1)


@pytest.mark.spec("attacks.md", "D16")
def test_one_login_code_signs_in_once(crowd: Crowd) -> None:
    me = crowd.live.browser.get("/api/users/me").json()["id"]
    made = crowd.live.browser.post(f"/api/users/{me}/one-time-access-token", json={"ttl": "15m"}).json()
    before = crowd.rows()
    answers = crowd.at_once(f"/api/one-time-access-token/{made['token']}", {}, json=True, auth=False)
    assert outcomes(answers, "code") == {(200, None): 1, (401, "token_invalid_or_expired"): FIFTY - 1}
    assert crowd.rows() - before == Counter(accounts_session=1)


@pytest.mark.spec("RFC 9700", "4.14.2")
@pytest.mark.spec("attacks.md", "C2")
def test_one_refresh_token_is_rotated_once_and_everybody_gets_the_same_successor(crowd: Crowd) -> None:
    tokens = crowd.live.redeem(*crowd.live.code()).json()
    before = crowd.rows()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answers = crowd.at_once("/api/oidc/token", form)
    assert outcomes(answers) == {(200, None): FIFTY}
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    assert crowd.rows() - before == Counter(oidc_refreshtoken=1, oidc_accesstoken=FIFTY)
    again = crowd.at_once("/api/oidc/token", form | {"refresh_token": successor})
    assert outcomes(again) == {(200, None): FIFTY}
    assert len({answer.json()["refresh_token"] for answer in again}) == 1


@pytest.mark.spec("RFC 9126", "2.2")
def test_one_pushed_request_is_answered_once(crowd: Crowd) -> None:
    app = crowd.live.app
    asked = app.begin("openid profile offline_access")
    form = dict(parse_qsl(urlsplit(asked.url).query))
    pushed = requests.post(
        app.metadata["pushed_authorization_request_endpoint"],
        data=form,
        auth=(app.client_id, app.client_secret),
        timeout=10,
    ).json()["request_uri"]
    together = Barrier(FIFTY)
    cookies = crowd.live.browser.session.cookies.get_dict()

    def one(number: int) -> requests.Response:
        url = f"{crowd.servers[number % 2].base_url}/authorize"
        together.wait()
        parameters = {"client_id": app.client_id, "request_uri": pushed}
        return requests.get(url, params=parameters, cookies=cookies, allow_redirects=False, timeout=60)

    before = crowd.rows()
    with ThreadPoolExecutor(FIFTY) as threads:
        answers = list(threads.map(one, range(FIFTY)))
    codes = [answer for answer in answers if "code=" in answer.headers.get("Location", "")]
    assert len(codes) == 1, Counter(answer.status_code for answer in answers)
    assert {answer.status_code for answer in answers} == {303, 400}
    assert crowd.rows() - before == Counter(oidc_grant=1)
