"""How long tokens live, client by client, and what ends refreshing (RFC 6749 section 6, OIDC Core section 11)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import groups
from accounts.models import Group
from oidc import clients, signing_keys
from oidc.clients import ClientSettings
from oidc.models import Grant, LogoutDelivery, RefreshToken
from oidc.tokens import unverified_claims
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, userinfo
from tests.oidc.test_token import INVALID_GRANT, refusal

pytestmark = pytest.mark.postgres
SCOPE = "openid offline_access"


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def later(**kwargs: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**kwargs))


def test_each_client_has_its_own(at_home: Browser) -> None:
    app = an_app("Short", access_token_minutes=2, id_token_minutes=3)
    tokens = app.tokens(at_home)
    assert tokens["expires_in"] == 120
    for name, seconds in (("access_token", 120), ("id_token", 180)):
        claims = unverified_claims(tokens[name])
        assert claims["exp"] - claims["iat"] == seconds
    with later(seconds=121):
        assert userinfo(tokens["access_token"]).status_code == 401


def test_refreshing_ends_at_the_absolute_end_however_often_it_is_done(at_home: Browser) -> None:
    app = an_app("Strict", refresh_token_minutes=10, refresh_token_absolute_minutes=25)
    token = app.tokens(at_home, scope=SCOPE)["refresh_token"]
    for minutes in (8, 16, 24):
        with later(minutes=minutes):
            answer = app.refresh(token)
            assert answer.status_code == 200
            token = answer.json()["refresh_token"]
    assert RefreshToken.objects.latest("id").expires <= Grant.objects.get().created + timedelta(minutes=25)
    with later(minutes=26):
        assert refusal(app.refresh(token)) == INVALID_GRANT


def test_an_end_that_was_brought_forward_counts_at_once(at_home: Browser, client_app: App) -> None:
    token = client_app.tokens(at_home, scope=SCOPE)["refresh_token"]
    client_app.client.refresh_token_absolute_minutes = 5
    client_app.client.save()
    with later(minutes=6):
        response = client_app.refresh(token)
        assert refusal(response) == INVALID_GRANT
        assert "sign in again" in response.json()["error_description"]


@pytest.mark.parametrize(("policy", "scope", "lives"), [("never", SCOPE, False), ("offline_access", SCOPE, True), ("offline_access", "openid", False)])  # fmt: skip
def test_a_permission_that_was_withdrawn_takes_the_tokens_with_it(
    at_home: Browser, policy: str, scope: str, lives: bool
) -> None:
    app = an_app("App", refresh_tokens="always")
    token = app.tokens(at_home, scope=scope)["refresh_token"]
    for each in (policy, "always"):
        clients.update(app.client.client_id, ClientSettings(name="App", refresh_tokens=each))
    assert (app.refresh(token).status_code == 200) is lives


def test_keys_stay_published_for_the_longest_id_token(db: None) -> None:
    from oidc.models import SigningKey

    an_app("Long", id_token_minutes=1000)
    SigningKey.objects.filter(algorithm="ES256").update(state="retired", retired_at=timezone.now() - timedelta(hours=10))  # fmt: skip
    signing_keys.forget_published()
    try:
        assert "ES256" in signing_keys.algorithms()
    finally:
        signing_keys.forget_published()


# Access that is lost


@pytest.fixture
def restricted(at_home: Browser, person: Person) -> App:
    """An app for the staff alone; the person is one of them, by two groups."""
    app = an_app("Payroll", is_group_restricted=True, backchannel_logout_url="https://app.example.org/logout")
    for name in ("staff", "board"):
        group = Group.objects.create(name=name, friendly_name=name)
        person.user.groups.add(group)
        app.client.allowed_groups.add(group)
    return app


@pytest.mark.spec("attacks.md", "G13")
@pytest.mark.spec("Back-Channel Logout", "2.3")
def test_whoever_leaves_the_last_group_is_signed_out_of_the_app(
    at_home: Browser, person: Person, restricted: App
) -> None:
    tokens = restricted.tokens(at_home, scope=SCOPE)
    staff, board = Group.objects.order_by("-name")
    groups.set_groups(person.user, [str(board.pk)])
    assert userinfo(tokens["access_token"]).status_code == 200
    assert not LogoutDelivery.objects.exists()
    groups.set_members(board, [])
    assert userinfo(tokens["access_token"]).status_code == 401
    assert refusal(restricted.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert [each.subject for each in LogoutDelivery.objects.all()] == [person.subject]
    groups.set_members(staff, [person.subject])
    groups.set_members(staff, [])
    assert LogoutDelivery.objects.count() == 1  # nothing was left to end


@pytest.mark.spec("Back-Channel Logout", "2.3")
def test_deleting_the_last_group_does_the_same(at_home: Browser, person: Person, restricted: App) -> None:
    token = restricted.tokens(at_home)["access_token"]
    for group in Group.objects.all():
        groups.delete(group)
    assert userinfo(token).status_code == 401
    assert LogoutDelivery.objects.count() == 1


def test_other_apps_and_other_people_keep_their_tokens(at_home: Browser, person: Person, restricted: App, admin: Person) -> None:  # fmt: skip
    open_to_all = an_app("Wiki")
    staff = Group.objects.get(name="staff")
    admin.user.groups.add(staff)
    elsewhere = Browser()
    elsewhere.sign_in(admin)
    kept = [open_to_all.tokens(at_home)["access_token"], restricted.tokens(elsewhere)["access_token"]]
    lost = restricted.tokens(at_home)["access_token"]
    groups.set_groups(person.user, [])
    assert [userinfo(token).status_code for token in (*kept, lost)] == [200, 200, 401]
