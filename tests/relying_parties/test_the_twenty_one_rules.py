"""The twenty-one rules that real apps taught, one test each, named for the app that breaks without it.

The rules are numbered as in the notes they come from (relying-parties.md section 3); what the apps send and show in
full is in ``test_stories.py``.
"""

import base64
import json
import logging
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.utils import timezone

from oidc import key_rotation, redirect_uris, signing_keys
from oidc.models import Client, SigningKey
from oidc.tokens import unverified_claims
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, agree, answer, basic, http, post_form, userinfo
from tests.oidc.test_token import INVALID_CLIENT, INVALID_GRANT, refusal

CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def rule(number: int) -> pytest.MarkDecorator:
    return pytest.mark.spec("relying-parties.md", f"3, rule {number}")


@rule(1)
@pytest.mark.parametrize("text", [None, "x", "link", "1234567", "x" * 400])
def test_01_zipline_and_espocrm_send_short_state_and_nonce(at_home: Browser, client_app: App, text: str | None) -> None:
    callback = answer(client_app.sent_back(at_home, state=text, nonce=text))
    assert callback.get("state") == text
    assert unverified_claims(client_app.redeem(callback["code"]).json()["id_token"]).get("nonce") == text


@rule(2)
def test_02_espocrm_signs_in_from_a_popup_that_must_stay_connected(
    browser: Browser, person: Person, client_app: App
) -> None:
    pages = [browser.get(client_app.ask(browser)["Location"]), client_app.ask(browser, client_id="unknown")]
    browser.sign_in(person)
    asked = client_app.ask(browser)
    pages += [asked, browser.get(asked["Location"]), agree(browser, asked)]
    for page in pages:
        assert page.headers.get("Cross-Origin-Opener-Policy", "unsafe-none") == "unsafe-none"


@rule(3)
def test_03_go_apps_try_the_other_authentication_with_the_same_code(at_home: Browser, client_app: App) -> None:
    """Memos, Portainer, oauth2-proxy and Miniflux: any 4xx makes them send it again."""
    code = client_app.code(at_home)
    assert refusal(client_app.redeem(code, authentication="none")) == INVALID_CLIENT
    assert client_app.redeem(code, authentication="post").status_code == 200


@rule(4)
def test_04_oauth2_proxy_repeats_a_refused_refresh_and_that_is_one_incident(
    at_home: Browser, client_app: App, caplog: pytest.LogCaptureFixture
) -> None:
    first = client_app.tokens(at_home, scope="openid offline_access")["refresh_token"]
    client_app.refresh(first)
    with (
        time_machine.travel(timezone.now() + timedelta(minutes=2)),
        caplog.at_level(logging.WARNING, logger="pocketid.oidc"),
    ):
        for authentication in ("basic", "post", "basic", "post"):
            assert refusal(client_app.refresh(first, authentication=authentication)) == INVALID_GRANT
    assert caplog.text.count("used again after it was rotated") == 1


@rule(5)
def test_05_oauth2_proxy_jupyterhub_and_espocrm_send_what_nobody_asked_for(at_home: Browser, client_app: App) -> None:
    wish = json.dumps({"id_token": {"groups": {"essential": True}, "nonsense": None}})
    extra = {"approval_prompt": "force", "claims": wish, "scope": "openid profile email phone"}
    callback = answer(client_app.sent_back(at_home, **extra))
    assert callback["scope"] == "openid profile email"
    assert client_app.redeem(callback["code"], data="None").status_code == 200


@rule(6)
def test_06_zipline_portainer_and_authlib_write_addresses_and_types_their_own_way(
    at_home: Browser, client_app: App
) -> None:
    for scope, address in (
        ("openid+email", client_app.redirect_uri),
        ("openid%20email", quote(client_app.redirect_uri, safe="")),
    ):
        query = f"response_type=code&client_id={client_app.client.client_id}&scope={scope}&redirect_uri={address}"
        callback = answer(agree(at_home, at_home.get("/authorize?" + query)))
        assert callback["scope"] == "openid email"
        response = http().post(
            "/api/oidc/token",
            f"grant_type=authorization_code&code={callback['code']}&redirect_uri={address}",
            content_type="application/x-www-form-urlencoded;charset=UTF-8",
            headers={"Authorization": basic(client_app.client.client_id, client_app.secret)},
        )
        assert response.status_code == 200


@rule(7)
def test_07_go_apps_form_encode_the_secret_before_base64(client_app: App) -> None:
    pair = f"{client_app.client.client_id}:{quote(client_app.secret, safe='')}+"
    header = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    response = post_form("/api/oidc/token", CLIENT_CREDENTIALS, headers=header)
    assert refusal(response) == INVALID_CLIENT
    assert "blank" in response.json()["error_description"]


@rule(8)
@pytest.mark.parametrize("authentication", ["basic", "post"])
def test_08_every_app_may_send_its_secret_either_way(client_app: App, authentication: str) -> None:
    assert client_app.token(authentication=authentication, **CLIENT_CREDENTIALS).status_code == 200


@rule(9)
def test_09_portainer_wants_a_sign_in_each_time_and_espocrm_consent(
    at_home: Browser, client_app: App, person: Person
) -> None:
    client_app.code(at_home)
    for _time in range(2):
        asked = client_app.ask(at_home, prompt="login")
        at_home.get(asked["Location"])
        at_home.sign_in(person)  # one gesture
        assert answer(agree(at_home, at_home.get(asked["Location"])))["code"]
        page = at_home.get(client_app.ask(at_home, prompt="consent")["Location"])
        assert 'data-action="consent-allow"' in page.text


