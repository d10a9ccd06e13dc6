"""People over REST (contract section 5.1)."""

import threading
import uuid

import pytest
from django.db import connection

from accounts.models import Group, RetiredId, Session, User
from audit.models import Entry
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields

pytestmark = pytest.mark.postgres

BOB = {
    "username": "bob.b",
    "email": "bob@example.com",
    "firstName": "Bób",
    "lastName": "O'Neill",
    "displayName": "Bób O'Neill",
}
NOBODY = "00000000-0000-4000-8000-000000000000"
MEMBERS = {
    "id",
    "username",
    "email",
    "emailVerified",
    "firstName",
    "lastName",
    "displayName",
    "isAdmin",
    "locale",
    "customClaims",
    "userGroups",
    "ldapId",
    "disabled",
}


def test_a_new_person_is_answered_as_sent(script: Script) -> None:
    answer = script.make("/api/users", BOB | {"emailVerified": True, "locale": "de", "colour": "ignored"})
    assert answer.status_code == 201
    made = answer.json()
    assert made.keys() == MEMBERS
    assert {name: made[name] for name in BOB} == BOB
    assert (made["emailVerified"], made["locale"], made["isAdmin"], made["disabled"], made["ldapId"]) == (
        True,
        "de",
        False,
        False,
        None,
    )
    assert script.read(f"/api/users/{made['id']}").json() == made
    assert Entry.objects.filter(event="ACCOUNT_CREATED", actor_username="alice", username="bob.b").exists()


def test_a_change_replaces_everything(script: Script) -> None:
    made = script.make("/api/users", BOB | {"locale": "de", "emailVerified": True}).json()
    changed = script.change(f"/api/users/{made['id']}", {"username": "bob.b", "email": "bob@example.com"}).json()
    assert changed == made | {
        "firstName": "",
        "lastName": "",
        "displayName": "",
        "locale": None,
        "emailVerified": False,
    }


def test_groups_and_claims_survive_a_change(script: Script) -> None:
    group = script.make("/api/user-groups", {"name": "staff", "friendlyName": "Staff"}).json()
    made = script.make("/api/users", BOB | {"userGroupIds": [group["id"], NOBODY]}).json()
    script.change(f"/api/custom-claims/user/{made['id']}", [{"key": "floor", "value": "3"}])
    changed = script.change(f"/api/users/{made['id']}", BOB).json()
    assert [each["id"] for each in changed["userGroups"]] == [group["id"]]
    assert changed["customClaims"] == [{"key": "floor", "value": "3"}]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, [("username", "required")]),
        ({"username": "x"}, [("email", "required")]),
        ({"username": "x", "email": ""}, [("email", "required")]),
        ({"username": "x", "email": None}, [("email", "required")]),
        ({"username": "a b", "email": "x@example.com"}, [("username", "invalid_format")]),
        ({"username": "-a", "email": "x@example.com"}, [("username", "invalid_format")]),
        ({"username": "x", "email": "x"}, [("email", "invalid_format")]),
        ({"username": "x", "email": "x@example.com", "id": "nope"}, [("id", "uuid")]),
        (
            {"username": "u" * 51, "email": "x@example.com", "firstName": "x" * 51, "displayName": "x" * 101},
            [("username", "too_long"), ("firstName", "too_long"), ("displayName", "too_long")],
        ),
    ],
)
def test_what_is_wrong_is_named(script: Script, body: dict, fields: list) -> None:
    assert wrong_fields(script.make("/api/users", body)) == fields


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "7",
        '{"username": 7}',
        '{"username": "x", "isAdmin": "yes"}',
        "null",
        '{"username": NaN}',
        '{"username": "\\u0000"}',
        '{"username": "\\ud800"}',
        "[" * 5000,
    ],
)
def test_what_cannot_be_read_is_said_to_be_unreadable(script: Script, body: str) -> None:
    assert refusal(script.call("POST", "/api/users", data=body, content_type="application/json")) == (
        400,
        "invalid_request_body",
    )


def test_only_json_is_read(script: Script) -> None:
    assert refusal(script.call("POST", "/api/users", data="{}", content_type="text/plain")) == (
        400,
        "invalid_request_body",
    )
    assert refusal(script.call("POST", "/api/users")) == (400, "invalid_request_body")
    assert wrong_fields(
        script.call("POST", "/api/users", data="{}", content_type="application/scim+json; charset=utf-8")
    ) == [("username", "required")]


