"""What well-known apps send, letter by letter, and what the people who run them read when something is set up wrong.

The apps were watched at work; these are their requests. Each test names the app whose story it is.
"""

import base64
import logging
from urllib.parse import quote

import pytest
from joserfc import jws

from oidc import signing_keys
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, agree, an_app, answer, basic, http, post_form, userinfo


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.fixture(autouse=True)
def warnings(caplog: pytest.LogCaptureFixture) -> None:
    """What the server's log says at its usual level."""
    caplog.set_level(logging.WARNING, logger="pocketid")


def refusal(response) -> tuple[int, str, str]:
    """Status, error and the words that the app shows or logs."""
    body = response.json()
    return response.status_code, body["error"], body["error_description"]


# Zipline


def test_zipline_signs_in_without_state_and_lives_on_its_refresh_token(at_home: Browser) -> None:
    app = an_app("Zipline", redirect_uris="https://zip.example.org/api/auth/oauth/oidc")
    address = (
        f"/authorize?client_id={app.client.client_id}&redirect_uri={quote(app.client.redirect_uris, safe='')}"
        "&response_type=code&scope=openid+email+profile+offline_access"
    )
    callback = answer(agree(at_home, at_home.get(address)))
    assert "state" not in callback
    tokens = app.redeem(callback["code"], redirect_uri=app.client.redirect_uris, authentication="post").json()
    assert tokens["access_token"]
    assert tokens["refresh_token"]
    assert {"sub", "preferred_username"} <= userinfo(tokens["access_token"]).json().keys()

    # Linking an account to one that exists: the state has four characters.
    assert answer(agree(at_home, at_home.get(address + "&state=link")))["state"] == "link"


def test_zipline_of_old_asks_for_no_refresh_token_and_gets_one_if_the_administrator_says_so(at_home: Browser) -> None:
    # It stops with "No refresh token in response". What was granted stands in the answer beside it.
    asked = {"scope": "openid email profile"}
    tokens = an_app("Zipline").tokens(at_home, **asked)
    assert (tokens.get("refresh_token"), tokens["scope"]) == (None, "openid email profile")
    assert an_app("Older Zipline", refresh_tokens="always").tokens(at_home, **asked)["refresh_token"]


# Portainer


def test_portainer_sends_its_address_as_it_is_and_wants_a_sign_in_every_time(at_home: Browser, person: Person) -> None:
    app = an_app("Portainer", redirect_uris="https://portainer.example.org/")
    for state in ("0a0d9d1a-0a0d-4d1a-9d1a-0a0d9d1a0a0d", "1b1e0e2b-1b1e-4e2b-8e2b-1b1e0e2b1b1e"):
        page = at_home.get(
            f"/authorize?response_type=code&client_id={app.client.client_id}&redirect_uri=https://portainer.example.org/"
            f"&scope=openid%20profile%20email&prompt=login&state={state}"
        )
        shown = at_home.get(page["Location"])
        assert 'data-action="passkey-sign-in"' in shown.text
        at_home.sign_in(person)  # one gesture
        callback = answer(agree(at_home, at_home.get(page["Location"])))
        assert callback["state"] == state


def test_portainer_without_a_secret_is_told_so_on_both_tries_and_the_code_still_works(
    at_home: Browser, client_app: App, caplog: pytest.LogCaptureFixture
) -> None:
    # Its page says no more than "Unauthorized"; its log has these words, and so has ours.
    form = {
        "grant_type": "authorization_code",
        "code": client_app.code(at_home),
        "redirect_uri": client_app.redirect_uri,
    }
    client_id = client_app.client.client_id
    empty = base64.b64encode(f"{client_id}:".encode()).decode()
    tries = [
        post_form("/api/oidc/token", form, headers={"Authorization": f"Basic {empty}"}),
        post_form("/api/oidc/token", form | {"client_id": client_id}),
    ]
    words = ["The client secret is empty", "The client secret is missing"]
    for response, expected, record in zip(tries, words, caplog.records, strict=True):
        status, error, description = refusal(response)
        assert (status, error) == (401, "invalid_client")
        assert description.startswith(expected)
        assert expected in record.getMessage()
        assert client_id in record.getMessage()
    assert (
        post_form("/api/oidc/token", form, headers={"Authorization": basic(client_id, client_app.secret)}).status_code
        == 200
    )


# Memos


def test_memos_reads_the_names_it_is_told_to_from_userinfo(at_home: Browser, client_app: App) -> None:
    tokens = client_app.tokens(at_home, scope="openid profile email", nonce=None)
    # It says that its empty body is JSON.
    response = http().get(
        "/api/oidc/userinfo",
        headers={"Authorization": f"Bearer {tokens['access_token']}", "Content-Type": "application/json"},
    )
    assert {"preferred_username", "name", "email", "picture"} <= response.json().keys()


