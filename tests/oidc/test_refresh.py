"""Refresh tokens: who gets one, how they rotate, and what a stolen one is worth (RFC 6749 section 6, RFC 9700 section 4.14)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from oidc.models import AccessToken, RefreshToken
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, userinfo
from tests.oidc.test_token import INVALID_CLIENT, INVALID_GRANT, refusal

pytestmark = pytest.mark.postgres
SCOPE = "openid profile offline_access"


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.fixture
def tokens(at_home: Browser, client_app: App) -> dict[str, str]:
    return client_app.tokens(at_home, scope=SCOPE)


def later(**kwargs: float) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(**kwargs))


@pytest.mark.spec("OIDC Core", "11")
@pytest.mark.parametrize(
    ("policy", "scope", "is_given"),
    [
        ("offline_access", "openid", False),
        ("offline_access", SCOPE, True),
        ("always", "openid", True),
        ("always", "profile", True),
        ("never", SCOPE, False),
    ],
)
def test_the_policy_of_the_client_decides_who_gets_one(
    at_home: Browser, policy: str, scope: str, is_given: bool
) -> None:
    assert ("refresh_token" in an_app("App", refresh_tokens=policy).tokens(at_home, scope=scope)) is is_given


@pytest.mark.spec("OIDC Core", "12.2")
def test_a_refresh_gives_new_tokens_about_the_same_sign_in(client_app: App, tokens: dict[str, str]) -> None:
    with later(minutes=5):
        fresh = client_app.refresh(tokens["refresh_token"]).json()
    assert fresh.keys() == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert fresh["scope"] == SCOPE
    assert all(fresh[name] != tokens[name] for name in ("access_token", "refresh_token", "id_token"))
    from oidc.tokens import unverified_claims

    before, after = unverified_claims(tokens["id_token"]), unverified_claims(fresh["id_token"])
    assert {name: after[name] for name in ("iss", "sub", "aud", "auth_time", "amr", "sid")} == {
        name: before[name] for name in ("iss", "sub", "aud", "auth_time", "amr", "sid")
    }
    assert after["iat"] - before["iat"] >= 299
    assert "nonce" not in after


@pytest.mark.spec("Pocket ID contract", "3.3")
def test_a_refresh_ends_the_access_token_before_it(client_app: App, tokens: dict[str, str]) -> None:
    fresh = client_app.refresh(tokens["refresh_token"]).json()
    assert userinfo(tokens["access_token"]).status_code == 401
    assert userinfo(fresh["access_token"]).status_code == 200


# Rotation


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_an_answer_that_was_lost_is_given_again_within_a_minute(client_app: App, tokens: dict[str, str]) -> None:
    first = client_app.refresh(tokens["refresh_token"]).json()
    with later(seconds=50):
        second = client_app.refresh(tokens["refresh_token"]).json()
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert userinfo(first["access_token"]).status_code == userinfo(second["access_token"]).status_code == 200
    assert RefreshToken.objects.count() == 2
    assert client_app.refresh(second["refresh_token"]).status_code == 200
    assert userinfo(first["access_token"]).status_code == userinfo(second["access_token"]).status_code == 401


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_after_the_minute_reuse_ends_the_whole_family(client_app: App, tokens: dict[str, str]) -> None:
    fresh = client_app.refresh(tokens["refresh_token"]).json()
    with later(seconds=61):
        assert refusal(client_app.refresh(tokens["refresh_token"])) == INVALID_GRANT
        assert refusal(client_app.refresh(fresh["refresh_token"])) == INVALID_GRANT
        assert userinfo(fresh["access_token"]).status_code == 401


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_reuse_ends_the_family_once_the_successor_was_used(client_app: App, tokens: dict[str, str]) -> None:
    second = client_app.refresh(tokens["refresh_token"]).json()
    third = client_app.refresh(second["refresh_token"]).json()
    assert refusal(client_app.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert refusal(client_app.refresh(third["refresh_token"])) == INVALID_GRANT
    assert userinfo(third["access_token"]).status_code == 401


@pytest.mark.spec("RFC 6749", "10.10")
def test_nobody_without_our_key_knows_the_successor(client_app: App, tokens: dict[str, str], settings) -> None:
    from oidc.tokens import successor_of

    ours = successor_of(tokens["refresh_token"])
    assert client_app.refresh(tokens["refresh_token"]).json()["refresh_token"] == ours
    settings.ENCRYPTION_KEY = "another key of at least 16 bytes"
    assert successor_of(tokens["refresh_token"]) != ours


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_other_families_live_on(at_home: Browser, client_app: App, tokens: dict[str, str]) -> None:
    other = client_app.tokens(at_home, scope=SCOPE)
    client_app.refresh(tokens["refresh_token"])
    with later(seconds=61):
        client_app.refresh(tokens["refresh_token"])
        assert client_app.refresh(other["refresh_token"]).status_code == 200


# Refusals


@pytest.mark.spec("RFC 6749", "10.4")
def test_another_client_cannot_use_it(client_app: App, tokens: dict[str, str]) -> None:
    thief = an_app("Thief", refresh_tokens="always")
    assert refusal(thief.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert client_app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.spec("RFC 6749", "6")
def test_a_refused_client_authentication_uses_nothing_up(client_app: App, tokens: dict[str, str]) -> None:
    for authentication in ("none", "post", "basic"):
        secret, client_app.secret = client_app.secret, "wrong"
        assert refusal(client_app.refresh(tokens["refresh_token"], authentication=authentication)) == INVALID_CLIENT
        client_app.secret = secret
    assert client_app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.spec("RFC 6749", "5.2")
@pytest.mark.parametrize("token", [None, "", "x", "pocket_id_rt_x", "{0}x", "{0} ", " {0}", "{access}", "{id}"])
def test_what_is_no_refresh_token_is_refused(client_app: App, tokens: dict[str, str], token: str | None) -> None:
    given = token and token.format(tokens["refresh_token"], access=tokens["access_token"], id=tokens["id_token"])
    assert refusal(client_app.token(grant_type="refresh_token", refresh_token=given)) == INVALID_GRANT
    assert client_app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.spec("RFC 6749", "6")
@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("openid", 200),
        (SCOPE, 200),
        ("", 200),
        ("openid unheard_of", 200),
        ("openid email", 400),
        (SCOPE + " groups", 400),
    ],
)
def test_a_scope_is_repeated_or_narrowed_never_widened(
    client_app: App, tokens: dict[str, str], scope: str, status: int
) -> None:
    response = client_app.refresh(tokens["refresh_token"], scope=scope)
    assert response.status_code == status
    if status == 400:
        assert refusal(response) == (400, "invalid_scope")
        assert client_app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.spec("RFC 6749", "6")
def test_narrowing_is_not_for_ever(client_app: App, tokens: dict[str, str]) -> None:
    narrow = client_app.refresh(tokens["refresh_token"], scope="openid").json()
    assert narrow["scope"] == "openid"
    assert userinfo(narrow["access_token"]).json().keys() == {"sub"}
    again = client_app.refresh(narrow["refresh_token"]).json()
    assert again["scope"] == SCOPE
    assert "name" in userinfo(again["access_token"]).json()


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_it_ends_with_its_time_which_starts_again_with_each_rotation(at_home: Browser) -> None:
    app = an_app("Short", refresh_token_minutes=10)
    first = app.tokens(at_home, scope=SCOPE)
    with later(minutes=9):
        second = app.refresh(first["refresh_token"]).json()
    with later(minutes=18):
        third = app.refresh(second["refresh_token"]).json()
    with later(minutes=29):
        assert refusal(app.refresh(third["refresh_token"])) == INVALID_GRANT


@pytest.mark.spec("OIDC Core", "11")
def test_a_policy_that_became_never_ends_it(client_app: App, tokens: dict[str, str]) -> None:
    client_app.client.refresh_tokens = "never"
    client_app.client.save()
    assert refusal(client_app.refresh(tokens["refresh_token"])) == INVALID_GRANT


@pytest.mark.spec("attacks.md", "C5")
def test_a_disabled_person_is_refreshed_no_more(client_app: App, tokens: dict[str, str], person: Person) -> None:
    person.user.disabled = True
    person.user.save()
    assert refusal(client_app.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.spec("attacks.md", "C5")
def test_a_person_who_left_the_group_is_refreshed_no_more(
    client_app: App, tokens: dict[str, str], person: Person
) -> None:
    client_app.client.is_group_restricted = True
    client_app.client.save()
    assert refusal(client_app.refresh(tokens["refresh_token"])) == INVALID_GRANT


@pytest.mark.spec("attacks.md", "C5")
def test_a_deleted_person_leaves_no_tokens(client_app: App, tokens: dict[str, str], person: Person) -> None:
    person.user.delete()
    assert refusal(client_app.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert userinfo(tokens["access_token"]).status_code == 401
    assert not AccessToken.objects.exists()


@pytest.mark.spec("RFC 9700", "4.14.2")
def test_a_refresh_of_a_public_client_rotates_too(at_home: Browser, public_app: App) -> None:
    tokens = public_app.tokens(at_home, scope=SCOPE)
    fresh = public_app.refresh(tokens["refresh_token"]).json()
    assert fresh["refresh_token"] != tokens["refresh_token"]
    assert refusal(public_app.refresh(fresh["refresh_token"], client_secret="x")) == INVALID_CLIENT
