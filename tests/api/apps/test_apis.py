"""APIs, their permissions, and which client may have what (contract section 4.5)."""

from typing import Any

import pytest

from oidc import api_access
from oidc.models import ApiAccess, Client
from tests.api.apps.rest import NOBODY, Rest

pytestmark = pytest.mark.postgres

GRANT = {"userDelegatedAccess", "clientAccess", "userDelegatedPermissionIds", "clientPermissionIds"}
NOTHING = {
    "userDelegatedAccess": False,
    "clientAccess": False,
    "userDelegatedPermissionIds": [],
    "clientPermissionIds": [],
}


def ids(api: dict[str, Any]) -> dict[str, str]:
    return {permission["key"]: permission["id"] for permission in api["permissions"]}


def test_an_api_is_made_read_renamed_and_removed(rest: Rest) -> None:
    made = rest.post("/apis", {"name": "Orders", "resource": "https://orders.example.com/"})
    assert made.status == 201
    assert made.json.keys() == {"id", "name", "resource", "createdAt", "permissions", "allowCimdClients"}
    assert (made.json["resource"], made.json["permissions"], made.json["allowCimdClients"]) == (
        "https://orders.example.com",
        [],
        False,
    )
    path = f"/apis/{made.json['id']}"
    assert rest.get(path).json == made.json
    renamed = rest.put(path, {"name": "Orders API", "resource": "https://other.example.com"})
    assert renamed.json == made.json | {"name": "Orders API"}
    assert rest.delete(path).status == 204
    assert rest.get(path).json["details"] == {"resource": "API"}


def test_an_address_names_one_api(rest: Rest) -> None:
    rest.api()
    answer = rest.post("/apis", {"name": "Again", "resource": "https://orders.example.com/"})
    assert (answer.status, answer.json["code"], answer.json["details"]) == (
        409,
        "already_in_use",
        {"property": "resource"},
    )
    assert answer.json["error"] == "Resource is already in use"


@pytest.mark.parametrize("resource", ["urn:example:other", "api://PocketID", "https://a.example.com/path?x=1"])
def test_an_address_may_be_any_absolute_uri(rest: Rest, resource: str) -> None:
    assert rest.post("/apis", {"name": "x", "resource": resource}).json["resource"] == resource


@pytest.mark.spec("RFC 8707", "2")
@pytest.mark.parametrize(
    "resource",
    [
        "orders",
        "/orders",
        "https://a.example.com/#x",
        "https://a example.com",
        "javascript:alert(1)",
        "data:text/plain,x",
        "https:",
        "https://a.example.com/\u001fopenid",
        "x" * 351,
        "https://a.example.com/" + "x" * 350,
        "http://localhost:1411",
        "http://localhost:1411/",
        "///",
    ],
)
def test_an_address_that_cannot_be_an_audience_is_refused(rest: Rest, resource: str) -> None:
    answer = rest.post("/apis", {"name": "Bad", "resource": resource})
    assert (answer.status, answer.fields) == (400, [("resource", "invalid_format")])


def test_missing_fields_are_all_named(rest: Rest) -> None:
    answer = rest.post("/apis", {})
    assert answer.fields == [("name", "required"), ("resource", "required")]
    assert answer.json["error"] == "Name is required, resource is required"


def test_permissions_are_matched_by_key(rest: Rest) -> None:
    api, client = rest.api(keys=("read", "write", "admin")), rest.client()
    before = ids(api)
    rest.put(f"/apis/{api['id']}/clients/{client['id']}", {"userDelegatedPermissionIds": list(before.values())})
    wanted = [
        {"key": "new", "name": "New"},
        {"key": "write", "name": "Renamed", "description": "Changed"},
        {"key": "read", "name": "Read"},
    ]
    answer = rest.put(f"/apis/{api['id']}/permissions", {"permissions": wanted})
    assert answer.status == 200
    assert [permission["key"] for permission in answer.json["permissions"]] == ["new", "write", "read"]
    assert rest.get(f"/apis/{api['id']}").json == answer.json
    after = ids(answer.json)
    assert (after["read"], after["write"]) == (before["read"], before["write"])
    assert [permission.get("description") for permission in answer.json["permissions"]] == [None, "Changed", None]
    granted = rest.get(f"/api-access/{client['id']}/apis").json[0]["userDelegatedPermissionIds"]
    assert granted == sorted([before["read"], before["write"]])


