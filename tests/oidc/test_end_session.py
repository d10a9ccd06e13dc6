"""Signing out on an app's behalf (OIDC RP-Initiated Logout 1.0): at once with a good hint, else the person is asked."""

import base64
import html
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts.models import Session
from audit.models import Entry, Event
from oidc.logout import EXPLANATIONS
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, is_error_page, userinfo

pytestmark = pytest.mark.postgres
GOODBYE = "https://app.example.org/goodbye"
ASKED = "http://localhost:1411/logout"


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.fixture
def tokens(at_home: Browser, client_app: App) -> dict[str, str]:
    return client_app.tokens(at_home, scope="openid offline_access")


def end(browser: Browser, **parameters: str | None) -> str:
    """Where the browser is sent."""
    response = browser.get(
        "/api/oidc/end-session?" + urlencode({name: value for name, value in parameters.items() if value is not None})
    )
    assert response.status_code == 302
    return response["Location"]


@pytest.mark.spec("OIDC RP-Initiated Logout", "2, 3")
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_good_hint_signs_out_at_once_and_goes_back_to_the_app(
    at_home: Browser, client_app: App, tokens: dict[str, str], method: str
) -> None:
    thief = at_home.copy()
    parameters = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": GOODBYE,
        "state": "a b&c=☃",
        "client_id": client_app.client.client_id,
    }
    if method == "get":
        response = at_home.get("/api/oidc/end-session?" + urlencode(parameters))
    else:
        response = at_home.post(
            "/api/oidc/end-session",
            urlencode(parameters),
            content_type="application/x-www-form-urlencoded",
            headers={"Origin": "https://app.example.org", "Sec-Fetch-Site": "cross-site"},
        )
    assert (response.status_code, response["Location"]) == (302, GOODBYE + "?state=a%20b%26c%3D%E2%98%83")
    assert response.cookies[settings.SESSION_COOKIE_NAME].value == ""
    assert not Session.objects.exists()
    assert thief.get("/api/webauthn/credentials").status_code == 401
    assert userinfo(tokens["access_token"]).status_code == 401
    assert client_app.refresh(tokens["refresh_token"]).status_code == 400
    assert Entry.objects.get(event=Event.SIGN_OUT).data["clientName"] == "Wiki"


@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
def test_a_form_of_another_site_comes_without_the_cookie_and_ends_the_session_all_the_same(
    at_home: Browser, tokens: dict[str, str]
) -> None:
    form = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": GOODBYE, "state": "a b&c"}
    parked = Browser().post(
        "/api/oidc/end-session",
        urlencode(form),
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": "https://app.example.org", "Sec-Fetch-Site": "cross-site"},
    )
    assert parked.status_code == 303
    assert not parked.cookies
    assert parked["Location"].startswith("http://localhost:1411/api/oidc/end-session?")
    assert at_home.get(parked["Location"])["Location"] == GOODBYE + "?state=a%20b%26c"
    assert not Session.objects.exists()


@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
def test_only_what_the_app_got_from_this_sign_in_ends(
    at_home: Browser, client_app: App, person: Person, tokens: dict[str, str]
) -> None:
    elsewhere = Browser()
    elsewhere.sign_in(person)
    others = client_app.tokens(elsewhere, scope="openid offline_access")
    end(at_home, id_token_hint=tokens["id_token"])
    assert userinfo(others["access_token"]).status_code == 200
    assert elsewhere.get("/settings/account").status_code == 200


@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
def test_without_an_address_the_person_stays_here(at_home: Browser, tokens: dict[str, str]) -> None:
    assert end(at_home, id_token_hint=tokens["id_token"]) == "http://localhost:1411/signed-out"
    assert at_home.get("/signed-out").status_code == 200


@pytest.mark.spec("OIDC RP-Initiated Logout", "4")
def test_a_hint_is_enough_where_nobody_is_signed_in_any_more(at_home: Browser, tokens: dict[str, str]) -> None:
    stranger = Browser()
    assert end(stranger, id_token_hint=tokens["id_token"], post_logout_redirect_uri=GOODBYE) == GOODBYE
    assert userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.spec("attacks.md", "F4, F5, F6")
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"id_token_hint": None}, "no-hint"),
        ({"id_token_hint": ""}, "no-hint"),
        ({"id_token_hint": "garbage"}, "hint"),
        ({"id_token_hint": "W1tb" * 1000 + ".e30.AA"}, "hint"),
        ({"id_token_hint": "e30.e30."}, "hint"),
        ({"id_token_hint": "{access}"}, "hint"),
        ({"id_token_hint": "{unsigned}"}, "hint"),
        ({"id_token_hint": "{cut}"}, "hint"),
        ({"id_token_hint": "{hers}"}, "person"),
        ({"id_token_hint": None, "client_id": "{client}"}, "no-hint"),
        ({"client_id": "another"}, "client"),
        ({"client_id": ""}, "client"),
        ({"post_logout_redirect_uri": "https://app.example.org/goodbye/"}, "address"),
        ({"post_logout_redirect_uri": "https://app.example.org/goodbye?x"}, "address"),
        ({"post_logout_redirect_uri": "https://app.example.org/callback"}, "address"),
        ({"post_logout_redirect_uri": "https://evil.example/"}, "address"),
        ({"post_logout_redirect_uri": "//evil.example"}, "address"),
        ({"post_logout_redirect_uri": "/\\evil.example"}, "address"),
        ({"post_logout_redirect_uri": "javascript:alert(1)"}, "address"),
        ({"post_logout_redirect_uri": ""}, "address"),
        ({"post_logout_redirect_uri": "https://app.example.org@evil.example/goodbye"}, "address"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_anything_else_asks_the_person_and_goes_nowhere(
    at_home: Browser, client_app: App, admin: Person, tokens: dict[str, str], wrong: dict[str, str | None], problem: str
) -> None:
    hers = Browser()
    hers.sign_in(admin)
    header, body, signature = tokens["id_token"].split(".")
    none = (
        base64.urlsafe_b64encode(
            json.dumps(
                {"alg": "none", "kid": json.loads(base64.urlsafe_b64decode(header + "=="))["kid"], "typ": "JWT"}
            ).encode()
        )
        .decode()
        .rstrip("=")
    )
    known = {
        "access": tokens["access_token"],
        "unsigned": f"{none}.{body}.",
        "cut": f"{header}.{body}.{signature[:-4]}",
        "hers": client_app.tokens(hers)["id_token"],
        "client": client_app.client.client_id,
    }
    given = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": GOODBYE} | {
        name: value and value.format(**known) for name, value in wrong.items()
    }
    sent_to = end(at_home, **given)
    assert sent_to == f"{ASKED}?problem={problem}"
    page = at_home.get(sent_to)
    assert str(EXPLANATIONS[problem]) in html.unescape(page.text)
    assert 'data-action="logout-confirm"' in page.text
    assert GOODBYE not in page.text
    assert at_home.get("/settings/account").status_code == 200
    assert userinfo(tokens["access_token"]).status_code in (200, 403)


