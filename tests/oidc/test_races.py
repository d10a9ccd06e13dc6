"""Many at once against the server as it is run: its processes, its threads, its database."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests

from tests.support.authenticator import Authenticator
from tests.support.html_form import forms
from tests.support.http_browser import HttpBrowser
from tests.support.oidc import RelyingParty
from tests.support.server import Server

pytestmark = pytest.mark.postgres
CROWD = 24
CALLBACK = "https://app.example.org/callback"


@dataclass(frozen=True)
class Live:
    """A server that was set up, the administrator's browser, and an app that she has agreed to."""

    server: Server
    browser: HttpBrowser
    device: Authenticator
    app: RelyingParty

    def code(self, **parameters: str) -> tuple[str, str]:
        """A code, and the verifier that belongs to it."""
        asked = self.app.begin("openid profile offline_access", **parameters)
        return dict(parse_qsl(urlsplit(self.browser.get(asked.url).headers["Location"]).query))[
            "code"
        ], asked.code_verifier

    def redeem(self, code: str, verifier: str) -> requests.Response:
        return self.app.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=verifier)

    def userinfo_status(self, access_token: str) -> int:
        return requests.get(
            f"{self.server.base_url}/api/oidc/userinfo", headers={"Authorization": f"Bearer {access_token}"}, timeout=10
        ).status_code


@pytest.fixture(scope="module")
def live(live_database_of_module: str) -> Iterator[Live]:
    with Server(database_url=live_database_of_module, environment={"DISABLE_RATE_LIMITING": "true"}) as server:
        device, browser = Authenticator(server.base_url), HttpBrowser(server.base_url)
        browser.set_up(device)
        browser.sign_in(device)
        app = RelyingParty(server.base_url, *register(browser), redirect_uri=CALLBACK)
        consent = browser.get(browser.get(app.begin("openid profile offline_access").url).headers["Location"])
        browser.press("consent-allow", consent)
        yield Live(server, browser, device, app)
        assert "Traceback" not in server.log, server.log[-4000:]


def test_the_first_token_of_an_algorithm_is_verifiable_at_every_process(live: Live) -> None:
    """Each process publishes what it has read a moment ago, so the key must be there before it signs."""
    for algorithm in ("ES256", "EdDSA"):
        page = live.browser.get("/admin/oidc/client/add/")
        form = next(form for form in forms(page.text, page_url=page.url) if "name" in form.fields)
        asked = {"name": algorithm, "client_type": "confidential", "redirect_uris": CALLBACK, "algorithm": algorithm}
        for _process in range(8):  # has just been read
            requests.get(f"{live.server.base_url}/.well-known/jwks.json", timeout=10)
        made = live.browser.post(form.url, data=form.fields | asked | {"_save": "Save"}, headers={"Referer": page.url})
        app = replace(
            live.app, client_id=shown(made.text, "client-id"), client_secret=shown(made.text, "client-secret")
        )
        token = app.token(grant_type="client_credentials").json()["access_token"]
        kid = jwt.get_unverified_header(token)["kid"]
        for _process in range(8):
            keys = requests.get(f"{live.server.base_url}/.well-known/jwks.json", timeout=10).json()["keys"]
            assert (kid, algorithm) in {(key["kid"], key["alg"]) for key in keys}


def register(browser: HttpBrowser) -> tuple[str, str]:
    """An app made in the console: its id and its secret."""
    page = browser.get("/admin/oidc/client/add/")
    form = next(form for form in forms(page.text, page_url=page.url) if "name" in form.fields)
    made = browser.post(
        form.url,
        data=form.fields
        | {
            "name": "Wiki",
            "client_type": "confidential",
            "redirect_uris": CALLBACK,
            "post_logout_redirect_uris": "",
            "description": "",
            "algorithm": "RS256",
            "refresh_tokens": "offline_access",
            "_save": "Save",
        },
        headers={"Referer": page.url},
    )
    return shown(made.text, "client-id"), shown(made.text, "client-secret")


def shown(text: str, name: str) -> str:
    return text.partition(f'id="{name}"')[2].partition(">")[2].partition("<")[0].strip()


