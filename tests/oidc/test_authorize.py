"""The authorization endpoint: what is a page, what is an answer to the app, and what the answer says."""

import logging
from urllib.parse import urlencode, urlsplit

import pytest

from oidc.models import Grant
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import CALLBACK, App, an_app, answer, is_error_page
from tests.support.html_form import forms

pytestmark = pytest.mark.postgres


@pytest.fixture
def at_home(browser: Browser, person: Person, client_app: App) -> Browser:
    """Bob's browser; he has agreed to what Wiki asks for."""
    browser.sign_in(person)
    client_app.code(browser)
    return browser


# Before the redirect URI is known good: a page


@pytest.mark.spec("RFC 6749", "4.1.2.1")
@pytest.mark.spec("conformance", "R8")
@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": None},
        {"client_id": ""},
        {"client_id": "unknown"},
        {"client_id": "x" * 8000},
        {"client_id": "ü\u202e<script>"},
        {"redirect_uri": None},
        {"redirect_uri": ""},
        {"redirect_uri": "https://app.example.org/callback/"},
        {"redirect_uri": "https://app.example.org/callback?x=1"},
        {"redirect_uri": "https://app.example.org/callback#x"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "/callback"},
        {"redirect_uri": "callback"},
        {"redirect_uri": "https://"},
        {"redirect_uri": "https://[::1"},
        {"redirect_uri": "https://app.example.org:99999999/callback"},
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_request_from_nobody_knows_where_ends_on_a_page(
    at_home: Browser, client_app: App, wrong: dict[str, str | None]
) -> None:
    response = client_app.ask(at_home, **wrong)
    assert is_error_page(response)
    assert response.status_code == 400
    assert Grant.objects.count() == 1


