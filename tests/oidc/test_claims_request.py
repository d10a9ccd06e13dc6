"""Claims that are asked for by name (OIDC Core section 5.5), and how somebody signed in."""

import json
from datetime import timedelta

import jwt
import pytest

from accounts import login_codes
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, agree, an_app, answer, basic, post_form, userinfo

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


@pytest.mark.spec("OIDC Core", "5.5.1")
def test_an_answer_about_somebody_else_is_never_given(at_home: Browser, client_app: App, person: Person) -> None:
    for subject, expected in ((person.subject, "code"), ("somebody-else", "error")):
        asked = json.dumps({"id_token": {"sub": {"value": subject}}})
        sent_back = answer(client_app.sent_back(at_home, claims=asked))
        assert expected in sent_back
        assert sent_back.get("error", "login_required") == "login_required"
    assert answer(client_app.ask(at_home, claims='{"id_token": {"sub": {"value": 7}}}'))["error"] == "invalid_request"


@pytest.mark.spec("OIDC Core", "5.5.1.1")
@pytest.mark.parametrize(
    ("acr", "is_answered"),
    [
        ({"essential": True, "values": ["phr", "other"]}, True),
        ({"essential": True, "value": "phr"}, True),
        ({"essential": True, "value": "urn:example:gold"}, False),
        ({"essential": True, "values": []}, True),
        ({"values": ["urn:example:gold"]}, True),
        ({"essential": True}, True),
        (None, True),
    ],
    ids=str,
)
def test_a_class_of_sign_in_that_is_demanded_is_given_or_refused(
    at_home: Browser, client_app: App, acr: dict[str, object] | None, is_answered: bool
) -> None:
    sent_back = answer(client_app.sent_back(at_home, claims=json.dumps({"id_token": {"acr": acr}})))
    assert ("code" in sent_back) is is_answered
    assert sent_back.get("error") == (None if is_answered else "unmet_authentication_requirements")
    if is_answered:
        assert claims_of(client_app.redeem(sent_back["code"]).json()["id_token"])["acr"] == "phr"


DEMANDS_A_PASSKEY = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:example:gold", "phr"]}}})


def signed_in_with_a_code(browser: Browser, person: Person) -> Browser:
    code = login_codes.create(person.user, ttl=timedelta(minutes=5)).code
    assert browser.post(f"/api/one-time-access-token/{code}").status_code == 200
    return browser


@pytest.mark.spec("OIDC Core", "5.5.1.1")
@pytest.mark.spec("RFC 9470", "4")
@pytest.mark.parametrize("is_pushed", [False, True], ids=["asked for", "pushed"])
def test_who_signed_in_with_a_code_is_asked_for_the_passkey_that_the_app_demands(
    browser: Browser, person: Person, client_app: App, is_pushed: bool
) -> None:
    parameters = {"claims": DEMANDS_A_PASSKEY}
    if is_pushed:
        headers = {"Authorization": basic(client_app.client.client_id, client_app.secret)}
        pushed = post_form("/api/oidc/par", client_app.request(**parameters), headers=headers).json()
        parameters = {"request_uri": pushed["request_uri"]}
    asked = client_app.ask(browser, **parameters)
    # After the request came, but not of the class.
    signed_in_with_a_code(browser, person)
    page = browser.get(asked["Location"])
    assert 'data-page="reauthenticate"' in page.text
    interaction = asked["Location"].partition("=")[2]
    assert browser.get(f"/authorize?interaction={interaction}")["Location"] == asked["Location"]
    browser.send("/api/webauthn/reauthenticate", person.device.get(browser.login_options()))
    sent_back = answer(agree(browser, asked))
    assert claims_of(client_app.redeem(sent_back["code"]).json()["id_token"])["acr"] == "phr"


@pytest.mark.spec("OIDC Core", "5.5.1.1")
@pytest.mark.spec("RFC 9470", "5")
def test_a_class_that_cannot_be_reached_now_is_said_to_be_unmet(
    browser: Browser, person: Person, client_app: App
) -> None:
    """Without a page, without a passkey, or where no passkey would do."""
    signed_in_with_a_code(browser, person)
    client_app.tokens(browser)
    gold = json.dumps({"id_token": {"acr": {"essential": True, "value": "urn:example:gold"}}})
    for parameters in ({"claims": DEMANDS_A_PASSKEY, "prompt": "none"}, {"claims": gold}):
        assert answer(client_app.ask(browser, **parameters))["error"] == "unmet_authentication_requirements"
    person.passkey.delete()
    assert answer(client_app.ask(browser, claims=DEMANDS_A_PASSKEY))["error"] == "unmet_authentication_requirements"


@pytest.mark.spec("OIDC Core", "5.5.1.1")
def test_a_wish_for_a_class_asks_nobody_again(browser: Browser, person: Person, client_app: App) -> None:
    signed_in_with_a_code(browser, person)
    id_token = client_app.tokens(browser, acr_values="phr")["id_token"]
    assert claims_of(id_token)["acr"] == "0"


@pytest.mark.spec("OIDC Core", "5.5")
def test_custom_standard_claims_can_be_asked_for_by_name(at_home: Browser, client_app: App, person: Person) -> None:
    person.user.custom_claims.create(key="nickname", value="Bobby")
    asked = json.dumps({"userinfo": {"nickname": {"essential": True}, "zoneinfo": None}})
    tokens = client_app.tokens(at_home, scope="openid", claims=asked)
    assert userinfo(tokens["access_token"]).json() == {"sub": person.subject, "nickname": "Bobby"}


@pytest.mark.spec("conformance", "R14")
@pytest.mark.parametrize("in_id_token", [True, False])
def test_the_id_token_has_an_unasked_address_only_if_the_client_wants_it(at_home: Browser, in_id_token: bool) -> None:
    app = an_app("App", claims_in_id_token=in_id_token)
    tokens = app.tokens(at_home, scope="openid profile email groups")
    assert ({"email", "name", "groups", "updated_at"} <= claims_of(tokens["id_token"]).keys()) is in_id_token
    assert {"email", "name", "groups", "updated_at"} <= userinfo(tokens["access_token"]).json().keys()


@pytest.mark.spec("attacks.md", "A18")
@pytest.mark.parametrize(
    "member",
    [
        {"sub": {"value": "a\x00b"}},
        {"sub": {"value": "\ud800"}},
        {"acr": {"essential": True, "values": ["phr", "\x00"]}},
        {"acr": {"essential": True, "value": "\udfff"}},
    ],
)
def test_what_no_database_takes_as_text_is_refused(
    browser: Browser, client_app: App, member: dict[str, object]
) -> None:
    refused = answer(client_app.ask(browser, claims=json.dumps({"id_token": member})))
    assert refused["error"] == "invalid_request"
