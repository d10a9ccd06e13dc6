"""Clients over REST (contract sections 4.1 to 4.3, and what came with 2.15 to 2.18)."""

import base64
import uuid
from typing import Any

import pytest

from accounts.models import Group
from oidc.models import Client, SigningKey
from siteconfig.models import SiteConfiguration
from tests.api.apps.rest import CALLBACK, NOBODY, Rest

pytestmark = pytest.mark.postgres

META = {"id", "name", "description", "hasLogo", "hasDarkLogo", "launchURL", "requiresReauthentication", "clientType"}
WHOLE = META | {
    "callbackURLs", "logoutCallbackURLs", "isPublic", "pkceEnabled", "requiresPushedAuthorizationRequests", "skipConsent", "credentials", "isGroupRestricted",
    "accessTokenDurationMinutes", "refreshTokenDurationMinutes", "backchannelLogoutURL", "backchannelLogoutOnSessionExpiry", "claimsInIdToken", "refreshTokens", "signingAlgorithm", "idTokenDurationMinutes", "refreshTokenAbsoluteDurationMinutes", "allowedUserGroups",
}  # fmt: skip


def test_a_client_of_nothing_but_a_name_has_every_default(rest: Rest) -> None:
    answer = rest.post("/oidc/clients", {"name": "Wiki"})
    assert answer.status == 201
    made = dict(answer.json)
    secret = made.pop("createdSecret")
    assert made.keys() == WHOLE
    uuid.UUID(made.pop("id"))
    assert made.pop("credentials") == {"secrets": [{name: value for name, value in secret.items() if name != "secret"}]}
    assert made == {
        "name": "Wiki", "description": "", "hasLogo": False, "hasDarkLogo": False, "launchURL": None, "requiresReauthentication": False, "clientType": "standard",
        "callbackURLs": [], "logoutCallbackURLs": [], "isPublic": False, "pkceEnabled": False, "requiresPushedAuthorizationRequests": False, "skipConsent": False,
        "isGroupRestricted": False, "accessTokenDurationMinutes": 60, "refreshTokenDurationMinutes": 43200, "backchannelLogoutURL": "", "backchannelLogoutOnSessionExpiry": True, "claimsInIdToken": True,
        "refreshTokens": "offline_access", "signingAlgorithm": "RS256", "idTokenDurationMinutes": 60, "refreshTokenAbsoluteDurationMinutes": 0, "allowedUserGroups": [],
    }  # fmt: skip


def test_what_was_sent_comes_back_as_it_was(rest: Rest) -> None:
    sent: dict[str, Any] = {
        "id": "My.own_client-1", "name": "Bücher", "description": "All of them", "callbackURLs": ["https://b.example.com/cb", "https://a.example.com/cb", "https://*.wild.example.com/cb", "app.immich:///oauth-callback", "http://localhost:3000/cb"],
        "logoutCallbackURLs": ["https://b.example.com/out"], "launchURL": "http://app.example.com:8080/start?a=1", "backchannelLogoutURL": "http://app.internal:8080/logout?x=1", "backchannelLogoutOnSessionExpiry": False, "pkceEnabled": True, "requiresReauthentication": True,
        "requiresPushedAuthorizationRequests": True, "skipConsent": True, "isGroupRestricted": True, "accessTokenDurationMinutes": 30, "refreshTokenDurationMinutes": 600, "claimsInIdToken": False, "refreshTokens": "always", "signingAlgorithm": "EdDSA", "idTokenDurationMinutes": 5, "refreshTokenAbsoluteDurationMinutes": 5000000,
    }  # fmt: skip
    made = rest.client(**sent)
    again = rest.get("/oidc/clients/My.own_client-1")
    assert again.status == 200
    for name, value in sent.items():
        assert made[name] == value, name
        assert again.json[name] == value, name
    made.pop("createdSecret")
    assert made == again.json


def test_a_client_gets_a_secret_at_once_unless_that_is_switched_off(rest: Rest) -> None:
    assert rest.client()["createdSecret"].keys() == {
        "id",
        "prefix",
        "createdAt",
        "expiresAt",
        "lastUsedAt",
        "isActive",
        "secret",
    }
    assert "createdSecret" not in rest.client(isPublic=True)
    SiteConfiguration.objects.update(auto_create_oidc_client_secret=False)
    made = rest.client()
    assert "createdSecret" not in made
    assert made["credentials"] == {"secrets": []}


def test_a_public_client_always_needs_pkce(rest: Rest) -> None:
    assert rest.client(isPublic=True, pkceEnabled=False)["pkceEnabled"] is True