@pytest.mark.spec("OIDC RP-Initiated Logout", "4")
def test_a_parameter_that_comes_twice_asks_the_person(at_home: Browser, tokens: dict[str, str]) -> None:
    response = at_home.get(
        f"/api/oidc/end-session?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={GOODBYE}&post_logout_redirect_uri=https://evil.example"
    )
    assert response["Location"] == f"{ASKED}?problem=repeated"


@pytest.mark.spec("OIDC RP-Initiated Logout", "4")
def test_an_expired_hint_speaks_for_its_own_session_alone(at_home: Browser, client_app: App, person: Person) -> None:
    from siteconfig.models import SiteConfiguration

    SiteConfiguration.objects.update(session_duration=600)
    browser, elsewhere = Browser(), Browser()
    browser.sign_in(person)
    elsewhere.sign_in(person)
    hint = client_app.tokens(browser)["id_token"]
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert end(Browser(), id_token_hint=hint, post_logout_redirect_uri=GOODBYE) == f"{ASKED}?problem=expired"
        assert end(elsewhere, id_token_hint=hint, post_logout_redirect_uri=GOODBYE) == f"{ASKED}?problem=expired"
        assert end(browser, id_token_hint=hint, post_logout_redirect_uri=GOODBYE) == GOODBYE


@pytest.mark.spec("OIDC RP-Initiated Logout", "4")
def test_a_hint_for_an_app_that_is_gone_asks_the_person(
    at_home: Browser, client_app: App, tokens: dict[str, str]
) -> None:
    client_app.client.delete()
    assert end(at_home, id_token_hint=tokens["id_token"]) == f"{ASKED}?problem=client"


@pytest.mark.spec("OIDC RP-Initiated Logout", "3")
def test_an_app_without_sign_out_addresses_names_none(at_home: Browser) -> None:
    app = an_app("Plain", post_logout_redirect_uris="")
    tokens = app.tokens(at_home)
    assert end(at_home, id_token_hint=tokens["id_token"], post_logout_redirect_uri="") == f"{ASKED}?problem=address"


# The page that asks


@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
def test_the_page_asks_and_its_button_signs_out(at_home: Browser) -> None:
    page = at_home.get("/logout")
    assert page.status_code == 200
    assert Session.objects.exists()
    thief = at_home.copy()
    assert at_home.press("logout-confirm", page)["Location"] == "/signed-out"
    assert thief.get("/api/webauthn/credentials").status_code == 401


@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
def test_nobody_is_asked_who_is_not_signed_in(browser: Browser) -> None:
    assert browser.get("/logout")["Location"] == "/signed-out"
    assert browser.get("/logout?problem=nothing%20known")["Location"] == "/signed-out"


@pytest.mark.spec("OIDC RP-Initiated Logout", "4")
def test_who_is_not_signed_in_is_told_what_is_wrong_and_sent_nowhere(browser: Browser) -> None:
    page = browser.get(end(browser, id_token_hint="garbage", post_logout_redirect_uri=GOODBYE))
    assert is_error_page(page)
    assert "is no ID token of this server" in page.text
    assert GOODBYE not in page.text


@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
def test_without_hint_and_address_the_person_is_merely_asked(at_home: Browser) -> None:
    assert end(at_home) == ASKED
    assert end(at_home, state="some state") == ASKED


@pytest.mark.spec("OIDC RP-Initiated Logout", "6")
def test_another_sites_form_signs_nobody_out(at_home: Browser) -> None:
    for headers in (
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Origin": None},
    ):
        assert at_home.post("/logout", {}, headers=headers).status_code == 403
        assert (
            at_home.post("/api/webauthn/logout", headers=headers | {"Sec-Fetch-Site": "cross-site"}).status_code == 403
        )
    assert Session.objects.exists()