def test_names_are_normalised_before_they_are_compared(script: Script) -> None:
    made = script.make("/api/users", BOB | {"firstName": "Bo\u0301b"}).json()
    assert made["firstName"] == "Bób"


def test_usernames_and_addresses_are_unique_whatever_their_case(script: Script) -> None:
    script.make("/api/users", BOB)
    for body, label in (
        ({"username": "BOB.B", "email": "x@example.com"}, "username"),
        ({"username": "x", "email": "Bob@Example.com"}, "email"),
    ):
        answer = script.make("/api/users", body)
        assert refusal(answer) == (409, "already_in_use")
        assert answer.json()["details"] == {"property": label}
        assert answer.json()["error"] == f"{label.title()} is already in use"


def test_an_address_can_be_left_out_where_the_settings_allow_it(script: Script, configured) -> None:
    configured(require_user_email=False)
    assert script.make("/api/users", {"username": "one"}).json()["email"] is None
    assert script.make("/api/users", {"username": "two", "email": ""}).json()["email"] is None


def test_an_id_of_ones_own_choice_and_never_that_of_somebody_else(script: Script) -> None:
    own = "11111111-2222-4333-8444-555555555555"
    assert script.make("/api/users", BOB | {"id": own}).json()["id"] == own
    assert script.make("/api/users", {"id": own, "username": "x", "email": "x@example.com"}).json()["details"] == {
        "property": "id"
    }
    script.remove(f"/api/users/{own}")
    assert RetiredId.objects.filter(pk=own).exists()
    assert refusal(script.make("/api/users", {"id": own, "username": "eve", "email": "eve@example.com"})) == (
        409,
        "already_in_use",
    )
    assert script.make("/api/users", BOB | {"id": own}).status_code == 201  # the same person, declared again


@pytest.mark.parametrize("user_id", [NOBODY, "xyz", "~eHl6", "%00", "x" * 300])
def test_whoever_is_not_there_is_not_found(script: Script, user_id: str) -> None:
    for answer in (
        script.read(f"/api/users/{user_id}"),
        script.change(f"/api/users/{user_id}", BOB),
        script.remove(f"/api/users/{user_id}"),
        script.change(f"/api/users/{user_id}/user-groups", {"userGroupIds": []}),
    ):
        assert refusal(answer) == (404, "user_not_found")


def test_new_people_get_what_the_settings_say(script: Script, configured) -> None:
    group = Group.objects.create(name="everybody", friendly_name="Everybody")
    configured(
        signup_default_user_group_ids=f'["{group.pk}", "{NOBODY}", "x"]',
        signup_default_custom_claims='[{"key": "a", "value": "b"}]',
    )
    made = script.make("/api/users", BOB).json()
    assert [each["name"] for each in made["userGroups"]] == ["everybody"]
    assert made["customClaims"] == [{"key": "a", "value": "b"}]


def test_the_number_of_people_in_a_group_is_right_wherever_it_is_shown(
    script: Script, person: Person, admin: Person
) -> None:
    group = script.make("/api/user-groups", {"name": "staff", "friendlyName": "Staff"}).json()
    script.change(f"/api/user-groups/{group['id']}/users", {"userIds": [person.subject, admin.subject]})
    assert script.read(f"/api/users/{person.subject}").json()["userGroups"][0]["userCount"] == 2
    assert script.read("/api/user-groups").json()["data"][0]["userCount"] == 2


# The last administrator


def test_the_last_administrator_cannot_be_deleted_demoted_or_disabled(script: Script, admin: Person) -> None:
    path = f"/api/users/{admin.subject}"
    body = {"username": "alice", "email": "alice@example.org", "isAdmin": True}
    assert refusal(script.remove(path)) == (409, "last_administrator")
    assert refusal(script.change(path, body | {"isAdmin": False})) == (409, "last_administrator")
    assert refusal(script.change(path, body | {"disabled": True})) == (409, "last_administrator")
    assert User.objects.get(pk=admin.user.pk).is_staff
    script.make("/api/users", BOB | {"isAdmin": True})
    assert script.change(path, body | {"isAdmin": False}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_administrators_who_delete_each_other_at_once_one_stays() -> None:
    from accounts import lifecycle
    from core.errors import AppError

    both = [User.objects.create(username=name, is_admin=True) for name in ("one", "two")]
    outcomes: list[str] = []

    def delete(user: User) -> None:
        try:
            lifecycle.delete(user)
            outcomes.append("deleted")
        except AppError as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=delete, args=(user,)) for user in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["deleted", "last_administrator"]
    assert User.objects.filter(is_admin=True).count() == 1


