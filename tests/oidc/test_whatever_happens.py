"""Whatever happens in whatever order, the promises about tokens hold: a real server, driven by hypothesis.

The model below says what each token is worth; after every step the server must agree. Its promises: a code works once,
a family has one live branch, nothing is alive after it was revoked, every live token verifies with a published key.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from joserfc import jwt
from joserfc.jwk import KeySet

from oidc.grants.refresh_token import GRACE
from tests.support.authenticator import Authenticator
from tests.support.http_browser import HttpBrowser
from tests.support.oidc import RelyingParty
from tests.support.server import Server

pytestmark = pytest.mark.postgres
CALLBACK, GOODBYE = "https://app.example.org/callback", "https://app.example.org/goodbye"
API_KEY = "the static API key of the machine"
SCOPE = "openid profile offline_access"
PUBLISHED_WITHIN = 1.2  # seconds after which every process publishes a key that was made


@dataclass
class Family:
    """What one sign-in gave an app, as the model has it."""

    person: str
    app: str
    session: int
    code: str
    verifier: str
    id_token: str = ""
    is_revoked: bool = False
    refresh_tokens: list[str] = field(default_factory=list)  # the last one is the live branch
    rotated_at: list[float] = field(default_factory=list)  # of all but the last
    access_tokens: dict[str, int] = field(default_factory=dict)  # the place of the refresh token given beside it
    ended: set[str] = field(default_factory=set)  # access tokens that were revoked alone

    def live_access_tokens(self) -> set[str]:
        if self.is_revoked:
            return set()
        return {
            token
            for token, place in self.access_tokens.items()
            if place == len(self.refresh_tokens) - 1 and token not in self.ended
        }


@dataclass
class World:
    """The server, the apps and the people; it lasts for all examples."""

    server: Server
    admin: HttpBrowser
    apps: dict[str, RelyingParty]
    person_id: str

    def api(self, method: str, path: str, **json: object) -> requests.Response:
        answer = requests.request(
            method, f"{self.server.base_url}/api{path}", json=json, headers={"X-API-Key": API_KEY}, timeout=10
        )
        answer.raise_for_status()
        return answer

    def set_disabled(self, disabled: bool) -> None:
        person = self.api("GET", f"/users/{self.person_id}").json()
        self.api("PUT", f"/users/{self.person_id}", **person | {"disabled": disabled})

    def signed_in(self) -> HttpBrowser:
        """Bob in a new browser, by a login code."""
        code = self.api("POST", f"/users/{self.person_id}/one-time-access-token", ttl="15m").json()["token"]
        browser = HttpBrowser(self.server.base_url)
        browser.post(f"/api/one-time-access-token/{code}").raise_for_status()
        return browser

    def keys(self) -> KeySet:
        return KeySet.import_key_set(requests.get(f"{self.server.base_url}/.well-known/jwks.json", timeout=10).json())


class Tokens(RuleBasedStateMachine):
    world: World
    families = Bundle("families")
    codes = Bundle("codes")

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Family] = []
        self.browsers: list[HttpBrowser | None] = []
        self.is_disabled = False
        self.touched: list[Family] = []

    @initialize(target=families, apps=st.lists(st.sampled_from(("Wiki", "Notes")), min_size=2, max_size=3))
    def begin(self, apps: list[str]) -> MultipleResults[Family]:
        self.world.set_disabled(False)
        self.sign_in()
        return multiple(*(self.redeem(self.authorize_at(app)) for app in apps))

    # What people do

    @precondition(lambda self: not self.is_disabled)
    @rule()
    def sign_in(self) -> None:
        self.browsers.append(self.world.signed_in())

    @precondition(lambda self: any(self.browsers) and not self.is_disabled)
    @rule(target=codes, app=st.sampled_from(("Wiki", "Notes")))
    def authorize(self, app: str) -> Family:
        return self.authorize_at(app)

    def authorize_at(self, app: str) -> Family:
        session = max(index for index, browser in enumerate(self.browsers) if browser is not None)
        browser = self.browsers[session]
        assert browser is not None
        client = self.world.apps[app]
        asked = client.begin(SCOPE)
        answer = browser.get(asked.url)
        assert answer.status_code == 303, (answer.status_code, answer.text[:300])
        code = client.callback(answer.headers["Location"], asked)["code"]
        family = Family("bob", app, session, code, asked.code_verifier)
        self.all.append(family)
        return family

    @rule(family=families)
    def sign_out_from_the_app(self, family: Family) -> None:
        """OIDC RP-Initiated Logout: what this app got from this sign-in ends, and so does the session."""
        if not family.id_token:
            return
        browser = self.browsers[family.session] or HttpBrowser(self.world.server.base_url)
        answer = browser.get(
            "/api/oidc/end-session",
            params={"id_token_hint": family.id_token, "post_logout_redirect_uri": GOODBYE},
        )
        assert answer.headers["Location"] == GOODBYE
        for other in self.all:
            if (other.session, other.app) == (family.session, family.app):
                other.is_revoked = True
        self.browsers[family.session] = None
        self.touched = [*self.all[-3:], family]

    # What apps do

    @precondition(lambda self: not self.is_disabled)
    @rule(target=families, family=consumes(codes))
    def redeem(self, family: Family) -> Family:
        answer = self._redeem(family)
        if family.is_revoked:
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        else:
            assert answer.status_code == 200, answer.text
            self._keep(family, answer.json(), place=0)
        return self._touch(family)

    @precondition(lambda self: self.is_disabled)
    @rule(family=codes)
    def redeem_for_a_disabled_person(self, family: Family) -> None:
        answer = self._redeem(family)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    @rule(family=families)
    def redeem_again(self, family: Family) -> None:
        """A second use is refused and ends what the first gave (RFC 6749 section 4.1.2)."""
        assert self._redeem(family).json()["error"] == "invalid_grant"
        family.is_revoked = True
        self._touch(family)

    @rule(family=codes)
    def redeem_at_another_client(self, family: Family) -> None:
        """Burns it for both."""
        thief = self.world.apps["Notes" if family.app == "Wiki" else "Wiki"]
        answer = thief.token(
            grant_type="authorization_code", code=family.code, redirect_uri=CALLBACK, code_verifier=family.verifier
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        family.is_revoked = True

    @rule(family=families, rotations=st.integers(0, 2), back=st.integers(0, 2))
    def refresh(self, family: Family, rotations: int, back: int) -> None:
        """Some rotations as they should be, then with the live token, with the one before it, or with an older one."""
        for _rotation in range(rotations):
            self._refresh(family, back=0)
        self._refresh(family, back=back)

    def _refresh(self, family: Family, *, back: int) -> None:
        place = len(family.refresh_tokens) - 1 - back
        if place < 0:
            return
        if back == 1 and abs(time.time() - family.rotated_at[place] - GRACE.total_seconds()) < 10:
            return  # too close to the end of the grace to say which side it is on
        answer = self._app(family).token(grant_type="refresh_token", refresh_token=family.refresh_tokens[place])
        body = answer.json()
        is_in_grace = back == 1 and time.time() - family.rotated_at[place] < GRACE.total_seconds()
        if family.is_revoked:
            assert (answer.status_code, body["error"]) == (400, "invalid_grant")
        elif back and not is_in_grace:
            assert (answer.status_code, body["error"]) == (400, "invalid_grant")
            family.is_revoked = True
        elif back:
            assert answer.status_code == 200, body
            assert body["refresh_token"] == family.refresh_tokens[-1], "the same successor again: never a second branch"
            family.access_tokens[body["access_token"]] = place + 1
        else:
            assert answer.status_code == 200, body
            family.rotated_at.append(time.time())
            self._keep(family, body, place=place + 1)
        self._touch(family)

    @rule(family=families)
    def refresh_at_another_client(self, family: Family) -> None:
        """A foreign token is refused and nothing happens to its family."""
        if family.refresh_tokens:
            thief = self.world.apps["Notes" if family.app == "Wiki" else "Wiki"]
            answer = thief.token(grant_type="refresh_token", refresh_token=family.refresh_tokens[-1])
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        self._touch(family)

    @rule(family=families, kind=st.sampled_from(("access", "refresh")))
    def revoke(self, family: Family, kind: str) -> None:
        """RFC 7009: a refresh token takes its family with it, an access token goes alone."""
        if not family.refresh_tokens:
            return
        token = family.refresh_tokens[-1] if kind == "refresh" else list(family.access_tokens)[-1]
        client = self._app(family)
        answer = requests.post(
            client.metadata["revocation_endpoint"],
            data={"token": token},
            auth=(client.client_id, client.client_secret),
            timeout=10,
        )
        assert answer.status_code == 200
        if kind == "refresh":
            family.is_revoked = True
        else:
            family.ended.add(token)
        self._touch(family)

    # What administrators do

    @rule(act=st.sampled_from(("disable or enable", "rotate the key", "restart", "crash")))
    def administrate(self, act: str) -> None:
        """One rule for all, so that most steps are those of people and apps."""
        match act:
            case "disable or enable":
                # Sessions, codes and tokens are gone for good.
                self.is_disabled = not self.is_disabled
                self.world.set_disabled(self.is_disabled)
                self.browsers = [None] * len(self.browsers)
                for family in self.all:
                    family.is_revoked = True
            case "rotate the key":
                time.sleep(PUBLISHED_WITHIN)
                question = self.world.admin.get("/admin/oidc/signingkey/rotate/RS256/")
                assert self.world.admin.press("rotate", question, at_once="yes").status_code == 302
            case "restart":
                self.world.server.stop()
                self.world.server.start()
            case "crash":
                self.world.server.kill()
                self.world.server.start()
        self.touched = self.all[-2:]

    # What must be true

    @invariant()
    def the_server_agrees(self) -> None:
        keys = self.world.keys() if self.touched else None
        for family in {id(family): family for family in self.touched}.values():
            live = family.live_access_tokens()
            for token in family.access_tokens:
                assert self._is_active(family, token) is (token in live)
                assert self._opens_userinfo(token) is (token in live)
                if token in live:
                    assert jwt.decode(token, keys, algorithms=["RS256"]).claims["sub"] == self.world.person_id
            for place, token in enumerate(family.refresh_tokens):
                assert self._is_active(family, token) is (
                    not family.is_revoked and place == len(family.refresh_tokens) - 1
                )
        self.touched = []

    def teardown(self) -> None:
        self.touched = self.all
        self.the_server_agrees()

    # How it is asked

    def _app(self, family: Family) -> RelyingParty:
        return self.world.apps[family.app]

    def _redeem(self, family: Family) -> requests.Response:
        return self._app(family).token(
            grant_type="authorization_code", code=family.code, redirect_uri=CALLBACK, code_verifier=family.verifier
        )

    def _keep(self, family: Family, body: dict[str, str], *, place: int) -> None:
        family.id_token = body["id_token"]
        family.refresh_tokens.append(body["refresh_token"])
        family.access_tokens[body["access_token"]] = place

    def _touch(self, family: Family) -> Family:
        self.touched.append(family)
        return family

    def _is_active(self, family: Family, token: str) -> bool:
        client = self._app(family)
        answer = requests.post(
            client.metadata["introspection_endpoint"],
            data={"token": token},
            auth=(client.client_id, client.client_secret),
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["active"]

    def _opens_userinfo(self, token: str) -> bool:
        answer = requests.get(
            f"{self.world.server.base_url}/api/oidc/userinfo",
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200


@pytest.fixture
def world(live_database: str) -> Iterator[World]:
    environment = {"DISABLE_RATE_LIMITING": "true", "STATIC_API_KEY": API_KEY}
    with Server(database_url=live_database, environment=environment) as server:
        device, admin = Authenticator(server.base_url), HttpBrowser(server.base_url)
        admin.set_up(device)
        admin.sign_in(device)
        made = World(server, admin, {}, "")
        for name in ("Wiki", "Notes"):
            client = made.api(
                "POST",
                "/oidc/clients",
                name=name,
                callbackURLs=[CALLBACK],
                logoutCallbackURLs=[GOODBYE],
                skipConsent=True,
            ).json()
            made.apps[name] = RelyingParty(server.base_url, client["id"], client["createdSecret"]["secret"])
        made.person_id = made.api(
            "POST", "/users", username="bob", firstName="Bob", lastName="Example", email="bob@example.org"
        ).json()["id"]
        yield made
        assert "Traceback" not in server.log, server.log[-4000:]
        assert " 500 " not in server.log


@pytest.mark.spec("RFC 6749", "4.1.2")
@pytest.mark.spec("RFC 6749", "10.4")
@pytest.mark.spec("RFC 7009", "2.1")
@pytest.mark.spec("RFC 9700", "4.14.2")
def test_the_promises_hold_whatever_happens(world: World) -> None:
    """``HYPOTHESIS_PROFILE=explore`` runs many more examples."""
    is_long = settings.default is settings.get_profile("explore")
    machine = type("Machine", (Tokens,), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=200 if is_long else 8,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # what a server remembers cannot be replayed, so there is nothing to shrink
        ),
    )
