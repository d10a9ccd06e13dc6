"""What the person must do before an app gets its answer; enforced from the request as it was parked."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from oidc.models import Consent, Grant, PendingAuthorization
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, agree, an_app, answer, is_error_page

pytestmark = pytest.mark.postgres


@pytest.fixture
def at_home(browser: Browser, person: Person, client_app: App) -> Browser:
    """Bob's browser; he signed in and agreed to what Wiki asks for."""
    browser.sign_in(person)
    client_app.code(browser)
    return browser


def later(**kwargs: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**kwargs))


def page_of(browser: Browser, response) -> str:
    """The name of the page that the browser is sent to."""
    assert response.status_code == 302, response.headers
    page = browser.get(response["Location"])
    return page.text.partition('data-page="')[2].partition('"')[0]


# prompt=none


@pytest.mark.spec("OIDC Core", "3.1.2.6")
def test_none_without_a_session_is_login_required(browser: Browser, person: Person, client_app: App) -> None:
    assert answer(client_app.ask(browser, prompt="none"))["error"] == "login_required"
    assert not PendingAuthorization.objects.exists()


@pytest.mark.spec("OIDC Core", "3.1.2.6")
def test_none_without_consent_is_consent_required(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    assert answer(client_app.ask(browser, prompt="none"))["error"] == "consent_required"
    with later(minutes=1):
        assert answer(client_app.ask(browser, prompt="none", max_age="0"))["error"] == "consent_required"


@pytest.mark.spec("OIDC Core", "3.1.2.1")
def test_none_with_everything_done_is_silent(at_home: Browser, client_app: App) -> None:
    assert answer(client_app.ask(at_home, prompt="none", max_age="10000"))["code"]


@pytest.mark.spec("OIDC Core", "3.1.2.6")
def test_none_with_an_old_sign_in_is_login_required(at_home: Browser, client_app: App) -> None:
    with later(seconds=30):
        for max_age in ("0", "29"):
            assert answer(client_app.ask(at_home, prompt="none", max_age=max_age))["error"] == "login_required"
        assert answer(client_app.ask(at_home, prompt="none", max_age="31"))["code"]


@pytest.mark.spec("OIDC Core", "3.1.2.6")
def test_none_for_more_than_was_agreed_to_is_consent_required(at_home: Browser, client_app: App) -> None:
    assert answer(client_app.ask(at_home, prompt="none", scope="openid groups"))["error"] == "consent_required"


# prompt=login, max_age and apps that want it every time


@pytest.mark.spec("attacks.md", "D5")
@pytest.mark.spec("OIDC Core", "3.1.2.3")
@pytest.mark.parametrize(
    "wish", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "20"}, {"prompt": "login", "max_age": "10000"}], ids=str
)
def test_a_new_sign_in_is_one_that_happens_after_the_request(
    at_home: Browser, person: Person, client_app: App, wish: dict[str, str]
) -> None:
    before = Grant.objects.get().auth_time
    with later(seconds=30):
        asked = client_app.ask(at_home, **wish)
        assert page_of(at_home, asked) == "reauthenticate"
        interaction = asked["Location"].partition("=")[2]
        for attempt in (
            f"/authorize?interaction={interaction}",
            f"/authorize?interaction={interaction}&prompt=none&max_age=99999&scope=openid",
        ):
            assert at_home.get(attempt)["Location"] == f"/interaction?interaction={interaction}"
        assert Grant.objects.count() == 1
        at_home.sign_in(person)
        assert answer(agree(at_home, asked))["code"]
        assert (Grant.objects.latest("id").auth_time - before).total_seconds() >= 30


@pytest.mark.spec("OIDC Core", "3.1.2.3")
def test_a_sign_in_a_moment_before_does_not_count_for_prompt_login(
    browser: Browser, person: Person, client_app: App
) -> None:
    browser.sign_in(person)
    assert page_of(browser, client_app.ask(browser, prompt="login")) == "reauthenticate"


@pytest.mark.spec("OIDC Core", "3.1.2.3")
def test_one_gesture_is_enough_for_prompt_login(browser: Browser, person: Person, client_app: App) -> None:
    Consent.objects.create(user=person.user, client=client_app.client, scope="openid profile email")
    asked = client_app.ask(browser, prompt="login")
    browser.sign_in(person)
    assert answer(agree(browser, asked))["code"]


@pytest.mark.spec("OIDC Core", "3.1.2.3")
def test_reauthentication_in_the_account_counts_too(at_home: Browser, person: Person, client_app: App) -> None:
    asked = client_app.ask(at_home, prompt="login")
    at_home.send("/api/webauthn/reauthenticate", person.device.get(at_home.login_options()))
    assert answer(agree(at_home, asked))["code"]


