"""From the app to pocketid and back, and what the app then knows."""

import pytest

from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, answer, userinfo

pytestmark = pytest.mark.postgres


@pytest.mark.spec("OIDC Core", "3.1")
def test_a_person_signs_in_to_an_app(browser: Browser, person: Person, client_app: App) -> None:
    asked = client_app.ask(browser)
    assert asked.status_code == 302
    page = browser.get(asked["Location"])
    assert 'data-action="passkey-sign-in"' in page.text

    browser.sign_in(person)
    consent = browser.get(asked["Location"])
    for shown in ("Wiki", "Bob Example", "bob@example.org"):
        assert shown in consent.text
    resumed = browser.press("consent-allow", consent)
    returned = browser.get(resumed["Location"])
    assert returned["Location"].startswith(client_app.redirect_uri + "?")
    given = answer(returned)
    assert given.keys() == {"code", "state", "scope", "iss"}
    assert (given["state"], given["scope"], given["iss"]) == (
        "some state",
        "openid profile email",
        "http://localhost:1411",
    )

    tokens = client_app.redeem(given["code"]).json()
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    claims = userinfo(tokens["access_token"]).json()
    assert claims["sub"] == person.subject
    assert claims["preferred_username"] == "bob"


@pytest.mark.spec("OIDC Core", "3.1.2.4")
def test_the_second_time_nobody_is_asked_anything(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    client_app.tokens(browser)
    assert answer(client_app.ask(browser, prompt="none"))["code"]


@pytest.mark.spec("RFC 7636", "4.6")
def test_a_public_app_proves_itself_with_pkce(browser: Browser, person: Person, public_app: App) -> None:
    browser.sign_in(person)
    assert public_app.tokens(browser)["id_token"]


@pytest.mark.spec("OIDC Core", "3.1.2.6")
def test_a_person_who_declines_shares_nothing(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    consent = browser.get(client_app.ask(browser)["Location"])
    given = answer(browser.press("consent-deny", consent))
    assert given["error"] == "access_denied"
    assert given["state"] == "some state"
    assert "code" not in given
    assert client_app.ask(browser).status_code == 302  # and will be asked again