@pytest.mark.parametrize(
    ("permissions", "field", "code"),
    [
        ([{"key": "openid", "name": "x"}], "permissions[0].key", "reserved"),
        ([{"key": "ok", "name": "x"}, {"key": "offline_access", "name": "x"}], "permissions[1].key", "reserved"),
        ([{"key": "a b", "name": "x"}], "permissions[0].key", "invalid_format"),
        ([{"key": 'a"b', "name": "x"}], "permissions[0].key", "invalid_format"),
        ([{"key": "ä", "name": "x"}], "permissions[0].key", "invalid_format"),
        ([{"key": "a\u001fb", "name": "x"}], "permissions[0].key", "invalid_format"),
        ([{"key": "x" * 129, "name": "x"}], "permissions[0].key", "too_long"),
        ([{"key": "a"}], "permissions[0].name", "required"),
        ([{"key": "a", "name": "x" * 51}], "permissions[0].name", "too_long"),
        ([{"key": "a", "name": "x", "description": "x" * 201}], "permissions[0].description", "too_long"),
        (
            [{"key": "a", "name": "x"}, {"key": "b", "name": "x"}, {"key": "a", "name": "y"}],
            "permissions[2].key",
            "duplicate",
        ),
    ],
)
def test_a_permission_that_cannot_be_a_scope_is_refused_by_its_place(
    rest: Rest, permissions: list[Any], field: str, code: str
) -> None:
    api = rest.api()
    answer = rest.put(f"/apis/{api['id']}/permissions", {"permissions": permissions})
    assert (answer.status, answer.fields) == (400, [(field, code)])
    assert rest.get(f"/apis/{api['id']}").json == api


def test_permissions_must_be_a_list(rest: Rest) -> None:
    api = rest.api()
    path = f"/apis/{api['id']}/permissions"
    assert rest.put(path, {}).fields == [("permissions", "required")]
    for wrong in ({}, "x", [1]):
        assert rest.put(path, {"permissions": wrong}).json["code"] == "invalid_request_body"
    assert rest.put(path, {"permissions": []}).json["permissions"] == []


def test_metadata_clients_get_the_permissions_that_are_listed(rest: Rest) -> None:
    api = rest.api()
    answer = rest.put(
        f"/apis/{api['id']}/cimd-access", {"enabled": True, "permissionIds": [ids(api)["read"], NOBODY, "x"]}
    )
    assert answer.json["allowCimdClients"] is True
    assert [permission["allowedForCimdClients"] for permission in answer.json["permissions"]] == [True, False]
    answer = rest.put(f"/apis/{api['id']}/cimd-access", {"enabled": False, "permissionIds": []})
    assert answer.json == api


def test_apis_are_searched_and_sorted(rest: Rest) -> None:
    rest.api("beta", "https://one.example.com")
    rest.api("Alpha", "urn:example:two")
    found = lambda query: [api["name"] for api in rest.get(f"/apis?{query}").json["data"]]  # noqa: E731
    assert found("") == ["beta", "Alpha"]
    assert found("sort[column]=name") == ["Alpha", "beta"]
    assert (
        found("sort[column]=resource&sort[direction]=desc")
        == found("sort[column]=audience&sort[direction]=desc")
        == ["Alpha", "beta"]
    )
    assert found("search=URN:") == ["Alpha"]
    assert found("search=bet") == ["beta"]


# Access


