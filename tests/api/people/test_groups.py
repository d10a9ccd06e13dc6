"""Groups and custom claims over REST (contract sections 5.2 and 5.3)."""

import pytest

from accounts.models import Group
from accounts.signals import membership_changed
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields

pytestmark = pytest.mark.postgres

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def staff(script: Script) -> dict:
    return script.make("/api/user-groups", {"name": "staff", "friendlyName": "Staff"}).json()


def test_a_group_is_made_read_changed_and_deleted(script: Script, staff: dict) -> None:
    assert staff.keys() == {
        "id",
        "friendlyName",
        "name",
        "customClaims",
        "ldapId",
        "createdAt",
        "users",
        "allowedOidcClients",
    }
    path = f"/api/user-groups/{staff['id']}"
    assert script.read(path).json() == staff
    assert script.change(path, {"name": "crew", "friendlyName": "Crew"}).json() == staff | {
        "name": "crew",
        "friendlyName": "Crew",
    }
    assert script.remove(path).status_code == 204
    for answer in (
        script.read(path),
        script.remove(path),
        script.change(path, {"name": "crew", "friendlyName": "Crew"}),
    ):
        assert refusal(answer) == (404, "not_found")
        assert answer.json()["details"] == {"resource": "User group"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, [("friendlyName", "required"), ("name", "required")]),
        ({"friendlyName": "x", "name": "y"}, [("friendlyName", "too_short"), ("name", "too_short")]),
        ({"friendlyName": "x" * 51, "name": "y" * 256}, [("friendlyName", "too_long"), ("name", "too_long")]),
    ],
)
def test_what_is_wrong_is_named(script: Script, body: dict, fields: list) -> None:
    assert wrong_fields(script.make("/api/user-groups", body)) == fields


def test_a_name_is_used_once(script: Script, staff: dict) -> None:
    answer = script.make("/api/user-groups", {"name": "staff", "friendlyName": "Again"})
    assert (refusal(answer), answer.json()["error"]) == ((409, "already_in_use"), "Name is already in use")
    other = script.make("/api/user-groups", {"name": "other", "friendlyName": "Other"}).json()
    assert refusal(script.change(f"/api/user-groups/{other['id']}", {"name": "staff", "friendlyName": "Other"})) == (
        409,
        "already_in_use",
    )


def test_only_the_name_is_searched(script: Script, staff: dict) -> None:
    script.change(f"/api/user-groups/{staff['id']}", {"name": "staff", "friendlyName": "Colleagues"})
    assert script.read("/api/user-groups?search=sta").json()["pagination"]["totalItems"] == 1
    assert script.read("/api/user-groups?search=Colle").json()["pagination"]["totalItems"] == 0


def test_members_are_the_whole_list_and_unknown_ids_are_dropped(
    script: Script, staff: dict, person: Person, admin: Person
) -> None:
    told: list[list] = []
    membership_changed.connect(lambda sender, users, **_: told.append(users), weak=False, dispatch_uid="test")
    try:
        path = f"/api/user-groups/{staff['id']}/users"
        answer = script.change(path, {"userIds": [person.subject, admin.subject, NOBODY, "xyz"]}).json()
        assert {each["id"] for each in answer["users"]} == {person.subject, admin.subject}
        assert script.change(path, {"userIds": [person.subject]}).json()["users"][0]["id"] == person.subject
        assert told == [sorted([person.user.pk, admin.user.pk]), [admin.user.pk]]
    finally:
        membership_changed.disconnect(dispatch_uid="test")
    assert script.change(path, {"userIds": []}).json()["users"] == []
    assert script.change(path, {"userIds": None}).json()["users"] == []
    assert wrong_fields(script.change(path, {})) == [("userIds", "required")]
    assert refusal(script.change(path, {"userIds": ["a", 7]})) == (400, "invalid_request_body")