@pytest.mark.spec("attacks.md", "D26")
def test_whoever_is_disabled_is_signed_out_at_once(script: Script, person: Person, browser: Browser) -> None:
    browser.sign_in(person)
    assert browser.get("/api/users/me").status_code == 200
    script.change(f"/api/users/{person.subject}", {"username": "bob", "email": "bob@example.org", "disabled": True})
    assert not Session.objects.filter(user=person.user).exists()
    assert browser.get("/api/users/me").status_code == 401
    assert refusal(Script(person.user).read("/api/users/me")) == (403, "user_disabled")


# One's own account


@pytest.mark.spec("attacks.md", "D20")
def test_people_change_their_names_and_not_their_rights(person: Person) -> None:
    own = Script(person.user)
    body = {
        "username": "bob",
        "email": "new@example.org",
        "firstName": "Robert",
        "isAdmin": True,
        "disabled": True,
        "emailVerified": True,
    }
    changed = own.change("/api/users/me", body).json()
    assert (changed["firstName"], changed["email"]) == ("Robert", "new@example.org")
    assert (changed["isAdmin"], changed["disabled"], changed["emailVerified"]) == (False, False, False)


def test_only_the_language_changes_where_the_settings_say_so(person: Person, configured) -> None:
    configured(allow_own_account_edit=False)
    changed = (
        Script(person.user).change("/api/users/me", {"username": "x", "email": "x@example.org", "locale": "fr"}).json()
    )
    assert (changed["username"], changed["email"], changed["locale"]) == ("bob", "bob@example.org", "fr")


def test_people_see_themselves_and_nobody_else(person: Person, admin: Person) -> None:
    own = Script(person.user)
    assert own.read("/api/users/me").json()["username"] == "bob"
    for path in (
        "/api/users",
        f"/api/users/{admin.subject}",
        "/api/user-groups",
        "/api/signup-tokens",
        "/api/audit-logs/all",
        "/api/application-configuration/all",
        "/api/custom-claims/suggestions",
    ):
        assert refusal(own.read(path)) == (403, "forbidden")


def test_strangers_are_told_to_sign_in_and_wrong_methods_that_there_is_nothing(stranger: Script) -> None:
    assert refusal(stranger.read("/api/users")) == (401, "not_signed_in")
    for method in ("DELETE", "PATCH", "OPTIONS"):
        answer = stranger.call(method, "/api/users")
        assert (answer.status_code, answer.json()) == (404, {"error": "API endpoint not found"})


# Passkeys of a person


def test_an_administrator_sees_and_removes_passkeys_of_others(script: Script, person: Person, admin: Person) -> None:
    (shown,) = script.read(f"/api/users/{person.subject}/webauthn-credentials").json()
    assert {"id", "name", "createdAt", "backupEligible", "backupState", "transport", "aaguid"} <= shown.keys()
    wrong = f"/api/users/{admin.subject}/webauthn-credentials/{shown['id']}"
    assert script.remove(wrong).json()["details"] == {"resource": "Passkey"}
    path = f"/api/users/{person.subject}/webauthn-credentials/{shown['id']}"
    assert script.remove(path).status_code == 204
    assert refusal(script.remove(path)) == (404, "not_found")
    entry = Entry.objects.get(event="PASSKEY_REMOVED")
    assert (entry.username, entry.actor_username, entry.data["actorUserID"]) == ("bob", "alice", admin.subject)


def test_an_unknown_passkey_of_nobody_is_still_nobodys(script: Script) -> None:
    assert refusal(script.remove(f"/api/users/{NOBODY}/webauthn-credentials/{uuid.uuid4()}")) == (404, "user_not_found")


def test_a_changed_address_and_changed_groups_are_in_the_audit_log(script: Script, person: Person) -> None:
    Script(person.user).change("/api/users/me", {"username": "bob", "email": "robert@example.org"})
    group = script.make("/api/user-groups", {"name": "staff", "friendlyName": "Staff"}).json()["id"]
    script.change(f"/api/users/{person.subject}/user-groups", {"userGroupIds": [group]})
    own, theirs = Entry.objects.filter(event="ACCOUNT_CHANGED").order_by("pk")
    assert (own.username, own.actor_username, "email" in own.data["fields"]) == ("bob", "", True)
    assert (theirs.username, theirs.actor_username, theirs.data) == ("bob", "alice", {"fields": "groups"})