def test_the_key_that_signs_for_a_new_client_is_there(rest: Rest) -> None:
    SigningKey.objects.all().delete()
    rest.client()
    assert SigningKey.objects.filter(algorithm="RS256", state="current").exists()


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": None}, "name", "required"),
        ({"name": "x" * 51}, "name", "too_long"),
        ({"description": "x" * 151}, "description", "too_long"),
        ({"id": "a"}, "id", "too_short"),
        ({"id": "a b"}, "id", "client_id"),
        ({"id": "ä-client"}, "id", "client_id"),
        ({"id": "x" * 129}, "id", "too_long"),
        ({"launchURL": "nope"}, "launchURL", "invalid_format"),
        ({"launchURL": ""}, "launchURL", "invalid_format"),
        ({"launchURL": "javascript:alert(1)"}, "launchURL", "invalid_format"),
        ({"backchannelLogoutURL": "nope"}, "backchannelLogoutURL", "invalid_format"),
        ({"backchannelLogoutURL": "https://a.example.com/#x"}, "backchannelLogoutURL", "invalid_format"),
        ({"backchannelLogoutURL": "http://a.example.com/", "isPublic": True}, "backchannelLogoutURL", "invalid_format"),
        ({"accessTokenDurationMinutes": 525_601}, "accessTokenDurationMinutes", "token_duration"),
        ({"refreshTokenDurationMinutes": -1}, "refreshTokenDurationMinutes", "token_duration"),
        ({"refreshTokens": "sometimes"}, "refreshTokens", "oneof"),
        ({"idTokenDurationMinutes": -1}, "idTokenDurationMinutes", "token_duration"),
        ({"refreshTokenAbsoluteDurationMinutes": 10**8}, "refreshTokenAbsoluteDurationMinutes", "token_duration"),
        (
            {"credentials": {"federatedIdentities": [{"subject": "s"}]}},
            "credentials.federatedIdentities[0].issuer",
            "required",
        ),
    ],
)
def test_a_wrong_field_is_named(rest: Rest, body: dict[str, Any], field: str, code: str) -> None:
    answer = rest.post("/oidc/clients", {"name": "Wiki"} | body)
    assert answer.status == 400
    assert answer.json["code"] == "validation_failed"
    assert answer.fields == [(field, code)]
    assert not Client.objects.exists()


@pytest.mark.spec("attacks.md", "A6")
@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "/callback",
        "https://a.example.com/#x",
        "*",
        "https://*",
        "https://good@evil.example/",
        "https://a.example.com/\u00a0x",
        "https://a.example.com/\u2028",
    ],
)
def test_a_callback_that_cannot_be_used_is_refused_by_its_place(rest: Rest, address: str) -> None:
    for name in ("callbackURLs", "logoutCallbackURLs"):
        answer = rest.post("/oidc/clients", {"name": "Wiki", name: [CALLBACK, address]})
        assert answer.status == 400
        assert answer.fields == [(f"{name}[1]", "callback_url_pattern")]


@pytest.mark.parametrize("body", ["[", b"\xff", "[]", '"text"', '{"name": 3}', '{"name": "Wiki", "isPublic": "yes"}', '{"name": "Wiki", "callbackURLs": "https://a.example.com"}', '{"name": "Wiki", "callbackURLs": {}}', '{"name": "Wiki", "credentials": []}',
                                  '{"name": "Wiki", "credentials": {"federatedIdentities": {}}}', '{"name": "Wiki", "accessTokenDurationMinutes": 1.5}', '{"name": "\\u0000"}', '{"name": "\\ud800"}', "[" * 100_000])  # fmt: skip
def test_a_body_of_the_wrong_shape_is_refused_whole(rest: Rest, body: bytes | str) -> None:
    answer = rest.post("/oidc/clients", body)
    assert (answer.status, answer.json["code"]) == (400, "invalid_request_body")


def test_an_id_that_is_taken_is_a_conflict(rest: Rest) -> None:
    rest.client(id="wiki")
    answer = rest.post("/oidc/clients", {"name": "Other", "id": "wiki"})
    assert (answer.status, answer.json["code"], answer.json["error"]) == (
        409,
        "client_id_already_exists",
        "Client ID is already in use",
    )
    assert rest.client(id="Wiki")["id"] == "Wiki"  # another id: case is kept


def test_an_id_in_a_path_may_be_encoded(rest: Rest) -> None:
    rest.client(id="own-client.id_1")
    encoded = base64.urlsafe_b64encode(b"own-client.id_1").decode().rstrip("=")
    assert rest.get(f"/oidc/clients/~{encoded}").json["id"] == "own-client.id_1"


