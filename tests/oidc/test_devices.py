"""Devices without a browser (RFC 8628)."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts import groups
from accounts.models import Group
from core.secrets import hash_token
from oidc import authorized_clients
from oidc.models import DeviceGrant
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, basic, post_form, userinfo

pytestmark = pytest.mark.postgres
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ISSUER = "http://localhost:1411"


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


def begin(app: App, scope: str = "openid profile offline_access nonsense"):
    headers = {"Authorization": basic(app.client.client_id, app.secret)}
    return post_form("/api/oidc/device/authorize", {"scope": scope}, headers=headers).json()


def poll(app: App, device: dict[str, str]):
    return app.token(grant_type=GRANT, device_code=device["device_code"])


def later(seconds: int):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds))


@pytest.mark.spec("RFC 8628", "3.5")
def test_a_device_gets_tokens_when_the_person_has_said_yes_and_once_only(
    at_home: Browser, client_app: App, person: Person
) -> None:
    device = begin(client_app)
    assert (device["interval"], device["expires_in"]) == (5, 900)
    assert poll(client_app, device).json()["error"] == "authorization_pending"
    page = at_home.get("/device", {"user_code": device["user_code"].lower()})
    assert client_app.client.name in page.text
    assert device["user_code"] in page.text
    at_home.press("device-allow", page)
    tokens = poll(client_app, device)
    assert tokens.json()["scope"] == "openid profile offline_access"
    assert userinfo(tokens.json()["access_token"]).json()["sub"] == person.subject
    assert client_app.refresh(tokens.json()["refresh_token"]).status_code == 200
    assert poll(client_app, device).json()["error"] == "invalid_grant"


@pytest.mark.spec("RFC 8628", "3.3.1")
def test_a_code_in_the_address_approves_nothing(at_home: Browser, client_app: App) -> None:
    device = begin(client_app)
    assert at_home.get(device["verification_uri_complete"]).status_code == 200
    assert poll(client_app, device).json()["error"] == "authorization_pending"


@pytest.mark.spec("RFC 8628", "3.5")
def test_a_device_that_is_turned_away_is_told_so(at_home: Browser, client_app: App) -> None:
    device = begin(client_app)
    at_home.press("device-deny", at_home.get("/device", {"user_code": device["user_code"]}))
    assert poll(client_app, device).json()["error"] == "access_denied"
    # Decided is decided: the code is worth nothing any more.
    assert (
        at_home.post(f"/api/oidc/device/verify?code={device['user_code']}").json()["code"] == "oidc_invalid_device_code"
    )


@pytest.mark.spec("RFC 8628", "3.5")
def test_a_device_that_asks_too_often_has_to_wait_longer(client_app: App) -> None:
    device = begin(client_app)
    assert [poll(client_app, device).json()["error"] for _ in range(2)] == ["authorization_pending", "slow_down"]
    with later(6):
        assert poll(client_app, device).json()["error"] == "slow_down"  # ten seconds by now
    with later(40):
        assert poll(client_app, device).json()["error"] == "authorization_pending"


@pytest.mark.spec("attacks.md", "I2")
def test_another_app_learns_nothing_from_a_device_code(at_home: Browser, client_app: App) -> None:
    device, thief = begin(client_app), an_app("Thief")
    assert poll(thief, device).json()["error"] == "invalid_grant"
    at_home.post(f"/api/oidc/device/verify?code={device['user_code']}")
    assert poll(thief, device).json()["error"] == "invalid_grant"
    assert poll(client_app, device).status_code == 200


@pytest.mark.spec("RFC 8628", "3.2")
def test_what_a_device_is_told(at_home: Browser, client_app: App, person: Person, public_app: App) -> None:
    """Every member of the specification, of its type; a code that differs each time, and an address that fits a screen."""
    headers = {"Authorization": basic(client_app.client.client_id, client_app.secret)}
    answers = [post_form("/api/oidc/device/authorize", {"scope": "openid"}, headers=headers) for _time in range(3)]
    answers.append(post_form("/api/oidc/device/authorize", {"client_id": public_app.client.client_id}))
    for answer in answers:
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("application/json")
        assert answer["Cache-Control"] == "no-store"  # RFC 6749 section 5.1
        told = answer.json()
        assert told.keys() == {
            "device_code",
            "user_code",
            "verification_uri",
            "verification_uri_complete",
            "expires_in",
            "interval",
        }
        assert all(isinstance(told[name], int) and told[name] > 0 for name in ("expires_in", "interval"))
        assert told["verification_uri"] == "http://localhost:1411/device"
        assert told["verification_uri_complete"] == f"{told['verification_uri']}?user_code={told['user_code']}"
        assert told["user_code"] not in told["device_code"]
        assert len(told["device_code"]) > 40  # nobody types it (section 5.2)
        assert len(told["user_code"]) == 8
        # Both addresses lead to the page that says which code it is (section 3.3.1).
        assert 'name="user_code"' in at_home.get("/device").text
        assert told["user_code"] in at_home.get(told["verification_uri_complete"].removeprefix(ISSUER)).text
    for name in ("device_code", "user_code"):
        assert len({answer.json()[name] for answer in answers}) == len(answers)


@pytest.mark.spec("RFC 8628", "3.2")
def test_a_refused_device_is_told_nothing_of_codes(client_app: App) -> None:
    for form, headers in (
        ({"client_id": "nobody"}, {}),
        ({"client_id": client_app.client.client_id}, {}),
        ({"scope": "openid"}, {"Authorization": basic(client_app.client.client_id, "wrong")}),
    ):
        refused = post_form("/api/oidc/device/authorize", form, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        assert refused.json().keys() == {"error", "error_description"}
    assert not DeviceGrant.objects.exists()


@pytest.mark.spec("RFC 8628", "3.2")
def test_a_device_code_ends_after_a_quarter_of_an_hour(at_home: Browser, client_app: App) -> None:
    device = begin(client_app)
    with later(901):
        assert poll(client_app, device).json()["error"] == "expired_token"
    device = begin(client_app)
    DeviceGrant.objects.update(expires=timezone.now())
    refused = at_home.post(f"/api/oidc/device/verify?code={device['user_code']}")
    assert refused.json()["code"] == "oidc_device_code_expired"


@pytest.mark.spec("RFC 8628", "3.3")
def test_whoever_may_not_use_the_app_cannot_bring_it_to_a_device(at_home: Browser, client_app: App) -> None:
    device = begin(client_app)
    client_app.client.is_group_restricted = True
    client_app.client.save()
    client_app.client.allowed_groups.add(Group.objects.create(name="others", friendly_name="Others"))
    assert at_home.post(f"/api/oidc/device/verify?code={device['user_code']}").status_code == 403
    assert poll(client_app, device).json()["error"] == "authorization_pending"


def leave_the_group(app: App, person: Person) -> None:
    group = Group.objects.create(name="few", friendly_name="Few")
    person.user.groups.add(group)
    app.client.is_group_restricted = True
    app.client.save()
    app.client.allowed_groups.add(group)
    groups.set_members(group, [])
    groups.set_members(group, [person.subject])


def withdraw_consent(app: App, person: Person) -> None:
    authorized_clients.withdraw(person.user, app.client.client_id)


@pytest.mark.spec("attacks.md", "C5")
@pytest.mark.parametrize("lose_it", [leave_the_group, withdraw_consent])
def test_a_device_that_was_allowed_gets_nothing_when_the_permission_is_gone(
    at_home: Browser, person: Person, client_app: App, lose_it: Callable[[App, Person], None]
) -> None:
    device = begin(client_app)
    assert at_home.post(f"/api/oidc/device/verify?code={device['user_code']}").status_code == 204
    lose_it(client_app, person)
    assert poll(client_app, device).json()["error"] == "access_denied"


@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
def test_an_app_that_signs_somebody_out_takes_the_waiting_device_along(at_home: Browser, client_app: App) -> None:
    id_token, device = client_app.tokens(at_home)["id_token"], begin(client_app)
    at_home.post(f"/api/oidc/device/verify?code={device['user_code']}")
    assert at_home.get("/api/oidc/end-session", {"id_token_hint": id_token}).status_code == 302
    assert poll(client_app, device).json()["error"] == "access_denied"


@pytest.mark.spec("RFC 8628", "6.1")
def test_letters_that_are_taken_for_digits_are_understood(at_home: Browser, client_app: App) -> None:
    begin(client_app)
    DeviceGrant.objects.update(user_code=hash_token("E10AAAAA"))
    for typed in ("E10AAAAA", "eloaaaaa", "EIOA-AAAA", " e1 0a aaaa "):
        assert at_home.get("/api/oidc/device/info", {"code": typed}).status_code == 200, typed


@pytest.mark.spec("RFC 8628", "5.2")
def test_both_codes_are_kept_as_hashes(client_app: App) -> None:
    device = begin(client_app)
    row = DeviceGrant.objects.get()
    assert device["user_code"] not in (row.user_code, row.device_code)
    assert (len(row.user_code), len(row.device_code)) == (64, 64)


@pytest.mark.spec("RFC 8628", "5.1")
@pytest.mark.parametrize(
    "path", ["/device?user_code=", "/api/oidc/device/info?code=", "POST /api/oidc/device/verify?code="]
)
def test_user_codes_cannot_be_guessed_at_leisure(at_home: Browser, public_app: App, settings: Any, path: str) -> None:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, disable_rate_limiting=False)
    device = post_form(
        "/api/oidc/device/authorize", {"client_id": public_app.client.client_id, "scope": "openid"}
    ).json()

    def look(code: str) -> int:
        method, _, address = path.rpartition(" ")
        return (at_home.post if method else at_home.get)(address + code).status_code

    assert {look(f"EAAAA{n:03}") for n in range(20)} == {400}
    assert look(device["user_code"]) == 429
    assert DeviceGrant.objects.get().status == DeviceGrant.AUTHORIZATION_PENDING