@pytest.mark.spec("OIDC Core", "3.1.2.3")
def test_the_bodiless_reauthentication_does_not_count(at_home: Browser, client_app: App) -> None:
    asked = client_app.ask(at_home, prompt="login")
    assert at_home.post("/api/webauthn/reauthenticate").status_code == 204
    assert page_of(at_home, asked) == "reauthenticate"


@pytest.mark.spec("OIDC Core", "3.1.2.3")
def test_an_app_may_want_the_passkey_every_time(at_home: Browser, person: Person) -> None:
    bank = an_app("Bank", reauthentication_required=True)
    for _time in range(2):
        asked = bank.ask(at_home)
        assert page_of(at_home, asked) == "reauthenticate"
        at_home.sign_in(person)
        assert answer(agree(at_home, asked))["code"]


@pytest.mark.spec("OIDC Core", "3.1.2.3")
def test_signing_in_as_somebody_else_is_that_persons_answer(at_home: Browser, admin: Person, client_app: App) -> None:
    asked = client_app.ask(at_home, prompt="login")
    at_home.sign_in(admin)
    assert page_of(at_home, asked) == "consent"
    agree(at_home, asked)
    assert Grant.objects.latest("id").user == admin.user


# prompt=select_account


@pytest.mark.spec("OIDC Core", "3.1.2.1")
def test_the_account_is_confirmed_or_changed(at_home: Browser, admin: Person, client_app: App) -> None:
    asked = client_app.ask(at_home, prompt="select_account")
    page = at_home.get(asked["Location"])
    assert "Continue as Bob" in page.text
    assert answer(agree(at_home, asked))["code"]

    asked = client_app.ask(at_home, prompt="select_account")
    thief = at_home.copy()
    switched = at_home.press("account-switch", at_home.get(asked["Location"]))
    assert page_of(at_home, switched) == "sign-in"
    assert thief.get("/api/webauthn/credentials").status_code == 401
    at_home.sign_in(admin)
    assert answer(agree(at_home, asked))["code"]
    assert Grant.objects.latest("id").user == admin.user


# Consent


@pytest.mark.spec("OIDC Core", "3.1.2.4")
def test_consent_is_asked_for_what_is_new(at_home: Browser, client_app: App) -> None:
    assert page_of(at_home, client_app.ask(at_home, scope="openid groups offline_access")) == "consent"
    client_app.code(at_home, scope="openid groups offline_access")
    assert answer(client_app.ask(at_home, scope="openid profile groups email", prompt="none"))["code"]
    assert Consent.objects.get().scope.split() == ["openid", "profile", "email", "groups", "offline_access"]


@pytest.mark.spec("OIDC Core", "3.1.2.4")
def test_prompt_consent_asks_each_time(at_home: Browser, client_app: App) -> None:
    for _time in range(2):
        asked = client_app.ask(at_home, prompt="consent")
        assert page_of(at_home, asked) == "consent"
        assert answer(agree(at_home, asked))["code"]


@pytest.mark.spec("OIDC Core", "3.1.2.4")
def test_a_trusted_app_asks_nothing_unless_it_wants_to(at_home: Browser) -> None:
    app = an_app("Ours", skip_authorization=True)
    assert answer(app.ask(at_home, prompt="none"))["code"]
    assert page_of(at_home, app.ask(at_home, prompt="consent")) == "consent"