def test_a_grant_is_seen_from_both_ends(rest: Rest) -> None:
    api, client = rest.api(), rest.client()
    read, write = ids(api)["read"], ids(api)["write"]
    sent = {
        "userDelegatedAccess": True,
        "clientAccess": True,
        "userDelegatedPermissionIds": [read],
        "clientPermissionIds": [write, read],
    }
    answer = rest.put(f"/apis/{api['id']}/clients/{client['id']}", sent)
    assert answer.status == 200
    expected = sent | {"clientPermissionIds": sorted([read, write])}
    assert answer.json == expected
    metadata = {"cimdGrantedAccess": False, "cimdGrantedPermissionIds": []}
    assert rest.get(f"/api-access/{client['id']}/apis").json == [{"api": api} | expected | metadata]
    brief = {name: client[name] for name in ("id", "name", "clientType", "isPublic", "hasLogo", "hasDarkLogo")}
    page = rest.get(f"/apis/{api['id']}/clients?sort[column]=name").json
    assert page["data"] == [{"client": brief} | expected | metadata]
    assert page["pagination"]["totalItems"] == 1


def test_what_has_access_can_not_be_assigned_again(rest: Rest) -> None:
    orders, other = rest.api(), rest.api("Other", "urn:other")
    wiki, chat = rest.client(name="Wiki"), rest.client(name="Chat")
    rest.put(f"/apis/{orders['id']}/clients/{wiki['id']}", NOTHING | {"userDelegatedAccess": True})
    assignable = rest.get(f"/apis/{orders['id']}/assignable-clients").json["data"]
    assert [client["id"] for client in assignable] == [chat["id"]]
    assert assignable[0].keys() == {"id", "name", "clientType", "isPublic", "hasLogo", "hasDarkLogo"}
    assert [api["id"] for api in rest.get(f"/api-access/{wiki['id']}/assignable-apis").json["data"]] == [other["id"]]
    assert len(rest.get(f"/api-access/{chat['id']}/assignable-apis").json["data"]) == 2
    assert rest.get(f"/apis/{orders['id']}/assignable-clients?search=wiki").json["data"] == []


def test_a_permission_implies_access_and_the_last_one_takes_it_along(rest: Rest) -> None:
    api, client = rest.api(), rest.client()
    path = f"/apis/{api['id']}/clients/{client['id']}"
    implied = rest.put(path, {"userDelegatedPermissionIds": [ids(api)["read"]]}).json
    assert (implied["userDelegatedAccess"], implied["clientAccess"]) == (True, False)
    rest.put(f"/apis/{api['id']}/permissions", {"permissions": [{"key": "write", "name": "Write"}]})
    assert rest.get(f"/api-access/{client['id']}/apis").json == []
    assert rest.get(f"/apis/{api['id']}/clients").json["data"] == []
    rest.put(path, NOTHING | {"clientAccess": True})
    assert rest.get(f"/api-access/{client['id']}/apis").json[0]["clientAccess"] is True
    assert rest.put(path, {}).json == NOTHING
    assert not ApiAccess.objects.exists()


def test_a_public_client_gets_nothing_for_itself(rest: Rest) -> None:
    api, client = rest.api(), rest.client(isPublic=True)
    read = ids(api)["read"]
    answer = rest.put(
        f"/apis/{api['id']}/clients/{client['id']}",
        {
            "userDelegatedAccess": True,
            "clientAccess": True,
            "userDelegatedPermissionIds": [read],
            "clientPermissionIds": [read],
        },
    )
    assert answer.json == {
        "userDelegatedAccess": True,
        "clientAccess": False,
        "userDelegatedPermissionIds": [read],
        "clientPermissionIds": [],
    }


def test_permissions_of_other_apis_are_left_out(rest: Rest) -> None:
    api, other, client = rest.api(), rest.api("Other", "urn:other"), rest.client()
    sent = {
        "userDelegatedPermissionIds": [ids(other)["read"], NOBODY, "x", ids(api)["read"]],
        "clientPermissionIds": None,
    }
    answer = rest.put(f"/apis/{api['id']}/clients/{client['id']}", sent).json
    assert answer.keys() == GRANT
    assert answer["userDelegatedPermissionIds"] == [ids(api)["read"]]


