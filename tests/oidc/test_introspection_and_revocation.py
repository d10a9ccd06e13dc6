"""Tokens that apps ask about, hand back, and hold for themselves (RFC 7662, RFC 7009, RFC 6749 section 4.4)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, basic, http, post_form, userinfo
from tests.oidc.test_token import INVALID_CLIENT, refusal

pytestmark = pytest.mark.postgres
SCOPE = "openid profile offline_access"


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.fixture
def tokens(at_home: Browser, client_app: App) -> dict[str, str]:
    return client_app.tokens(at_home, scope=SCOPE)


def call(path: str, app: App, **form: str | None):
    return post_form(f"/api/oidc/{path}", form, headers={"Authorization": basic(app.client.client_id, app.secret)})


@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_live_token_is_described_to_its_client(
    client_app: App, person: Person, tokens: dict[str, str], kind: str
) -> None:
    body = call("introspect", client_app, token=tokens[kind]).json()
    assert body["active"] is True
    assert (body["client_id"], body["sub"], body["scope"], body["iss"]) == (
        client_app.client.client_id,
        person.subject,
        SCOPE,
        "http://localhost:1411",
    )
    assert body["exp"] > body["iat"] == body["nbf"]


@pytest.mark.spec("attacks.md", "C12")
def test_nobody_else_learns_anything(client_app: App, public_app: App, tokens: dict[str, str]) -> None:
    assert call("introspect", an_app("Other"), token=tokens["access_token"]).json() == {"active": False}
    for wrong in (
        {},
        {"Authorization": basic(client_app.client.client_id, "wrong")},
        {"Authorization": "Bearer x"},
        {"Authorization": f"Bearer {tokens['access_token']}"},
    ):
        assert (
            refusal(post_form("/api/oidc/introspect", {"token": tokens["access_token"]}, headers=wrong))
            == INVALID_CLIENT
        )
    assert (
        refusal(
            post_form(
                "/api/oidc/introspect", {"token": tokens["access_token"], "client_id": public_app.client.client_id}
            )
        )
        == INVALID_CLIENT
    )


@pytest.mark.spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token", ["x", "a.b.c", "{access}x", "{id}", " ", "x" * 8192, "ü"])
def test_what_is_no_token_is_inactive(client_app: App, tokens: dict[str, str], token: str) -> None:
    given = token.format(access=tokens["access_token"], id=tokens["id_token"])
    assert call("introspect", client_app, token=given).json() == {"active": False}


@pytest.mark.spec("RFC 7662", "2.2")
def test_what_has_ended_is_inactive(client_app: App, tokens: dict[str, str], person: Person) -> None:
    fresh = client_app.refresh(tokens["refresh_token"]).json()
    assert call("introspect", client_app, token=tokens["access_token"]).json() == {"active": False}
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert call("introspect", client_app, token=fresh["access_token"]).json() == {"active": False}


@pytest.mark.spec("RFC 7662", "2.2")
def test_a_disabled_persons_token_is_not_called_active(client_app: App, tokens: dict[str, str], person: Person) -> None:
    person.user.disabled = True
    person.user.save()
    assert call("introspect", client_app, token=tokens["access_token"]).json() == {"active": False}


@pytest.mark.spec("RFC 7662", "2.2")
def test_a_rotated_refresh_token_is_not_called_active_after_its_minute(client_app: App, tokens: dict[str, str]) -> None:
    client_app.refresh(tokens["refresh_token"])
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert call("introspect", client_app, token=tokens["refresh_token"]).json() == {"active": False}


@pytest.mark.spec("RFC 7662", "2.1")
def test_the_token_is_needed(client_app: App) -> None:
    assert refusal(call("introspect", client_app)) == (400, "invalid_request")
    assert refusal(call("revoke", client_app)) == (400, "invalid_request")
    for path in ("introspect", "revoke"):
        assert http().get(f"/api/oidc/{path}").status_code == 404


@pytest.mark.spec("RFC 7009", "2.1")
def test_a_revoked_refresh_token_takes_its_family_along(client_app: App, tokens: dict[str, str]) -> None:
    response = call("revoke", client_app, token=tokens["refresh_token"], token_type_hint="access_token")
    assert (response.status_code, response.content) == (200, b"")
    assert client_app.refresh(tokens["refresh_token"]).status_code == 400
    assert userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.spec("RFC 7009", "2.1")
def test_a_revoked_access_token_ends_alone(client_app: App, tokens: dict[str, str]) -> None:
    response = call("revoke", client_app, token=tokens["access_token"])
    # No type where there is no content: oidc-client-ts refuses any but JSON.
    assert (response.status_code, response.content, response.headers.get("Content-Type")) == (200, b"", None)
    assert userinfo(tokens["access_token"]).status_code == 401
    assert client_app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.spec("attacks.md", "C13")
def test_another_clients_token_stays_as_it_is(client_app: App, tokens: dict[str, str]) -> None:
    for token in (tokens["access_token"], tokens["refresh_token"], "unknown"):
        assert call("revoke", an_app(f"Other {token[:3]}"), token=token).status_code == 200
    assert userinfo(tokens["access_token"]).status_code == 200
    assert client_app.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.spec("RFC 7009", "2.1")
def test_a_client_must_prove_itself_to_revoke(client_app: App, tokens: dict[str, str]) -> None:
    for form in (
        {"token": tokens["access_token"]},
        {"token": tokens["access_token"], "client_id": client_app.client.client_id},
    ):
        assert refusal(post_form("/api/oidc/revoke", form)) == INVALID_CLIENT
    assert userinfo(tokens["access_token"]).status_code == 200


@pytest.mark.spec("RFC 7009", "2.1")
def test_a_public_client_revokes_its_own(at_home: Browser, public_app: App) -> None:
    tokens = public_app.tokens(at_home)
    assert (
        post_form(
            "/api/oidc/revoke", {"token": tokens["access_token"], "client_id": public_app.client.client_id}
        ).status_code
        == 200
    )
    assert userinfo(tokens["access_token"]).status_code == 401


@pytest.mark.spec("RFC 6749", "4.4")
def test_an_app_acts_for_itself_and_for_no_person(client_app: App) -> None:
    body = client_app.token(grant_type="client_credentials", scope="openid profile").json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert body["scope"] == ""
    told = call("introspect", client_app, token=body["access_token"]).json()
    assert (told["active"], told["sub"]) == (True, f"client-{client_app.client.client_id}")
    assert userinfo(body["access_token"]).status_code == 403
    assert refusal(client_app.token(grant_type="client_credentials", scope="read:everything")) == (400, "invalid_scope")


@pytest.mark.spec("RFC 6749", "4.4")
def test_a_public_client_cannot_act_for_itself(public_app: App) -> None:
    assert refusal(public_app.token(grant_type="client_credentials")) == (400, "unauthorized_client")