@pytest.mark.spec("RFC 6749", "3.3")
def test_no_scope_at_all_is_consented_to_as_well(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    assert page_of(browser, client_app.ask(browser, scope="")) == "consent"
    client_app.code(browser, scope="")
    assert answer(client_app.ask(browser, scope="", prompt="none"))["code"]


@pytest.mark.spec("attacks.md", "F1")
def test_consent_is_for_the_request_that_was_shown(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    small, large = client_app.ask(browser, scope="openid"), client_app.ask(browser, scope="openid email groups")
    browser.press("consent-allow", browser.get(small["Location"]), scope="openid email groups", client_id="another")
    assert answer(browser.get(small["Location"].replace("/interaction", "/authorize")))["scope"] == "openid"
    assert page_of(browser, large) == "consent"
    assert Consent.objects.get().scope == "openid"


@pytest.mark.spec("attacks.md", "F1")
def test_a_link_agrees_to_nothing(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    asked = client_app.ask(browser)
    assert browser.get(asked["Location"] + "&decision=allow").status_code == 200
    assert (
        browser.post(
            "/interaction", {"interaction": asked["Location"].partition("=")[2], "decision": "allow"}
        ).status_code
        == 403
    )
    assert not Consent.objects.exists()


@pytest.mark.spec("OIDC Core", "3.1.2.4")
def test_one_persons_consent_is_not_anothers(browser: Browser, person: Person, admin: Person, client_app: App) -> None:
    browser.sign_in(person)
    asked = client_app.ask(browser)
    browser.press("consent-allow", browser.get(asked["Location"]))
    hers = Browser()
    hers.sign_in(admin)
    resumed = asked["Location"].replace("/interaction", "/authorize")
    assert page_of(hers, hers.get(resumed)) == "consent"


@pytest.mark.spec("attacks.md", "D25")
@pytest.mark.parametrize("decision", ["", "allow", "continue", "nonsense"])
def test_a_step_cannot_be_taken_before_its_turn(at_home: Browser, client_app: App, decision: str) -> None:
    asked = client_app.ask(at_home, prompt="login consent")
    page = at_home.get(asked["Location"])
    answer_ = at_home.press("sign-in-cancel", page, decision=decision)
    assert "callback" not in answer_.headers.get("Location", "")
    assert page_of(at_home, asked) == "reauthenticate"
    assert not PendingAuthorization.objects.get(pk=asked["Location"].partition("=")[2]).consented


# The parked request


def test_a_parked_request_is_answered_once(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    asked = client_app.ask(browser)
    assert answer(agree(browser, asked))["code"]
    for path in ("/authorize", "/interaction"):
        again = browser.get(asked["Location"].replace("/interaction", path, 1))
        assert is_error_page(again)
        assert again.status_code == 404


def test_a_parked_request_waits_an_hour(browser: Browser, person: Person, client_app: App) -> None:
    asked = client_app.ask(browser)
    with later(minutes=61):
        assert is_error_page(browser.get(asked["Location"]))
        client_app.ask(browser)
        assert PendingAuthorization.objects.count() == 1


@pytest.mark.parametrize("interaction", ["", "x", "00000000-0000-0000-0000-000000000000", "%00", "x" * 5000, "'--"])
def test_an_unknown_interaction_is_a_page(at_home: Browser, interaction: str) -> None:
    assert is_error_page(at_home.get(f"/interaction?interaction={interaction}"))
    if interaction:
        assert is_error_page(at_home.get(f"/authorize?interaction={interaction}"))


def test_what_was_withdrawn_from_the_app_meanwhile_counts(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    asked = client_app.ask(browser)
    client_app.client.is_group_restricted = True
    client_app.client.save()
    assert is_error_page(browser.get(asked["Location"].replace("/interaction", "/authorize")))


def test_a_redirect_uri_that_was_removed_meanwhile_gets_no_code(
    browser: Browser, person: Person, client_app: App
) -> None:
    browser.sign_in(person)
    asked = client_app.ask(browser)
    client_app.client.redirect_uris = "https://new.example.org/callback"
    client_app.client.save()
    assert is_error_page(agree(browser, asked))
    assert not Grant.objects.exists()


@pytest.mark.spec("OIDC Core", "3.1.2.6")
def test_cancelling_on_the_sign_in_page_tells_the_app(browser: Browser, person: Person, client_app: App) -> None:
    asked = client_app.ask(browser)
    assert answer(browser.press("sign-in-cancel", browser.get(asked["Location"])))["error"] == "access_denied"


@pytest.mark.spec("Pocket ID contract", "12.2")
def test_the_audit_log_tells_the_first_time_from_the_next(at_home: Browser, client_app: App) -> None:
    from audit.models import Entry

    client_app.code(at_home)
    events = list(
        Entry.objects.filter(event__endswith="CLIENT_AUTHORIZATION").order_by("id").values_list("event", "data")
    )
    assert events == [
        ("NEW_CLIENT_AUTHORIZATION", {"clientName": "Wiki"}),
        ("CLIENT_AUTHORIZATION", {"clientName": "Wiki"}),
    ]


@pytest.mark.spec("OIDC Core", "3.1.2.1")
@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("zh-CN en", "zh-hans"),
        ("se zh-Hans", "zh-hans"),
        ("en zh-Hans", "en"),
        ("se", "en"),
        ("x" * 600, "en"),
        ("", "en"),
    ],
)
def test_pages_speak_the_first_language_of_the_request_that_there_is(
    browser: Browser, person: Person, client_app: App, asked: str, language: str
) -> None:
    page = browser.get(client_app.ask(browser, ui_locales=asked)["Location"])
    assert page["Content-Language"] == language
    assert f'<html lang="{language}"' in page.text
    assert ("登录" in page.text) == (language == "zh-hans")


@pytest.mark.spec("OIDC Core", "3.1.2.1")
def test_a_language_that_the_person_chose_here_counts_more(browser: Browser, person: Person, client_app: App) -> None:
    waiting = client_app.ask(browser, ui_locales="zh-Hans")["Location"]
    assert browser.get(waiting)["Content-Language"] == "zh-hans"
    browser.cookies["pocketid_language"] = "en"
    assert browser.get(waiting)["Content-Language"] == "en"


@pytest.mark.spec("attacks.md", "C10")
def test_an_access_token_is_no_id_token_hint(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    tokens = client_app.tokens(browser)
    assert answer(client_app.ask(browser, id_token_hint=tokens["access_token"]))["error"] == "invalid_request"
    assert answer(client_app.ask(browser, id_token_hint=tokens["id_token"]))["code"]
