"""Claims that are asked for by name (OIDC Core section 5.5), and how somebody signed in."""

import json

import jwt
import pytest

from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, answer, userinfo

pytestmark = pytest.mark.spec("OIDC Core", "5.5")


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def claims_of(id_token: str) -> dict[str, object]:
    return jwt.decode(id_token, options={"verify_signature": False})


@pytest.mark.spec("OIDC Core", "5.5")
def test_each_place_gets_what_was_asked_for_it(at_home: Browser, person: Person) -> None:
    app = an_app("Certified", claims_in_id_token=False)
    asked = {"userinfo": {"name": {"essential": True}}, "id_token": {"email": None, "nonsense": None}}
    tokens = app.tokens(at_home, scope="openid", claims=json.dumps(asked))
    in_token, at_userinfo = claims_of(tokens["id_token"]), userinfo(tokens["access_token"]).json()
    assert in_token["email"] == person.user.email
    assert "name" not in in_token
    assert "nonsense" not in in_token
    assert at_userinfo["name"] == person.user.name
    assert "email" not in at_userinfo


@pytest.mark.spec("OIDC Core", "3.1.2.4")
def test_the_person_agrees_to_claims_as_to_scopes(at_home: Browser, client_app: App) -> None:
    client_app.tokens(at_home, scope="openid")
    asked = json.dumps({"userinfo": {"email": None}})
    assert "/interaction?" in client_app.ask(at_home, scope="openid", claims=asked)["Location"]
    assert answer(client_app.ask(at_home, scope="openid", claims=asked, prompt="none"))["error"] == "consent_required"


@pytest.mark.spec("OIDC Core", "5.5")
@pytest.mark.parametrize("text", ["x", "[]", '"name"', "{" * 5000])
def test_what_is_no_object_is_refused(at_home: Browser, client_app: App, text: str) -> None:
    assert answer(client_app.ask(at_home, claims=text))["error"] == "invalid_request"


@pytest.mark.spec("OIDC Core", "3.1.2.1")
def test_acr_is_told_when_it_is_asked_for(at_home: Browser, client_app: App) -> None:
    assert claims_of(client_app.tokens(at_home, acr_values="phr 1")["id_token"])["acr"] == "phr"
    assert "acr" not in claims_of(client_app.tokens(at_home)["id_token"])