def test_an_update_resets_what_it_leaves_out(rest: Rest) -> None:
    made = rest.client(
        description="d",
        launchURL="https://a.example.com",
        skipConsent=True,
        accessTokenDurationMinutes=5,
        backchannelLogoutURL="https://a.example.com/",
        requiresPushedAuthorizationRequests=True,
    )
    answer = rest.put(f"/oidc/clients/{made['id']}", {"name": "Renamed", "id": "ignored", "hasLogo": False})
    assert answer.status == 200
    expected = rest.client(name="Renamed", callbackURLs=[])
    for name in WHOLE - {"id", "credentials"}:
        assert answer.json[name] == expected[name], name
    assert answer.json["id"] == made["id"]
    assert answer.json["credentials"] == made["credentials"]  # secrets survive


def test_an_update_keeps_what_only_this_server_knows(rest: Rest) -> None:
    ours = {"backchannelLogoutOnSessionExpiry": False, "claimsInIdToken": False, "refreshTokens": "always", "signingAlgorithm": "PS256"}  # fmt: skip
    made = rest.client(**ours)
    kept = rest.put(f"/oidc/clients/{made['id']}", {"name": "Wiki"}).json
    assert kept | ours == kept


@pytest.mark.parametrize("algorithm", Client.Algorithm.values)
def test_the_algorithm_of_a_client_can_be_changed_and_has_a_key(rest: Rest, algorithm: str) -> None:
    SigningKey.objects.filter(algorithm=algorithm).delete()
    made = rest.client()
    changed = rest.put(f"/oidc/clients/{made['id']}", {"name": "Wiki", "signingAlgorithm": algorithm})
    assert (changed.status, changed.json["signingAlgorithm"]) == (200, algorithm)
    assert SigningKey.objects.filter(algorithm=algorithm, state=SigningKey.State.CURRENT).exists()


@pytest.mark.parametrize("algorithm", ["HS256", "none", "rs256", ""])
def test_what_nobody_signs_with_is_no_algorithm(rest: Rest, algorithm: str) -> None:
    made = rest.client()
    refused = rest.put(f"/oidc/clients/{made['id']}", {"name": "Wiki", "signingAlgorithm": algorithm})
    assert (refused.status, refused.json["code"]) == (400, "validation_failed")
    assert rest.get(f"/oidc/clients/{made['id']}").json["signingAlgorithm"] == "RS256"


def test_a_client_may_be_sent_back_as_it_was_read(rest: Rest) -> None:
    made = rest.client(credentials={"federatedIdentities": [{"issuer": "https://issuer.example.com"}]})
    path = f"/oidc/clients/{made['id']}"
    read = rest.get(path).json
    assert rest.put(path, read).json == read


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("GET", "/meta"),
        ("POST", "/refresh"),
        ("PUT", "/allowed-user-groups"),
        ("GET", "/secrets"),
        ("POST", "/secrets"),
        ("POST", "/secret"),
        ("DELETE", "/secrets/x"),
    ],
)
def test_an_unknown_client_is_not_found(rest: Rest, method: str, path: str) -> None:
    answer = rest(method, f"/oidc/clients/{NOBODY}{path}", {"name": "x", "userGroupIds": []})
    assert (answer.status, answer.json["code"], answer.json["details"]) == (
        404,
        "not_found",
        {"resource": "OIDC client"},
    )


def test_a_deleted_client_is_gone(rest: Rest) -> None:
    path = f"/oidc/clients/{rest.client()['id']}"
    assert rest.delete(path).status == 204
    assert rest.get(path).status == rest.delete(path).status == 404


def test_anybody_may_see_the_little_that_a_sign_in_shows(rest: Rest, as_nobody: Rest) -> None:
    made = rest.client(launchURL="https://app.example.com", description="d")
    answer = as_nobody.get(f"/oidc/clients/{made['id']}/meta")
    assert answer.status == 200
    assert answer.json == {name: made[name] for name in META}


def test_a_standard_client_has_no_document_to_read_again(rest: Rest) -> None:
    answer = rest.post(f"/oidc/clients/{rest.client()['id']}/refresh")
    assert (answer.status, answer.json["code"], answer.json["error"]) == (
        400,
        "validation_failed",
        "Client is not a client ID metadata document client",
    )


def test_pkce_support_is_shown_once_it_was_noticed_and_forgotten_by_an_update(rest: Rest) -> None:
    made = rest.client()
    path = f"/oidc/clients/{made['id']}"
    assert "pkceSupported" not in made
    Client.objects.update(pkce_supported=True)
    assert rest.get(path).json["pkceSupported"] is True
    assert rest.put(path, {"name": "Wiki", "pkceEnabled": True}).json["pkceSupported"] is True
    assert "pkceSupported" not in rest.put(path, {"name": "Wiki"}).json


