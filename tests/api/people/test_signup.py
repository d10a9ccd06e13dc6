"""Signing up, openly or with a token (contract section 6.4)."""

import threading
from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import cleanup, signup
from accounts.models import Group, Session, SignupToken, User
from audit.models import Entry
from core.errors import AppError
from tests.api.people.script import Script, refusal, wrong_fields

pytestmark = pytest.mark.postgres

GINA = {"username": "gina", "email": "gina@example.com", "firstName": "Gina"}


@pytest.fixture
def group(db: None) -> Group:
    return Group.objects.create(name="guests", friendly_name="Guests")


@pytest.fixture
def token(script: Script, group: Group) -> dict:
    return script.make(
        "/api/signup-tokens", {"ttl": "1h", "usageLimit": 1, "userGroupIds": [str(group.pk), "nobody"]}
    ).json()


def test_a_token_is_as_it_was_asked_for(script: Script, token: dict, group: Group) -> None:
    assert token.keys() == {"id", "token", "expiresAt", "usageLimit", "usageCount", "userGroups", "createdAt"}
    assert (len(token["token"]), token["usageLimit"], token["usageCount"]) == (16, 1, 0)
    assert [each["id"] for each in token["userGroups"]] == [str(group.pk)]
    assert datetime.fromisoformat(token["expiresAt"]) - datetime.fromisoformat(token["createdAt"]) == timedelta(hours=1)
    assert script.read("/api/signup-tokens").json()["data"] == [token]
    assert token["token"] not in str(SignupToken.objects.values_list())


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"ttl": "1h"}, [("usageLimit", "required")]),
        ({"usageLimit": 101}, [("usageLimit", "too_long")]),
        ({"usageLimit": 0}, [("usageLimit", "too_short")]),
        ({"usageLimit": 1, "ttl": "745h"}, [("ttl", "ttl")]),
    ],
)
def test_what_a_token_may_be(script: Script, body: dict, fields: list) -> None:
    assert wrong_fields(script.make("/api/signup-tokens", body)) == fields


def test_somebody_with_a_token_signs_up_and_is_signed_in(stranger: Script, token: dict, group: Group) -> None:
    answer = stranger.make("/api/signup", GINA | {"token": token["token"]})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["displayName"], made["isAdmin"], made["emailVerified"]) == ("Gina", False, False)
    assert [each["id"] for each in made["userGroups"]] == [str(group.pk)]
    assert settings.SESSION_COOKIE_NAME in answer.cookies
    assert Session.objects.get(user__username="gina").methods == ()
    assert Entry.objects.get(event="ACCOUNT_CREATED", username="gina").data["signupToken"] == token["token"][:4] + "…"
    assert refusal(
        Script().make("/api/signup", {"username": "hank", "email": "h@example.com", "token": token["token"]})
    ) == (401, "token_invalid_or_expired")


def test_a_sign_up_that_fails_gives_the_use_back(stranger: Script, token: dict) -> None:
    User.objects.create(username="gina")
    assert refusal(stranger.make("/api/signup", GINA | {"token": token["token"]})) == (409, "already_in_use")
    assert stranger.make("/api/signup", GINA | {"username": "other", "token": token["token"]}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_no_more_people_than_the_token_is_for() -> None:
    token = signup.create_token(usage_limit=2).token
    outcomes: list[str] = []

    def sign_up(number: int) -> None:
        try:
            signup.sign_up({"username": f"user{number}", "email": None}, token=token)
            outcomes.append("made")
        except AppError as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=sign_up, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "made", *["token_invalid_or_expired"] * 4]
    assert User.objects.count() == 2


def test_expired_tokens_are_neither_listed_nor_taken(script: Script, stranger: Script, token: dict) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert script.read("/api/signup-tokens").json()["data"] == []
        assert refusal(stranger.make("/api/signup", GINA | {"token": token["token"]})) == (
            401,
            "token_invalid_or_expired",
        )
        assert cleanup.delete_expired() >= 1


def test_deleting_a_token_is_done_also_when_it_is_gone(script: Script, token: dict) -> None:
    for token_id in (token["id"], token["id"], "xyz"):
        assert script.remove(f"/api/signup-tokens/{token_id}").status_code == 204


def test_without_a_token_only_where_everybody_may(script: Script, stranger: Script, configured) -> None:
    assert refusal(stranger.make("/api/signup", GINA)) == (403, "open_signup_disabled")
    configured(allow_user_signups="open", emails_verified=True)
    made = stranger.make("/api/signup", GINA | {"isAdmin": True, "id": "11111111-2222-4333-8444-555555555555"}).json()
    assert (made["isAdmin"], made["emailVerified"]) == (False, True)
    assert made["id"] != "11111111-2222-4333-8444-555555555555"
    assert wrong_fields(stranger.make("/api/signup", {"username": "x"})) == [("email", "required")]
    assert wrong_fields(stranger.make("/api/signup", {"email": "x"})) == [
        ("username", "required"),
        ("email", "invalid_format"),
    ]


@pytest.mark.parametrize(("ttl", "status"), [(1, 400), (1.0000000000000002, 201), (2678400, 201), (2678400.5, 400)])
def test_a_lifetime_is_more_than_a_second_and_at_most_31_days(script, ttl, status):
    assert script.make("/api/signup-tokens", {"ttl": ttl, "usageLimit": 1.0}).status_code == status