@pytest.mark.parametrize("path", ["/api/oidc/user", "/userinfo", "/oauth/userinfo"])
def test_memos_with_a_wrong_userinfo_address_shows_the_right_one(
    at_home: Browser, client_app: App, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Memos prints the body: "userinfo request failed with status 404: {...}". 0.25 took any body for claims.
    access_token = client_app.tokens(at_home)["access_token"]
    response = http().get(path, headers={"Authorization": f"Bearer {access_token}"})
    expected = (
        f"There is nothing at {path}. The userinfo endpoint is http://localhost:1411/api/oidc/userinfo: "
        "correct it in the app's settings."
    )
    assert refusal(response) == (404, "API endpoint not found", expected)
    assert path in caplog.text
    assert "/api/oidc/userinfo" in caplog.text
    # Whoever brings no token of an app is told nothing more than that.
    stranger = http().get(path, headers={"Authorization": "Bearer x"})
    assert (stranger.status_code, stranger.json()) == (404, {"error": "API endpoint not found"})


def test_memos_that_looks_for_a_claim_that_is_not_there_can_see_which_there_are(
    at_home: Browser, client_app: App
) -> None:
    # 'the field "username" is not found in claims or has empty value': it is called preferred_username.
    claims = userinfo(client_app.tokens(at_home)["access_token"]).json()
    assert "username" not in claims
    published = http().get("/.well-known/openid-configuration").json()["claims_supported"]
    assert {"preferred_username", "email", "name"} <= set(published)


# EspoCRM


def test_espocrm_asks_for_consent_every_time_with_state_and_nonce_of_eight(at_home: Browser) -> None:
    app = an_app("EspoCRM", redirect_uris="https://crm.example.org/oauth-callback.php")
    for _ in range(2):
        shown = app.ask(
            at_home,
            redirect_uri=app.client.redirect_uris,
            scope="openid profile email phone",
            prompt="consent",
            state="k2j9x7q1",
            nonce="m4p8s3w6",
            claims='{"id_token":{"groups":{"essential":true}}}',
        )
        page = at_home.get(shown["Location"])
        assert 'data-action="consent-allow"' in page.text
        callback = answer(agree(at_home, page))
        assert callback["state"] == "k2j9x7q1"
    # Without a User-Agent, as PHP's cURL.
    tokens = app.redeem(callback["code"], redirect_uri=app.client.redirect_uris, authentication="post").json()
    assert set(tokens["scope"].split()) == {
        "openid",
        "profile",
        "email",
    }  # phone is unknown here, and no reason to refuse


def test_espocrm_finds_the_key_by_its_kid_among_keys_that_all_have_one(at_home: Browser, client_app: App) -> None:
    # It refuses a whole key set with one RSA key without kid ("Bad JWK value.") and a token without kid.
    published = http().get("/.well-known/jwks.json").json()["keys"]
    kids = [key["kid"] for key in published]
    assert all(kids)
    assert len(set(kids)) == len(kids)
    for key in published:
        assert {"kty", "alg", "use"} <= key.keys()
    id_token = client_app.tokens(at_home)["id_token"]
    header = jws.extract_compact(id_token.encode()).headers()
    (signed_with,) = [key for key in published if key["kid"] == header["kid"]]
    assert (header["alg"], signed_with["kty"], signed_with["use"]) == ("RS256", "RSA", "sig")
    assert {"n", "e"} <= signed_with.keys()
    _, claims = signing_keys.verify(id_token)
    assert {"aud", "sub", "iss"} <= claims.keys()


@pytest.mark.parametrize("path", ["/jwks", "/.well-known/jwks", "/oauth/jwks.json", "/api/oidc/certs"])
def test_espocrm_with_a_wrong_key_address_is_told_the_right_one(db: None, path: str) -> None:
    assert "http://localhost:1411/.well-known/jwks.json" in refusal(http().get(path))[2]


# oauth2-proxy, Miniflux and other apps written in Go


def test_oauth2_proxy_sends_what_only_google_knows(at_home: Browser) -> None:
    app = an_app("oauth2-proxy", redirect_uris="https://proxy.example.org/oauth2/callback")
    app.redirect_uri, app.verifier = app.client.redirect_uris, "v" * 128
    callback = answer(app.sent_back(at_home, approval_prompt="force", state="aGVsbG8:/", nonce=None))
    assert callback["state"] == "aGVsbG8:/"
    assert app.redeem(callback["code"]).status_code == 200


def test_oauth2_proxy_repeats_a_refused_refresh_and_that_is_one_incident(
    at_home: Browser, client_app: App, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = client_app.tokens(at_home, scope="openid offline_access")
    second = client_app.refresh(tokens["refresh_token"]).json()
    client_app.refresh(second["refresh_token"])
    for _ in range(2):
        for authentication in ("basic", "post"):
            refused = client_app.refresh(tokens["refresh_token"], authentication=authentication)
            assert refusal(refused)[:2] == (400, "invalid_grant")
    incidents = [record for record in caplog.records if "tokens of grant" in record.getMessage()]
    assert len(incidents) == 1


@pytest.mark.parametrize("path", ["/oauth/token", "/token", "/api/oidc/tokens", "/api/oauth2/token/"])
def test_go_apps_with_a_wrong_token_address_are_told_the_right_one(
    at_home: Browser, client_app: App, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    form = {"grant_type": "authorization_code", "code": client_app.code(at_home)}
    header = {"Authorization": basic(client_app.client.client_id, client_app.secret)}
    response = post_form(path, form, headers=header)
    if response.status_code == 307:  # a slash too many is forgiven first
        response = post_form(response["Location"], form, headers=header)
    status, _, description = refusal(response)
    assert status == 404
    assert "The token endpoint is http://localhost:1411/api/oidc/token: correct it" in description
    assert form["code"] not in caplog.text
    assert client_app.redeem(form["code"]).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/oidc/.well-known/openid-configuration",
        "/.well-known/openid-configuration/.well-known/openid-configuration",
        "/authorize/.well-known/openid-configuration",
    ],
)
def test_go_apps_with_a_wrong_issuer_are_told_the_right_one(db: None, path: str) -> None:
    assert "The issuer is http://localhost:1411:" in refusal(http().get(path))[2]
    assert http().get("/.well-known/openid-configuration").json()["issuer"] == "http://localhost:1411"


def test_go_apps_send_a_blank_after_the_secret_as_a_plus(at_home: Browser, client_app: App) -> None:
    pasted = base64.b64encode(f"{client_app.client.client_id}:{quote(client_app.secret)}+".encode()).decode()
    form = {"grant_type": "authorization_code", "code": client_app.code(at_home)}
    refused = refusal(post_form("/api/oidc/token", form, headers={"Authorization": f"Basic {pasted}"}))
    assert refused[:2] == (401, "invalid_client")
    assert "blank before or after" in refused[2]


@pytest.mark.parametrize("path", ["/oauth/authorize", "/api/oidc/authorize", "/auth"])
def test_people_whom_an_app_sends_to_a_wrong_address_are_told_whose_fault_it_is(
    at_home: Browser, client_app: App, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    page = at_home.get(
        f"{path}?response_type=code&client_id={client_app.client.client_id}", headers={"Accept": "text/html"}
    )
    assert page.status_code == 404
    if path.startswith("/api/"):
        assert "http://localhost:1411/authorize" in page.json()["error_description"]
    else:
        assert "The app sent you to an address that does not exist here" in page.text
        assert "settings" in page.text
    assert path in caplog.text


# Others


def test_jupyterhub_sends_a_stray_field(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home)
    assert client_app.redeem(code, authentication="post", data="None").status_code == 200


def test_authlib_repeats_every_scope_when_it_refreshes(at_home: Browser, client_app: App) -> None:
    scope = "openid profile email offline_access"
    tokens = client_app.tokens(at_home, scope=scope)
    assert client_app.refresh(tokens["refresh_token"], scope=scope).status_code == 200


def test_allauth_asks_in_another_order_each_time_and_nobody_is_asked_again(at_home: Browser, client_app: App) -> None:
    client_app.tokens(at_home, scope="openid profile email")
    again = client_app.ask(at_home, scope="email openid profile")
    assert again["Location"].startswith(client_app.redirect_uri)


def test_flask_on_another_port_keeps_its_cookie(at_home: Browser, client_app: App) -> None:
    # Browsers send cookies to every port of a host: two of the same name would overwrite each other.
    client_app.tokens(at_home)
    assert "session" not in at_home.cookies


def test_what_an_app_does_wrong_stands_in_the_log_with_its_name(
    at_home: Browser, client_app: App, caplog: pytest.LogCaptureFixture
) -> None:
    code = client_app.code(at_home)
    refused = client_app.redeem(code, redirect_uri="https://other.example.org/")
    _, error, description = refusal(refused)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"/api/oidc/token refused: {error} ({description}) client '{client_app.client.client_id}'"
    )