# Groups


def groups(*names: str) -> list[str]:
    return [str(Group.objects.create(name=name, friendly_name=name.title()).pk) for name in names]


def test_groups_keep_the_order_they_were_sent_in(rest: Rest) -> None:
    made, ids = rest.client(isGroupRestricted=True), groups("a", "b", "c", "d", "e")
    path = f"/oidc/clients/{made['id']}"
    for order in (ids[::-1], ids[2:] + ids[:2], [ids[3], ids[0]]):
        answer = rest.put(f"{path}/allowed-user-groups", {"userGroupIds": order})
        assert answer.status == 200
        assert answer.json.keys() == WHOLE - {"allowedUserGroups"}
        assert [group["id"] for group in rest.get(path).json["allowedUserGroups"]] == order
        assert [group["id"] for group in rest.get("/oidc/clients").json["data"][0]["allowedUserGroups"]] == order


def test_null_means_no_group_and_unknown_groups_are_left_out(rest: Rest) -> None:
    path, ids = f"/oidc/clients/{rest.client(isGroupRestricted=True)['id']}", groups("a", "b")
    for sent, kept in (
        ([ids[0], NOBODY, "no id at all", ids[1], ids[0]], ids),
        (None, []),
        (ids[:1], ids[:1]),
        ([], []),
    ):
        assert rest.put(f"{path}/allowed-user-groups", {"userGroupIds": sent}).status == 200
        assert [group["id"] for group in rest.get(path).json["allowedUserGroups"]] == kept
    answer = rest.put(f"{path}/allowed-user-groups", {})
    assert (answer.status, answer.fields) == (400, [("userGroupIds", "required")])


def test_lifting_the_restriction_forgets_the_groups_and_nothing_else_does(rest: Rest) -> None:
    made, ids = rest.client(), groups("a")
    path = f"/oidc/clients/{made['id']}"
    rest.put(f"{path}/allowed-user-groups", {"userGroupIds": ids})
    assert [
        group["id"] for group in rest.put(path, {"name": "Wiki", "isGroupRestricted": True}).json["allowedUserGroups"]
    ] == ids
    assert rest.put(path, {"name": "Wiki"}).json["allowedUserGroups"] == []


def test_a_group_names_the_clients_it_may_use(rest: Rest) -> None:
    wiki, chat, (group,) = rest.client(name="Wiki"), rest.client(name="Chat"), groups("a")
    answer = rest.put(f"/user-groups/{group}/allowed-oidc-clients", {"oidcClientIds": [wiki["id"], NOBODY, chat["id"]]})
    assert answer.status == 200
    assert [client["name"] for client in answer.json["allowedOidcClients"]] == ["Chat", "Wiki"]
    assert answer.json["allowedOidcClients"][0].keys() == META
    assert rest.get(f"/oidc/clients/{wiki['id']}").json["allowedUserGroups"][0]["id"] == group
    assert (
        rest.put(f"/user-groups/{group}/allowed-oidc-clients", {"oidcClientIds": []}).json["allowedOidcClients"] == []
    )
    assert rest.put(f"/user-groups/{group}/allowed-oidc-clients", {}).fields == [("oidcClientIds", "required")]
    assert rest.put(f"/user-groups/{NOBODY}/allowed-oidc-clients", {"oidcClientIds": []}).status == 404


# Lists


def names(rest: Rest, query: str) -> list[str]:
    answer = rest.get(f"/oidc/clients?{query}")
    assert answer.status == 200, answer.response.content
    return [client["name"] for client in answer.json["data"]]


