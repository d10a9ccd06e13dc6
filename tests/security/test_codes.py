"""Attacks on the authorization code (attacks.md B)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Group
from oidc.models import AccessToken
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, answer, userinfo
from tests.oidc.test_token import INVALID_CLIENT, INVALID_GRANT, refusal


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.mark.spec("attacks.md", "B1")
@pytest.mark.parametrize("client_type", ["confidential", "public"])
def test_b1_a_code_in_another_clients_hands_is_burnt(at_home: Browser, client_app: App, client_type: str) -> None:
    thief = an_app("Thief", client_type=client_type)
    code = client_app.code(at_home)
    assert refusal(thief.redeem(code)) == INVALID_GRANT
    assert refusal(client_app.redeem(code)) == INVALID_GRANT
    assert not AccessToken.objects.exists()


@pytest.mark.spec("attacks.md", "B1")
def test_b1_a_stranger_who_only_knows_a_client_id_burns_nothing(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home)
    client_app.secret, right = "guessed", client_app.secret
    assert refusal(client_app.redeem(code)) == INVALID_CLIENT
    client_app.secret = right
    assert client_app.redeem(code).status_code == 200


@pytest.mark.spec("attacks.md", "B2")
def test_b2_an_expired_code_is_worth_nothing(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home)
    for minutes in (1.1, 60, 60 * 24 * 400):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
            assert refusal(client_app.redeem(code)) == INVALID_GRANT


@pytest.mark.spec("attacks.md", "B4")
def test_b4_the_second_redemption_takes_back_what_the_first_gave(at_home: Browser, client_app: App) -> None:
    """Fifty at once, against the real server: tests/oidc/test_races.py."""
    code = client_app.code(at_home)
    tokens = client_app.redeem(code).json()
    assert refusal(client_app.redeem(code)) == INVALID_GRANT
    assert userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.spec("attacks.md", "B5, B6")
def test_b5_b6_the_verifier_belongs_to_the_challenge_and_to_nothing_else(at_home: Browser, client_app: App) -> None:
    client_app.verifier = "v" * 43
    assert refusal(client_app.redeem(client_app.code(at_home), code_verifier=None)) == INVALID_GRANT
    assert refusal(client_app.redeem(client_app.code(at_home), code_verifier="")) == INVALID_GRANT
    client_app.verifier = ""
    assert refusal(client_app.redeem(client_app.code(at_home), code_verifier="v" * 43)) == INVALID_GRANT


@pytest.mark.spec("attacks.md", "B8")
def test_b8_a_public_client_cannot_do_without_pkce(at_home: Browser, public_app: App) -> None:
    assert public_app.client.pkce_required
    public_app.client.pkce_required = False
    public_app.client.save()
    public_app.verifier = ""
    assert answer(public_app.ask(at_home))["error"] == "invalid_request"
    assert (
        answer(public_app.ask(at_home, code_challenge="", code_challenge_method="S256"))["error"] == "invalid_request"
    )
    assert (
        answer(public_app.ask(at_home, code_challenge="v" * 43, code_challenge_method="plain"))["error"]
        == "invalid_request"
    )


@pytest.mark.spec("attacks.md", "B9")
def test_b9_the_redirect_uri_must_be_the_one_of_the_request(at_home: Browser) -> None:
    app = an_app("Two", redirect_uris="https://app.example.org/callback\nhttps://app.example.org/other")
    for wrong in (None, "", "https://app.example.org/other", "https://app.example.org/callback/"):
        assert refusal(app.redeem(app.code(at_home), redirect_uri=wrong)) == INVALID_GRANT


@pytest.mark.spec("attacks.md", "B10")
def test_b10_who_lost_access_meanwhile_gets_nothing(at_home: Browser, client_app: App, person: Person) -> None:
    staff = Group.objects.create(name="staff", friendly_name="Staff")
    person.user.groups.add(staff)
    client_app.client.allowed_groups.add(staff)
    client_app.client.is_group_restricted = True
    client_app.client.save()
    code = client_app.code(at_home)
    person.user.groups.clear()
    assert refusal(client_app.redeem(code)) == INVALID_GRANT
    person.user.groups.add(staff)
    code = client_app.code(at_home)
    person.user.disabled = True
    person.user.save()
    assert refusal(client_app.redeem(code)) == INVALID_GRANT
    person.user.disabled = False
    person.user.save()
    code = client_app.code(at_home)
    client_app.client.delete()
    assert refusal(client_app.redeem(code)) == INVALID_CLIENT
    assert not AccessToken.objects.exists()


@pytest.mark.spec("attacks.md", "B12")
def test_b12_the_code_reaches_no_cache_and_no_referrer(at_home: Browser, client_app: App) -> None:
    for mode in ("query", "fragment", "form_post"):
        response = client_app.sent_back(at_home, response_mode=mode)
        assert (response["Referrer-Policy"], response["Cache-Control"]) == ("no-referrer", "no-store")
    assert "code" not in repr(at_home.cookies)


@pytest.mark.spec("attacks.md", "C16")
def test_c16_a_client_without_secrets_has_no_password(at_home: Browser, client_app: App) -> None:
    code = client_app.code(at_home)
    client_app.client.secrets.all().delete()
    for secret in ("", " ", "decoy", "None"):
        client_app.secret = secret
        for authentication in ("basic", "post", "none"):
            assert refusal(client_app.redeem(code, authentication=authentication)) == INVALID_CLIENT


@pytest.mark.spec("attacks.md", "C25")
def test_c25_a_subject_is_never_given_to_somebody_else(at_home: Browser, client_app: App, person: Person) -> None:
    from tests.accounts.people import a_person

    first = person.subject
    tokens = client_app.tokens(at_home)
    person.user.delete()
    again = a_person("bob")
    assert again.subject != first
    assert userinfo(tokens["access_token"]).status_code == 401
    assert Browser().try_to_sign_in(person.device).status_code == 401
