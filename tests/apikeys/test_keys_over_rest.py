"""A person's own keys over REST (contract section 7.1)."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Session
from apikeys.models import ApiKey
from audit.models import Entry
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields

LATER = "2099-01-01T00:00:00Z"
BODY = {"name": "backup", "description": "of the tests", "expiresAt": LATER}


def test_a_key_is_shown_once_and_works(at_home: Browser, admin: Person) -> None:
    answer = at_home.send("/api/api-keys", BODY)
    assert answer.status_code == 201
    made, token = answer.json()["apiKey"], answer.json()["token"]
    assert {name: made[name] for name in BODY} == BODY
    assert (made["lastUsedAt"], made["expirationEmailSent"], made["scopes"], made["lastUsedFrom"]) == (
        None,
        False,
        [],
        None,
    )
    assert token.startswith("pid_")
    assert len(token) == 4 + 43  # 256 bits
    assert made["prefix"] == token[:10]
    assert token not in str(ApiKey.objects.values_list())
    assert token not in at_home.get("/api/api-keys").text
    assert Script(key=token).read("/api/users/me").json()["id"] == admin.subject
    assert Entry.objects.get(event="API_KEY_CREATED").data == {"keyName": "backup"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": "ab", "expiresAt": LATER}, [("name", "too_short")]),
        ({"name": "x" * 51, "expiresAt": LATER}, [("name", "too_long")]),
        ({"name": "backup"}, [("expiresAt", "required")]),
        (
            {"name": "backup", "expiresAt": LATER, "scopes": ["users:read", "nonsense:read"]},
            [("scopes", "invalid_value")],
        ),
        ({"name": "backup", "expiresAt": LATER, "scopes": []}, [("scopes", "invalid_value")]),
    ],
)
def test_what_is_wrong_is_named(at_home: Browser, body: dict, fields: list) -> None:
    assert wrong_fields(at_home.send("/api/api-keys", body)) == fields


@pytest.mark.parametrize("expires_at", ["2001-01-01T00:00:00Z", "2020-06-01T12:00:00.123456789+02:00"])
def test_a_key_cannot_end_before_it_begins(at_home: Browser, expires_at: str) -> None:
    answer = at_home.send("/api/api-keys", BODY | {"expiresAt": expires_at})
    assert refusal(answer) == (400, "invalid_api_key_expiration")
    assert answer.json()["details"]["fields"] == [
        {"field": "expiresAt", "code": "invalid_value", "message": "must be in the future"}
    ]
    assert answer.json()["error"] == "API key expiration time must be in the future"


@pytest.mark.parametrize(
    "expires_at", ["soon", "2099-01-01", "2099-01-01T00:00:00", "9999-12-31T23:59:59-23:00", "2099-13-01T00:00:00Z", 7]
)
def test_what_is_no_time_makes_the_body_unreadable(at_home: Browser, expires_at: object) -> None:
    assert refusal(at_home.send("/api/api-keys", BODY | {"expiresAt": expires_at})) == (400, "invalid_request_body")


@pytest.mark.spec("attacks.md", "G5")
def test_a_key_makes_no_keys(admin: Person, stranger: Script) -> None:
    script = Script(admin.user)
    for path in ("/api/api-keys", f"/api/api-keys/{script.key.pk}/renew"):
        assert refusal(script.make(path, BODY)) == (403, "api_key_auth_not_allowed")
        assert refusal(stranger.make(path, BODY)) == (401, "not_signed_in")


@pytest.mark.spec("attacks.md", "D4")
def test_an_old_session_proves_itself_first(at_home: Browser, admin: Person) -> None:
    Session.objects.update(auth_time=timezone.now() - timedelta(minutes=11))
    assert refusal(at_home.send("/api/api-keys", BODY)) == (401, "reauthentication_required")


def test_people_have_their_own_keys_and_see_no_others(at_home: Browser, person: Person, admin: Person) -> None:
    theirs = Script(person.user)
    own = Script(admin.user)
    listed = own.read("/api/api-keys").json()
    assert [each["id"] for each in listed["data"]] == [str(own.key.pk)]
    assert refusal(own.remove(f"/api/api-keys/{theirs.key.pk}")) == (404, "api_key_not_found")
    assert refusal(at_home.send(f"/api/api-keys/{theirs.key.pk}/renew", {"expiresAt": LATER})) == (
        404,
        "api_key_not_found",
    )
    assert own.remove(f"/api/api-keys/{own.key.pk}").status_code == 204
    assert refusal(own.read("/api/api-keys")) == (401, "not_signed_in")
    assert refusal(theirs.remove("/api/api-keys/xyz")) == (404, "api_key_not_found")


def test_an_expired_key_is_renewed_with_a_new_secret(at_home: Browser, admin: Person) -> None:
    script = Script(admin.user)
    path = f"/api/api-keys/{script.key.pk}/renew"
    assert refusal(at_home.send(path, {"expiresAt": LATER})) == (409, "api_key_not_expired")
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(at_home.send(path, {"expiresAt": "2001-01-01T00:00:00Z"})) == (400, "invalid_api_key_expiration")
    renewed = at_home.send(path, {"expiresAt": LATER})
    assert (renewed.status_code, renewed.json()["apiKey"]["id"]) == (200, str(script.key.pk))
    assert refusal(script.read("/api/users/me")) == (401, "not_signed_in")
    assert Script(key=renewed.json()["token"]).read("/api/users/me").status_code == 200


@pytest.mark.spec("issue 5", "the published recipe")
def test_the_session_of_a_script_ends_with_the_key_it_made(at_home: Browser, admin: Person) -> None:
    """The recipe posts a JSON text without its content type, with the session as a bearer token."""
    bearer = {"Authorization": f"Bearer {at_home.session_key}"}
    script = Script()
    answer = script.call(
        "POST", "/api/api-keys", data=json.dumps(BODY), content_type="text/plain;charset=UTF-8", headers=bearer
    )
    assert answer.status_code == 201
    assert refusal(script.call("GET", "/api/users/me", headers=bearer)) == (401, "not_signed_in")
    assert Script(key=answer.json()["token"]).read("/api/users/me").status_code == 200


def test_a_browser_stays_signed_in(at_home: Browser) -> None:
    at_home.send("/api/api-keys", BODY)
    assert at_home.get("/api/users/me").status_code == 200


def test_lists_are_sorted(admin: Person) -> None:
    script = Script(admin.user)
    for name in ("Bbb", "aaa"):
        ApiKey.objects.create(
            user=admin.user, name=name, key_hash=name, prefix="", expires_at=timezone.now() + timedelta(days=2)
        )
    names = [each["name"] for each in script.read("/api/api-keys?sort[column]=name").json()["data"]]
    assert names == ["aaa", "Bbb", "of the tests"]


def test_the_use_of_a_key_is_noted_once_a_minute(admin: Person) -> None:
    script = Script(admin.user)
    now = timezone.now().replace(microsecond=0)
    for after, noted in ((0, 0), (30, 0), (61, 61)):
        with time_machine.travel(now + timedelta(seconds=after), tick=False):
            script.call("GET", "/api/users/me", REMOTE_ADDR="192.0.2.7")
        script.key.refresh_from_db()
        assert (script.key.last_used_at, script.key.last_used_ip) == (now + timedelta(seconds=noted), "192.0.2.7")