@pytest.mark.spec("RFC 6749", "4.1.2.1")
def test_programs_get_the_same_refusal_as_json(at_home: Browser, client_app: App) -> None:
    response = at_home.get(
        "/authorize?" + urlencode(client_app.request(client_id="unknown")), headers={"Accept": "application/json"}
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid_client")


@pytest.mark.spec("RFC 6749", "3.1")
@pytest.mark.parametrize(
    "name",
    ["client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "response_type", "code_challenge", "unheard_of"],
)
def test_a_parameter_that_comes_twice_is_used_neither_way(at_home: Browser, client_app: App, name: str) -> None:
    query = (
        urlencode(client_app.request())
        + f"&{name}=x"
        + (f"&{name}=y" if name in ("prompt", "code_challenge", "unheard_of") else "")
    )
    assert is_error_page(at_home.get("/authorize?" + query))


@pytest.mark.spec("RFC 6749", "3.1.2.3")
def test_plain_oauth_may_leave_out_the_only_redirect_uri(at_home: Browser, client_app: App) -> None:
    response = client_app.sent_back(at_home, scope="profile", redirect_uri=None)
    assert response["Location"].startswith(CALLBACK + "?code=")
    two = an_app("Two", redirect_uris=f"{CALLBACK}\nhttps://other.example.org/")
    assert is_error_page(two.ask(at_home, scope="profile", redirect_uri=None))
    pattern = an_app("Pattern", redirect_uris="https://*.example.org/callback")
    assert is_error_page(pattern.ask(at_home, scope="profile", redirect_uri=None))


@pytest.mark.spec("RFC 6749", "3.1.2.2")
def test_an_app_without_redirect_uris_has_no_answers(at_home: Browser) -> None:
    none = an_app("None", redirect_uris="")
    assert is_error_page(none.ask(at_home))
    assert is_error_page(none.ask(at_home, redirect_uri="", scope="profile"))


# Afterwards: an answer to the app


@pytest.mark.spec("OIDC Core", "3.1.2.6")
@pytest.mark.spec("conformance", "R7")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_mode": "jwt"}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "9" * 11}, "invalid_request"),
        ({"max_age": "٣"}, "invalid_request"),
        ({"code_challenge": "x"}, "invalid_request"),
        ({"code_challenge": "x" * 43}, "invalid_request"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x" * 43, "code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "x" * 42, "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": "x" * 43 + "\n", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
        ({"id_token_hint": "garbage"}, "invalid_request"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_wrong_request_is_answered_to_the_app(
    at_home: Browser, client_app: App, wrong: dict[str, str], error: str
) -> None:
    response = client_app.ask(at_home, **wrong)
    assert response["Location"].startswith(CALLBACK + "?")
    given = answer(response)
    assert given.keys() == {"error", "error_description", "state", "iss"}
    assert (given["error"], given["state"], given["iss"]) == (error, "some state", "http://localhost:1411")
    assert all(" " <= c <= "~" and c not in '"\\' for c in given["error_description"])
    assert Grant.objects.count() == 1


@pytest.mark.spec("RFC 9700", "2.1.1")
def test_a_public_app_must_use_pkce(at_home: Browser, public_app: App) -> None:
    given = answer(public_app.ask(at_home, code_challenge=None, code_challenge_method=None))
    assert given["error"] == "invalid_request"
    assert "PKCE" in given["error_description"]


@pytest.mark.spec("RFC 7636", "4.4.1")
def test_a_confidential_app_uses_pkce_when_it_is_told_to(at_home: Browser) -> None:
    strict = an_app("Strict", pkce_required=True)
    assert answer(strict.ask(at_home))["error"] == "invalid_request"


@pytest.mark.spec("conformance", "R5")
def test_a_confidential_app_needs_neither_pkce_nor_state_nor_nonce(at_home: Browser, client_app: App) -> None:
    given = answer(client_app.ask(at_home, state=None, nonce=None))
    assert given.keys() == {"code", "scope", "iss"}


# state


@pytest.mark.spec("conformance", "R6")
@pytest.mark.parametrize(
    "state",
    ["", "x", "abcd", "a-._~" * 26, "äöü ☃", 'a"b<c>&d=e?f#g+h%20%', "\r\nX: y", "x" * 8192],
    ids=lambda state: state[:12],
)
@pytest.mark.parametrize("response_type", ["code", "nonsense"])
def test_state_comes_back_as_it_was(at_home: Browser, client_app: App, state: str, response_type: str) -> None:
    response = client_app.ask(at_home, state=state, response_type=response_type)
    assert answer(response)["state"] == state
    assert "\n" not in response["Location"]


# Response modes


@pytest.mark.spec("OAuth 2.0 Multiple Response Types", "2.1")
def test_the_fragment_mode(at_home: Browser, client_app: App) -> None:
    response = client_app.ask(at_home, response_mode="fragment")
    assert response["Location"].startswith(CALLBACK + "#code=")
    assert urlsplit(response["Location"]).query == ""
    assert answer(client_app.ask(at_home, response_mode="fragment", prompt="wrong"))["error"] == "invalid_request"


@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.parametrize("extra", [{}, {"prompt": "wrong"}], ids=["success", "error"])
def test_the_form_post_mode(at_home: Browser, client_app: App, extra: dict[str, str]) -> None:
    state = '"><script>alert(1)</script>\u2028'
    response = client_app.ask(at_home, response_mode="form_post", state=state, **extra)
    assert response.status_code == 200
    (form,) = forms(response.text, page_url=CALLBACK)
    assert form.url == CALLBACK
    assert form.fields["state"] == state
    assert ("error" if extra else "code") in form.fields
    assert form.fields["iss"] == "http://localhost:1411"
    assert "<script>alert" not in response.text
    policy = response["Content-Security-Policy"]
    assert "form-action" in policy
    assert "unsafe-inline" not in policy
    assert response["Cache-Control"] == "no-store"


@pytest.mark.spec("RFC 6749", "3.1.2")
def test_a_callback_with_a_query_keeps_it(at_home: Browser) -> None:
    app = an_app("Query", redirect_uris=CALLBACK + "?tenant=1")
    app.redirect_uri = CALLBACK + "?tenant=1"
    response = app.sent_back(at_home)
    assert response["Location"].startswith(CALLBACK + "?tenant=1&code=")


@pytest.mark.spec("RFC 8252", "7.1")
def test_an_app_on_a_phone_has_a_scheme_of_its_own(at_home: Browser) -> None:
    app = an_app("Immich", redirect_uris="app.immich:///oauth-callback")
    app.redirect_uri = "app.immich:///oauth-callback"
    assert app.sent_back(at_home)["Location"].startswith("app.immich:///oauth-callback?code=")


@pytest.mark.parametrize("port", ["", ":1", ":50123"])
@pytest.mark.spec("RFC 8252", "7.3")
def test_a_native_app_listens_on_any_loopback_port(at_home: Browser, port: str) -> None:
    app = an_app("CLI", redirect_uris="http://127.0.0.1/callback")
    app.redirect_uri = f"http://127.0.0.1{port}/callback"
    given = answer(app.sent_back(at_home))
    assert app.redeem(given["code"]).status_code == 200


# Scopes and other parameters


@pytest.mark.spec("OIDC Core", "3.1.2.1")
@pytest.mark.parametrize(
    ("scope", "granted"),
    [
        ("openid", "openid"),
        ("email openid profile", "email openid profile"),
        ("openid phone nonsense", "openid"),
        ("openid openid", "openid"),
        ("", ""),
        (None, ""),
        ("phone", ""),
        ("  openid   email ", "openid email"),
        ("OPENID", ""),
    ],
)
def test_unknown_scopes_are_dropped(at_home: Browser, client_app: App, scope: str | None, granted: str) -> None:
    given = answer(client_app.sent_back(at_home, scope=scope))
    assert given["scope"] == granted
    assert client_app.redeem(given["code"]).json()["scope"] == granted


@pytest.mark.spec("conformance", "R4")
def test_unknown_and_useless_parameters_mean_nothing(at_home: Browser, client_app: App) -> None:
    extra = {
        "display": "page",
        "ui_locales": "se",
        "claims_locales": "se",
        "login_hint": "buffy@example.org",
        "acr_values": "1 2",
        "extra": "foobar",
        "approval_prompt": "force",
        "data": "None",
        "claims": '{"userinfo": {"email": null}}',
        "max_age": "10000",
        "audience": "x",
        "interaction": "x",
    }
    assert answer(client_app.ask(at_home, **extra))["code"]


@pytest.mark.spec("relying-parties.md", "3, rule 6")
def test_blanks_and_addresses_come_in_any_encoding(at_home: Browser, client_app: App) -> None:
    for scope in ("openid+profile+email", "openid%20profile%20email"):
        query = f"response_type=code&client_id={client_app.client.client_id}&redirect_uri={CALLBACK}&scope={scope}"
        assert answer(at_home.get("/authorize?" + query))["scope"] == "openid profile email"


@pytest.mark.spec("OIDC Core", "3.1.2.1")
def test_a_request_may_be_posted_by_another_site(at_home: Browser, client_app: App) -> None:
    body = urlencode(client_app.request())
    response = at_home.post(
        "/authorize",
        body,
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": "https://app.example.org", "Sec-Fetch-Site": "cross-site"},
    )
    assert answer(response)["code"]
    stranger = Browser().post(
        "/authorize", body, content_type="application/x-www-form-urlencoded; charset=UTF-8", headers={"Origin": "null"}
    )
    assert stranger["Location"].startswith("/interaction?interaction=")


@pytest.mark.spec("OIDC Core", "3.1.2.1")
def test_a_post_reads_its_body_alone(at_home: Browser, client_app: App) -> None:
    query = urlencode(client_app.request())
    assert is_error_page(at_home.post("/authorize?" + query, "", content_type="application/x-www-form-urlencoded"))
    assert is_error_page(at_home.send("/authorize", client_app.request()))


@pytest.mark.spec("OIDC Core", "3.1.2.1")
@pytest.mark.parametrize("method", ["put", "delete", "patch", "options", "trace"])
def test_other_methods_are_refused(at_home: Browser, client_app: App, method: str) -> None:
    response = getattr(at_home, method)("/authorize?" + urlencode(client_app.request()))
    assert response.status_code in (400, 404, 405)
    assert Grant.objects.count() == 1


@pytest.mark.spec("OIDC Core", "3.1.2.1")
def test_head_is_answered_like_get(at_home: Browser, client_app: App) -> None:
    assert answer(at_home.head("/authorize?" + urlencode(client_app.request())))["code"]


# id_token_hint


@pytest.mark.spec("OIDC Core", "3.1.2.2")
def test_a_hint_of_the_person_who_is_signed_in_goes_on(at_home: Browser, client_app: App) -> None:
    hint = client_app.tokens(at_home)["id_token"]
    assert answer(client_app.ask(at_home, id_token_hint=hint, prompt="none"))["code"]


@pytest.mark.spec("OIDC Core", "3.1.2.2")
def test_a_hint_of_somebody_else_is_login_required(at_home: Browser, client_app: App, admin: Person) -> None:
    hers = Browser()
    hers.sign_in(admin)
    hint = client_app.tokens(hers)["id_token"]
    assert answer(client_app.ask(at_home, id_token_hint=hint))["error"] == "login_required"
    assert answer(client_app.ask(at_home, id_token_hint=hint, prompt="none"))["error"] == "login_required"


# Who may


@pytest.mark.spec("Pocket ID contract", "3.1")
def test_a_restricted_app_turns_others_away_on_a_page(at_home: Browser, person: Person) -> None:
    from accounts.models import Group

    group = Group.objects.create(name="staff", friendly_name="Staff")
    app = an_app("Staff only", is_group_restricted=True)
    app.client.allowed_groups.add(group)
    for parameters in ({}, {"prompt": "none"}):
        response = app.ask(at_home, **parameters)
        assert is_error_page(response)
        assert response.status_code == 403
    person.user.groups.add(group)
    assert app.code(at_home)


@pytest.mark.spec("RFC 6749", "4.1.2.1")
def test_restricted_to_no_group_means_nobody(at_home: Browser) -> None:
    assert is_error_page(an_app("Nobody", is_group_restricted=True).ask(at_home))


@pytest.mark.spec("RFC 6749", "4.1.2.1")
def test_a_stranger_hears_of_the_restriction_after_signing_in(browser: Browser, person: Person) -> None:
    app = an_app("Nobody", is_group_restricted=True)
    interaction = app.ask(browser)["Location"]
    assert browser.get(interaction).status_code == 200
    browser.sign_in(person)
    assert is_error_page(browser.get(interaction))


@pytest.mark.spec("OIDC Core", "3.1.2.3")
def test_a_disabled_person_gets_a_page_and_no_code(at_home: Browser, client_app: App, person: Person) -> None:
    person.user.disabled = True
    person.user.save()
    response = client_app.ask(at_home)
    assert is_error_page(response)
    assert response.status_code == 403


def test_before_the_first_administrator_there_is_only_setup(browser: Browser, client_app: App) -> None:
    assert client_app.ask(browser)["Location"] == "/setup"


# Headers of the way


@pytest.mark.spec("relying-parties.md", "3, rule 2")
def test_a_popup_stays_connected_to_the_app_that_opened_it(at_home: Browser, client_app: App) -> None:
    stranger = Browser()
    interaction = client_app.ask(stranger)
    consent = client_app.ask(at_home, prompt="consent")
    for response in (
        client_app.ask(at_home),
        interaction,
        stranger.get(interaction["Location"]),
        consent,
        at_home.get(consent["Location"]),
        stranger.get("/login"),
        client_app.ask(at_home, response_mode="form_post"),
    ):
        assert response["Cross-Origin-Opener-Policy"] == "unsafe-none"


@pytest.mark.spec("attacks.md", "B12")
def test_the_answer_is_kept_by_no_cache_and_no_referrer(at_home: Browser, client_app: App) -> None:
    for response in (
        client_app.ask(at_home),
        client_app.ask(at_home, prompt="wrong"),
        client_app.ask(at_home, response_mode="form_post"),
    ):
        assert (response["Cache-Control"], response["Pragma"], response["Referrer-Policy"]) == (
            "no-store",
            "no-cache",
            "no-referrer",
        )


def test_an_error_page_escapes_what_it_was_sent(at_home: Browser, client_app: App) -> None:
    nasty = '"><img src=x onerror=alert(1)>'
    for wrong in ({"client_id": nasty}, {"redirect_uri": "https://x/" + nasty}):
        assert nasty not in client_app.ask(at_home, **wrong).text


@pytest.mark.spec("issue 4", "item 3")
def test_scopes_with_commas_between_are_understood_and_noted(
    at_home: Browser, client_app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """Portainer: its field for scopes is filled in so (relying-parties.md section 4)."""
    with caplog.at_level(logging.WARNING, logger="pocketid.oidc"):
        code = answer(client_app.sent_back(at_home, scope="openid,profile,email"))
    assert code["scope"] == "openid profile email"
    assert "commas" in caplog.text
    assert client_app.client.client_id in caplog.text
    caplog.clear()
    assert answer(client_app.ask(at_home, scope="openid a,b"))["scope"] == "openid"
    assert "commas" not in caplog.text