def test_the_groups_of_a_person_are_the_whole_list(script: Script, staff: dict, person: Person) -> None:
    path = f"/api/users/{person.subject}/user-groups"
    answer = script.change(path, {"userGroupIds": [staff["id"], NOBODY]}).json()
    assert (answer["id"], [each["id"] for each in answer["userGroups"]]) == (person.subject, [staff["id"]])
    (group,) = script.read(f"/api/users/{person.subject}/groups").json()
    assert (group["id"], group["users"], group["allowedOidcClients"]) == (staff["id"], [], [])
    assert script.change(path, {"userGroupIds": []}).json()["userGroups"] == []
    assert wrong_fields(script.change(path, {})) == [("userGroupIds", "required")]


# Custom claims

CLAIMS = [{"key": "https://example.com/a b", "value": '{"n": [ 1 ]}'}, {"key": "tags", "value": "ë'"}]


@pytest.mark.parametrize("owner", ["user", "user-group"])
def test_claims_are_replaced_and_come_back_byte_for_byte(
    script: Script, staff: dict, person: Person, owner: str
) -> None:
    owner_id = person.subject if owner == "user" else staff["id"]
    path = f"/api/custom-claims/{owner}/{owner_id}"
    assert script.change(path, CLAIMS).json() == CLAIMS
    read_back = script.read(f"/api/users/{owner_id}" if owner == "user" else f"/api/user-groups/{owner_id}")
    assert read_back.json()["customClaims"] == CLAIMS
    assert script.change(path, CLAIMS[1:]).json() == CLAIMS[1:]
    assert script.change(path, []).json() == []


def test_claims_that_would_pass_for_ours_are_refused(script: Script, person: Person) -> None:
    path = f"/api/custom-claims/user/{person.subject}"
    script.change(path, CLAIMS)
    for key in ("sub", "acr", "exp", "email_verified", "groups"):
        answer = script.change(path, [{"key": key, "value": "x"}])
        assert (refusal(answer), answer.json()["details"]["key"]) == ((400, "reserved_claim"), key)
    answer = script.change(path, [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}])
    assert (refusal(answer), answer.json()["error"]) == ((400, "duplicate_claim"), "Claim a is already defined")
    assert script.read(f"/api/users/{person.subject}").json()["customClaims"] == CLAIMS


def test_a_claim_needs_both_halves(script: Script, person: Person) -> None:
    path = f"/api/custom-claims/user/{person.subject}"
    assert wrong_fields(script.change(path, [{"key": "a", "value": ""}])) == [("value", "required")]
    assert wrong_fields(script.change(path, [{"key": "a", "value": "1"}, {"value": "1"}])) == [("key", "required")]
    assert refusal(script.change(path, {"key": "a"})) == (400, "invalid_request_body")
    assert refusal(script.change(path, ["a"])) == (400, "invalid_request_body")
    assert refusal(script.change(f"/api/custom-claims/user/{NOBODY}", [])) == (404, "user_not_found")
    assert script.change(f"/api/custom-claims/user-group/{NOBODY}", []).json()["details"] == {"resource": "User group"}


def test_suggestions_name_the_most_used_first(script: Script, person: Person, admin: Person) -> None:
    script.change(f"/api/custom-claims/user/{person.subject}", [{"key": "b", "value": "1"}, {"key": "a", "value": "1"}])
    script.change(f"/api/custom-claims/user/{admin.subject}", [{"key": "b", "value": "1"}])
    assert script.read("/api/custom-claims/suggestions").json() == ["b", "a"]


def test_a_group_takes_its_claims_and_memberships_along(script: Script, staff: dict, person: Person) -> None:
    script.change(f"/api/user-groups/{staff['id']}/users", {"userIds": [person.subject]})
    script.change(f"/api/custom-claims/user-group/{staff['id']}", CLAIMS)
    assert script.remove(f"/api/user-groups/{staff['id']}").status_code == 204
    assert not Group.objects.exists()
    assert script.read(f"/api/users/{person.subject}").json()["userGroups"] == []