def test_lists_are_searched_sorted_filtered_and_paged(rest: Rest) -> None:
    (group,) = groups("a")
    rest.client(name="beta", isPublic=True)
    restricted = rest.client(name="Alpha", isGroupRestricted=True)
    rest.client(name="gamma", requiresReauthentication=True, skipConsent=True)
    rest.put(f"/oidc/clients/{restricted['id']}/allowed-user-groups", {"userGroupIds": [group]})
    assert names(rest, "") == ["beta", "Alpha", "gamma"]
    assert names(rest, "sort[column]=name") == ["Alpha", "beta", "gamma"]
    assert names(rest, "sort[column]=createdAt&sort[direction]=desc") == ["gamma", "Alpha", "beta"]
    assert names(rest, "search=ALP") == ["Alpha"]
    assert names(rest, "filters[pkceEnabled]=true") == ["beta"]
    assert names(rest, "filters[isGroupRestricted]=false&sort[column]=name") == ["beta", "gamma"]
    assert names(rest, "filters[clientType]=cimd") == []
    assert len(names(rest, "filters[clientType]=standard")) == 3
    assert names(rest, "filters[pkceEnabled]=perhaps") == []
    for column in ("allowedUserGroupsCount", "allowedUserGroups"):
        assert names(rest, f"sort[column]={column}&sort[direction]=desc")[0] == "Alpha"
    assert names(rest, "sort[column]=name&pagination[limit]=1&pagination[page]=2") == ["beta"]
    assert names(rest, "sort[column]=name&limit=1&page=3") == ["gamma"]  # as the Ansible collection asks
    page = rest.get("/oidc/clients?pagination[limit]=2&pagination[page]=9").json
    assert page["pagination"] == {"totalPages": 2, "totalItems": 3, "currentPage": 2, "itemsPerPage": 2}
    assert page["data"][0].keys() == WHOLE | {"allowedUserGroupsCount"}
    assert rest.get("/oidc/clients?search=nothing").json == {
        "data": [],
        "pagination": {"totalPages": 1, "totalItems": 0, "currentPage": 1, "itemsPerPage": 20},
    }


def test_a_list_costs_the_same_number_of_statements_however_long_it_is(
    rest: Rest, django_assert_max_num_queries: Any
) -> None:
    ids = groups("a", "b")
    for number in range(20):
        made = rest.client(name=f"Client {number}")
        rest.put(f"/oidc/clients/{made['id']}/allowed-user-groups", {"userGroupIds": ids})
    with django_assert_max_num_queries(12):
        assert len(rest.get("/oidc/clients").json["data"]) == 20


# Who may


ROUTES = [
    ("GET", "/oidc/clients"), ("POST", "/oidc/clients"), ("GET", "/oidc/clients/x"), ("PUT", "/oidc/clients/x"), ("DELETE", "/oidc/clients/x"), ("POST", "/oidc/clients/x/refresh"), ("PUT", "/oidc/clients/x/allowed-user-groups"),
    ("GET", "/oidc/clients/x/secrets"), ("POST", "/oidc/clients/x/secrets"), ("DELETE", "/oidc/clients/x/secrets/y"), ("POST", "/oidc/clients/x/secret"), ("POST", "/oidc/clients/x/logo"), ("DELETE", "/oidc/clients/x/logo"),
    ("GET", "/oidc/clients/x/preview/y"), ("GET", "/oidc/clients/x/scim-service-provider"), ("GET", "/oidc/logo-presets"), ("GET", f"/oidc/users/{NOBODY}/authorized-clients"), ("PUT", "/user-groups/x/allowed-oidc-clients"), ("GET", "/apis"), ("POST", "/apis"),
    ("GET", "/apis/x"), ("PUT", "/apis/x"), ("DELETE", "/apis/x"), ("PUT", "/apis/x/permissions"), ("PUT", "/apis/x/cimd-access"), ("GET", "/apis/x/clients"), ("GET", "/apis/x/assignable-clients"), ("PUT", "/apis/x/clients/y"), ("DELETE", "/apis/x/clients/y"),
    ("GET", "/api-access/x/apis"), ("GET", "/api-access/x/assignable-apis"), ("POST", "/scim/service-provider"), ("PUT", "/scim/service-provider/x"), ("DELETE", "/scim/service-provider/x"), ("POST", "/scim/service-provider/x/sync"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_only_administrators_manage_apps(as_nobody: Rest, as_bob: Rest, method: str, path: str) -> None:
    stranger, bob = as_nobody(method, path, {}), as_bob(method, path, {})
    assert (stranger.status, stranger.json["code"]) == (401, "not_signed_in")
    assert (bob.status, bob.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/oidc/clients/x"),
        ("DELETE", "/oidc/clients"),
        ("GET", "/oidc/clients/x/secret"),
        ("PUT", "/oidc/clients/x/logo"),
        ("GET", "/apis/x/permissions"),
        ("OPTIONS", "/oidc/clients"),
        ("POST", "/oidc/clients/x/meta"),
    ],
)
def test_a_method_that_does_not_exist_is_no_endpoint(rest: Rest, as_nobody: Rest, method: str, path: str) -> None:
    for who in (rest, as_nobody):
        answer = who(method, path)
        assert (answer.status, answer.json) == (404, {"error": "API endpoint not found"})


@pytest.mark.spec("attacks.md", "G17")
def test_another_site_cannot_use_an_administrators_session(rest: Rest) -> None:
    assert rest.post("/oidc/clients", {"name": "Evil"}, headers={"Origin": "https://evil.example"}).status == 403
    assert not Client.objects.exists()
