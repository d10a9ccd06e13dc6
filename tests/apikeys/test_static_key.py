"""STATIC_API_KEY: a key for servers that programs set up (contract section 1.4)."""

import dataclasses
import re

import pytest

from accounts.lifecycle import STATIC_USER_ID
from accounts.models import User
from apikeys import static_key
from pocketid import env
from tests.api.people.script import Script, refusal

KEY = "a static key of the tests"


@pytest.fixture
def script(db: None, settings) -> Script:
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, static_api_key=KEY)
    return Script(key=KEY)


def test_it_acts_as_an_administrator_of_its_own(script: Script) -> None:
    me = script.read("/api/users/me").json()
    assert (me["id"], me["firstName"], me["displayName"], me["email"], me["isAdmin"]) == (
        str(STATIC_USER_ID),
        "Static API User",
        "Static API User",
        None,
        True,
    )
    assert re.fullmatch(r"static-api-user-\w{6}", me["username"])
    assert script.read("/api/users").json()["pagination"]["totalItems"] == 1
    assert script.make("/api/users", {"username": "x", "email": "x@example.com"}).status_code == 201


def test_it_is_no_session(script: Script) -> None:
    assert refusal(script.make("/api/api-keys", {"name": "abc", "expiresAt": "2099-01-01T00:00:00Z"})) == (
        403,
        "api_key_auth_not_allowed",
    )


def test_another_key_is_nobodys(script: Script, settings) -> None:
    assert refusal(Script(key=KEY + "x").read("/api/users/me")) == (401, "not_signed_in")
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, static_api_key="")
    assert refusal(script.read("/api/users/me")) == (401, "not_signed_in")
    assert Script(key="").read("/api/users/me").status_code == 401


def test_its_id_is_nobody_elses(script: Script) -> None:
    assert refusal(
        script.make("/api/users", {"id": str(STATIC_USER_ID), "username": "x", "email": "x@example.com"})
    ) == (409, "already_in_use")


def test_the_user_goes_with_the_key(script: Script, settings) -> None:
    script.read("/api/users/me")
    static_key.forget_user_without_key()
    assert User.objects.filter(pk=STATIC_USER_ID).exists()
    settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, static_api_key="")
    static_key.forget_user_without_key()
    assert not User.objects.filter(pk=STATIC_USER_ID).exists()


def test_a_short_key_stops_the_start_without_being_shown() -> None:
    with pytest.raises(
        env.InvalidEnvironment, match="STATIC_API_KEY has a value that is not shown; allowed is at least 16 bytes"
    ):
        env.load({"STATIC_API_KEY": "too short"})
    assert "too short" not in repr(env.load({"STATIC_API_KEY": "too short, but 16 bytes"}))


@pytest.mark.spec("attacks.md", "D8")
def test_a_server_whose_last_person_it_deleted_is_nobodys_to_take(script: Script) -> None:
    assert Script().read("/api/signup/setup").status_code == 204
    made = script.make("/api/users", {"username": "ada", "email": "ada@example.com"}).json()
    assert script.remove(f"/api/users/{made['id']}").status_code == 204
    assert refusal(Script().read("/api/signup/setup")) == (404, "setup_not_available")
    assert refusal(Script().make("/api/signup/setup", {"username": "eve"})) == (409, "setup_already_completed")
    assert refusal(Script().make("/api/one-time-access-token/setup")) == (401, "token_invalid_or_expired")
    assert list(User.objects.values_list("pk", flat=True)) == [STATIC_USER_ID]


@pytest.mark.spec("attacks.md", "D8")
def test_it_is_not_the_administrator_who_must_stay(script: Script) -> None:
    """With the variable it goes, and then nobody could sign in to put anything right."""
    body = {"username": "ada", "email": "ada@example.com", "isAdmin": True}
    path = f"/api/users/{script.make('/api/users', body).json()['id']}"
    assert refusal(script.remove(path)) == (409, "last_administrator")
    assert refusal(script.change(path, body | {"isAdmin": False})) == (409, "last_administrator")
    assert refusal(script.change(path, body | {"disabled": True})) == (409, "last_administrator")
    script.make("/api/users", {"username": "eve", "email": "eve@example.com", "isAdmin": True})
    assert script.remove(f"/api/users/{STATIC_USER_ID}").status_code == 204
    assert script.remove(path).status_code == 204
    assert list(User.objects.exclude(pk=STATIC_USER_ID).values_list("username", "is_admin")) == [("eve", True)]