@rule(10)
def test_10_espocrm_refuses_a_key_without_a_name(at_home: Browser, client_app: App) -> None:
    keys = http().get("/.well-known/jwks.json").json()["keys"]
    assert all({"kty", "kid", "alg", "use"} <= key.keys() for key in keys)
    assert all({"n", "e"} <= key.keys() if key["kty"] == "RSA" else {"crv", "x"} <= key.keys() for key in keys)
    head = client_app.tokens(at_home)["id_token"].split(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    assert header["alg"] == "RS256"
    assert header["kid"] in {key["kid"] for key in keys}


@rule(11)
def test_11_espocrm_keeps_the_keys_for_ten_minutes_and_asks_no_sooner(db: None) -> None:
    key_rotation.prepare("RS256")
    with pytest.raises(key_rotation.TooSoon):
        key_rotation.rotate("RS256")
    known = {key["kid"] for key in signing_keys.published()}
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert key_rotation.rotate("RS256").kid in known
        signing_keys.forget_published()
        retired = SigningKey.objects.get(algorithm="RS256", state=SigningKey.State.RETIRED)
        assert retired.kid in {key["kid"] for key in signing_keys.published()}
    signing_keys.forget_published()


@rule(12)
@pytest.mark.parametrize("path", ["/api/oidc/user", "/userinfo", "/oauth/token", "/login/oauth/access_token"])
def test_12_memos_takes_a_page_for_an_answer(db: None, path: str) -> None:
    for response in (
        http().get(path, headers={"Authorization": "Bearer x"}),
        http().get(path, headers={"Accept": "application/json"}),
        post_form(path, {"grant_type": "authorization_code"}),
    ):
        assert response.status_code == 404
        assert response["Content-Type"].startswith("application/json")


@rule(13)
def test_13_memos_and_synapse_show_the_description_to_people(client_app: App) -> None:
    for form in ({}, {"grant_type": "magic"}, {"grant_type": "refresh_token"}, {"grant_type": "authorization_code", "code": "x"}):  # fmt: skip
        body = client_app.token(**form).json()
        assert body.keys() == {"error", "error_description"}
        assert len(body["error_description"]) > 10


@rule(14)
def test_14_espocrm_tells_401_from_400(client_app: App) -> None:
    client_app.secret = "wrong"
    assert client_app.token(authentication="post", **CLIENT_CREDENTIALS).status_code == 401


@rule(15)
def test_15_zipline_gets_a_refresh_token_and_an_old_one_can_be_helped(at_home: Browser, client_app: App) -> None:
    assert "refresh_token" in client_app.tokens(at_home, scope="openid offline_access")
    assert "refresh_token" not in client_app.tokens(at_home, scope="openid")
    Client.objects.update(refresh_tokens="always")
    assert "refresh_token" in client_app.tokens(at_home, scope="openid")


@rule(16)
def test_16_miniflux_and_social_auth_compare_the_subject(at_home: Browser, client_app: App, person: Person) -> None:
    tokens = client_app.tokens(at_home, scope="openid profile")
    told = userinfo(tokens["access_token"]).json()
    assert told["sub"] == unverified_claims(tokens["id_token"])["sub"] == person.subject
    # Zipline keeps the address of the picture, whatever picture is there.
    assert told["picture"] == f"http://localhost:1411/api/users/{person.subject}/profile-picture.png"


@rule(17)
@pytest.mark.parametrize("is_verified", [True, False])
def test_17_oauth2_proxy_lets_nobody_in_whose_address_is_not_verified(
    at_home: Browser, client_app: App, person: Person, is_verified: bool
) -> None:
    person.user.email_verified = is_verified
    person.user.save()
    tokens = client_app.tokens(at_home)
    assert unverified_claims(tokens["id_token"])["email_verified"] is is_verified
    assert userinfo(tokens["access_token"]).json()["email_verified"] is is_verified


@rule(18)
def test_18_flask_on_another_port_has_a_cookie_of_this_name(browser: Browser) -> None:
    browser.login_options()
    assert "session" not in browser.cookies
    assert browser.cookies["webauthn_session"]["path"] == "/api/webauthn"


@rule(19)
def test_19_oauth2_proxy_and_miniflux_compare_the_issuer_letter_by_letter(at_home: Browser, client_app: App) -> None:
    issuer = http().get("/.well-known/openid-configuration").json()["issuer"]
    assert issuer == "http://localhost:1411"
    callback = answer(client_app.sent_back(at_home))
    assert callback["iss"] == issuer
    assert unverified_claims(client_app.redeem(callback["code"]).json()["id_token"])["iss"] == issuer


@rule(20)
def test_20_memos_asks_userinfo_with_a_content_type_and_no_body(at_home: Browser, client_app: App) -> None:
    token = client_app.tokens(at_home)["access_token"]
    header = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    response = http().generic("GET", "/api/oidc/userinfo", b"", "application/json", headers=header)
    assert response.status_code == 200


@rule(21)
def test_21_portainers_guide_registers_an_address_without_a_path() -> None:
    """Pocket ID 2.9 let it match every path. Here it is a pattern of its own, which says so and which the console warns of;
    without it the text is the address (docs/decisions/0005)."""
    sent = "https://portainer.example.org/oauth/callback"
    assert redirect_uris.is_allowed(sent, ["https://portainer.example.org/**"])
    assert not redirect_uris.is_allowed(sent, ["https://portainer.example.org"])
    assert redirect_uris.is_allowed("https://portainer.example.org", ["https://portainer.example.org"])
    for foreign in (
        "https://portainer.example.org.evil.example/",
        "https://evil.example/https://portainer.example.org/",
    ):
        assert not redirect_uris.is_allowed(foreign, ["https://portainer.example.org/**"])


def test_every_rule_has_its_test() -> None:
    names = [name for name in globals() if name.startswith("test_") and name[5:7].isdigit()]
    assert [int(name[5:7]) for name in names] == list(range(1, 22))