def at_once(function, arguments: list) -> list:
    with ThreadPoolExecutor(CROWD) as crowd:
        return list(crowd.map(lambda each: function(*each), arguments))


@pytest.mark.spec("attacks.md", "B4")
def test_of_many_redemptions_of_a_code_one_succeeds_and_then_nothing_is_alive(live: Live) -> None:
    for _round in range(3):
        code, verifier = live.code()
        answers = at_once(live.redeem, [(code, verifier)] * CROWD)
        assert Counter((answer.status_code, answer.json().get("error")) for answer in answers) == {
            (200, None): 1,
            (400, "invalid_grant"): CROWD - 1,
        }
        (won,) = (answer.json() for answer in answers if answer.ok)
        # Somebody else held the code as well, and nobody knows who was the app (RFC 6749 section 4.1.2).
        code_again = live.redeem(code, verifier)
        assert code_again.status_code == 400
        assert live.userinfo_status(won["access_token"]) == 401
        assert live.app.token(grant_type="refresh_token", refresh_token=won["refresh_token"]).status_code == 400


@pytest.mark.spec("attacks.md", "C2")
def test_simultaneous_refreshes_have_one_successor(live: Live) -> None:
    tokens = live.redeem(*live.code()).json()
    answers = at_once(
        lambda token: live.app.token(grant_type="refresh_token", refresh_token=token),
        [(tokens["refresh_token"],)] * CROWD,
    )
    assert {answer.status_code for answer in answers} == {200}
    (successor,) = {answer.json()["refresh_token"] for answer in answers}
    assert len({answer.json()["access_token"] for answer in answers}) == CROWD
    assert live.app.token(grant_type="refresh_token", refresh_token=successor).status_code == 200
    assert {live.userinfo_status(answer.json()["access_token"]) for answer in answers} == {401}


def test_an_authorization_is_answered_once(live: Live) -> None:
    asked = live.app.begin("openid", prompt="consent")
    interaction = live.browser.get(asked.url).headers["Location"]
    live.browser.press("consent-allow", live.browser.get(interaction))
    resumed = interaction.replace("/interaction", "/authorize", 1)
    answers = at_once(copy_of(live.browser).get, [(resumed,)] * CROWD)
    assert sum("code=" in answer.headers.get("Location", "") for answer in answers) == 1
    assert Counter(answer.status_code for answer in answers) == {303: 1, 404: CROWD - 1}


@pytest.mark.spec("attacks.md", "E1")
def test_an_assertion_signs_in_once(live: Live) -> None:
    stranger = HttpBrowser(live.server.base_url)
    answer = live.device.get(stranger.get("/api/webauthn/login/start").json())
    cookies = stranger.session.cookies.get_dict()

    def finish() -> int:
        return requests.post(
            f"{live.server.base_url}/api/webauthn/login/finish",
            json=answer,
            cookies=cookies,
            headers={"Origin": live.server.base_url},
            timeout=20,
        ).status_code

    assert Counter(at_once(finish, [()] * CROWD)) == {200: 1, 400: CROWD - 1}


def test_first_consents_at_the_same_moment_make_one(live: Live) -> None:
    other = replace(live, app=RelyingParty(live.server.base_url, *register(live.browser), redirect_uri=CALLBACK))
    interactions = [live.browser.get(other.app.begin("openid").url).headers["Location"] for _each in range(6)]
    pages = [live.browser.get(interaction) for interaction in interactions]
    answers = at_once(lambda page: live.browser.press("consent-allow", page).status_code, [(page,) for page in pages])
    assert set(answers) == {302}


def test_a_busy_server_answers_everybody(live: Live) -> None:
    codes = [live.code() for _each in range(CROWD * 2)]
    answers = at_once(live.redeem, codes)
    assert Counter(answer.status_code for answer in answers) == {200: CROWD * 2}
    assert set(at_once(live.userinfo_status, [(answer.json()["access_token"],) for answer in answers])) == {200}


def copy_of(browser: HttpBrowser) -> HttpBrowser:
    copied = HttpBrowser(browser.base_url)
    copied.session.cookies.update(browser.session.cookies)
    return copied