def test_access_ends_when_it_is_taken_away_or_either_end_is_deleted(rest: Rest) -> None:
    api, client = rest.api(), rest.client()
    path = f"/apis/{api['id']}/clients/{client['id']}"
    rest.put(path, NOTHING | {"userDelegatedAccess": True})
    assert rest.delete(path).status == rest.delete(path).status == 204
    assert rest.get(f"/api-access/{client['id']}/apis").json == []
    rest.put(path, {"clientPermissionIds": [ids(api)["read"]]})
    rest.delete(f"/apis/{api['id']}")
    assert not ApiAccess.objects.exists()
    again = rest.api()
    rest.put(f"/apis/{again['id']}/clients/{client['id']}", NOTHING | {"clientAccess": True})
    rest.delete(f"/oidc/clients/{client['id']}")
    assert not ApiAccess.objects.exists()


def test_both_ends_must_be_there(rest: Rest) -> None:
    api, client = rest.api(), rest.client()
    for method in ("PUT", "DELETE"):
        assert rest(method, f"/apis/{api['id']}/clients/{NOBODY}", {}).json["details"] == {"resource": "OIDC client"}
        assert rest(method, f"/apis/{NOBODY}/clients/{client['id']}", {}).json["details"] == {"resource": "API"}
    for path in (f"/apis/{NOBODY}", "/apis/no-id", f"/apis/{NOBODY}/clients", f"/apis/{NOBODY}/assignable-clients"):
        assert rest.get(path).json["details"] == {"resource": "API"}
    for path in (f"/api-access/{NOBODY}/apis", f"/api-access/{NOBODY}/assignable-apis"):
        assert rest.get(path).json["details"] == {"resource": "OIDC client"}


def test_what_a_client_may_ask_for_is_one_question(rest: Rest) -> None:
    api, made = rest.api(), rest.client()
    client, user, own = Client.objects.get(client_id=made["id"]), ApiAccess.Subject.USER, ApiAccess.Subject.CLIENT
    audience = "https://orders.example.com"
    assert api_access.permitted(client, audience, user) is None
    rest.put(
        f"/apis/{api['id']}/clients/{made['id']}",
        {"userDelegatedPermissionIds": [ids(api)["read"]], "clientAccess": True},
    )
    assert api_access.permitted(client, audience, user) == {"read"}
    assert api_access.permitted(client, audience, own) == frozenset()
    assert api_access.permitted(client, "https://unknown.example.com", user) is None
    rest.put(f"/apis/{api['id']}/permissions", {"permissions": []})
    assert api_access.permitted(client, audience, user) is None


def test_lists_of_access_cost_the_same_however_long_they_are(rest: Rest, django_assert_max_num_queries: Any) -> None:
    api = rest.api()
    for number in range(15):
        client = rest.client(name=f"Client {number}")
        rest.put(f"/apis/{api['id']}/clients/{client['id']}", {"userDelegatedPermissionIds": list(ids(api).values())})
    with django_assert_max_num_queries(12):
        assert len(rest.get(f"/apis/{api['id']}/clients").json["data"]) == 15


def test_a_list_of_an_api_shows_nothing_of_what_its_clients_have_at_others(rest: Rest) -> None:
    api, other, client = rest.api(), rest.api("Other", "urn:other"), rest.client()
    rest.put(f"/apis/{api['id']}/clients/{client['id']}", NOTHING | {"userDelegatedAccess": True})
    rest.put(f"/apis/{other['id']}/clients/{client['id']}", {"clientPermissionIds": [ids(other)["read"]]})
    (shown,) = rest.get(f"/apis/{api['id']}/clients").json["data"]
    assert (shown["userDelegatedAccess"], shown["clientAccess"], shown["clientPermissionIds"]) == (True, False, [])
