"""What Terraform providers, the Ansible collection and operators do, against the real server process, twice (contract section 10)."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.automation.infrastructure import TIMEOUT, Ansible, Client, Terraform
from tests.support.server import Server

pytestmark = [pytest.mark.postgres, pytest.mark.spec("Pocket ID contract", "10")]

KEY = "a static key for programs, not a secret"

# The 43 settings that Terraform knows: none of those that came later (contract section 10.1).
TERRAFORM_KNOWS = [
    "accentColor",
    "allowOwnAccountEdit",
    "allowUserSignups",
    "appName",
    "disableAnimations",
    "emailApiKeyExpirationEnabled",
    "emailLoginNotificationEnabled",
    "emailOneTimeAccessAsAdminEnabled",
    "emailOneTimeAccessAsUnauthenticatedEnabled",
    "emailVerificationEnabled",
    "emailsVerified",
    "homePageUrl",
    "requireUserEmail",
    "sessionDuration",
    "signupDefaultCustomClaims",
    "signupDefaultUserGroupIDs",
    "smtpFrom",
    "smtpHost",
    "smtpPassword",
    "smtpPort",
    "smtpSkipCertVerify",
    "smtpTls",
    "smtpUser",
    "ldapAdminGroupName",
    "ldapAttributeGroupMember",
    "ldapAttributeGroupName",
    "ldapAttributeGroupUniqueIdentifier",
    "ldapAttributeUserDisplayName",
    "ldapAttributeUserEmail",
    "ldapAttributeUserFirstName",
    "ldapAttributeUserLastName",
    "ldapAttributeUserProfilePicture",
    "ldapAttributeUserUniqueIdentifier",
    "ldapAttributeUserUsername",
    "ldapBase",
    "ldapBindDn",
    "ldapBindPassword",
    "ldapEnabled",
    "ldapSkipCertVerify",
    "ldapSoftDeleteUsers",
    "ldapUrl",
    "ldapUserGroupSearchFilter",
    "ldapUserSearchFilter",
]


@pytest.fixture(scope="module")
def server(live_database_of_module: str) -> Iterator[Server]:
    """With the limits that it has for everybody: programs of this kind must not meet them."""
    with Server(database_url=live_database_of_module, environment={"STATIC_API_KEY": KEY}) as running:
        yield running


def snapshot(server: Server) -> dict[str, Any]:
    """Everything that REST tells but the audit log."""
    client = Client(server.base_url, KEY)

    def rows(path: str) -> list[Any]:
        return [
            client.ask("GET", f"{path}/{each['id']}")
            for each in client.ask("GET", f"{path}?pagination[limit]=100")["data"]
        ]

    found: dict[str, Any] = {
        path: rows(path) for path in ("/api/users", "/api/user-groups", "/api/oidc/clients", "/api/apis")
    }
    found["configuration"] = client.ask("GET", "/api/application-configuration/all")
    return found


# Terraform


def user(name: str, **more: object) -> dict[str, Any]:
    return {
        "username": name,
        "email": f"{name}@example.com",
        "firstName": "Zoë",
        "lastName": "O'Hara-Müller",
        "displayName": "Zoë O'Hara-Müller",
        "emailVerified": True,
        "isAdmin": False,
        "disabled": False,
    } | more


def oidc_client(name: str, **more: object) -> dict[str, Any]:
    return {
        "name": name,
        "callbackURLs": ["https://*.example.com/cb", "http://localhost:8080/cb", "com.example.app:/cb"],
        "logoutCallbackURLs": ["https://b.example.com/out", "https://a.example.com/out"],
        "isPublic": False,
        "pkceEnabled": True,
        "requiresPushedAuthorizationRequests": False,
        "isGroupRestricted": False,
        "launchURL": "https://app.example.com/",
        "credentials": {"federatedIdentities": []},
    } | more


def terraform_apply(terraform: Terraform) -> None:
    groups = [
        terraform.keep(f"group.{name}", "/api/user-groups", {"name": name, "friendlyName": f"Group {name}"})
        for name in ("zebra", "alpha", "middle", "omega", "beta")
    ]
    ada = terraform.keep("user.ada", "/api/users", user("ada", isAdmin=True, locale="de"))
    bob = terraform.keep("user.bob", "/api/users", user("bob", disabled=True, displayName=""))
    terraform.keep_groups(ada, [groups[1], groups[0]])
    terraform.keep_groups(bob, [])
    terraform.keep_claims("user", ada, {"a claim with blanks": '{"json": ["ü", 1]}', "https://example.com/claim": "x"})
    terraform.keep_claims("user-group", groups[0], {"quota": "20GB"})
    identities = [
        {"issuer": "https://b.example.com", "subject": "s", "audience": "a", "jwks": "https://b.example.com/jwks"},
        {"issuer": "https://a.example.com"},
    ]
    federated = oidc_client(
        "Federated",
        id="own.id-with_dot",
        credentials={"federatedIdentities": identities},
        requiresReauthentication=True,
    )
    app = terraform.keep("client.federated", "/api/oidc/clients", federated)
    assert app == "own.id-with_dot"
    terraform.keep("client.public", "/api/oidc/clients", oidc_client("Public", isPublic=True))
    restricted = terraform.keep(
        "client.restricted", "/api/oidc/clients", oidc_client("Restricted", isGroupRestricted=True)
    )
    terraform.keep_allowed_groups(restricted, [groups[3], groups[0], groups[4], groups[1]])
    terraform.keep_scim(app, {"endpoint": "https://scim.example.com/v2", "token": "a token of the tests"})
    terraform.keep_configuration(
        {
            "appName": "Terraformed",
            "smtpPassword": "a password of the tests",
            "ldapBindPassword": "another of them",
            "signupDefaultUserGroupIDs": "[ ]",
            "sessionDuration": "90",
            "accentColor": "hsl(210, 50%, 40%)",
        },
        known=TERRAFORM_KNOWS,
    )


def test_terraform_applies_once_and_plans_nothing_afterwards(server: Server) -> None:
    terraform = Terraform(server.base_url, KEY)
    terraform_apply(terraform)
    assert len(terraform.writes_now()) == 16
    first = snapshot(server)
    terraform_apply(terraform)
    assert terraform.writes_now() == []
    assert snapshot(server) == first
    # A change of one attribute is one request, and groups and claims survive it.
    before = terraform.ask("GET", f"/api/users/{terraform.state['user.ada']}")
    terraform.keep("user.ada", "/api/users", user("ada", isAdmin=True, locale="de", firstName="Ada"))
    assert terraform.writes_now() == [f"PUT /api/users/{terraform.state['user.ada']}"]
    after = terraform.ask("GET", f"/api/users/{terraform.state['user.ada']}")
    assert after == before | {"firstName": "Ada"}
    # Allowed groups are taken away by null, which the provider sends when the attribute is removed.
    terraform.keep_allowed_groups(terraform.state["client.restricted"], None)
    assert len(terraform.writes_now()) == 1
    terraform.keep_allowed_groups(terraform.state["client.restricted"], None)
    assert terraform.writes_now() == []


def test_terraform_rotates_a_secret_and_makes_codes(server: Server) -> None:
    terraform = Terraform(server.base_url, KEY)
    client_id = terraform.keep("client", "/api/oidc/clients", oidc_client("Wiki"))
    secrets = [terraform.ask("POST", f"/api/oidc/clients/{client_id}/secret")["secret"] for _ in range(2)]
    terraform.ask("PUT", f"/api/oidc/clients/{client_id}", oidc_client("Wiki 2", id=client_id))

    def is_accepted(secret: str) -> bool:
        token = requests.post(
            f"{server.base_url}/api/oidc/token",
            data={"grant_type": "authorization_code", "code": "x", "redirect_uri": "https://x.example"},
            auth=(client_id, secret),
            timeout=TIMEOUT,
        )
        return token.json()["error"] != "invalid_client"

    assert [is_accepted(secret) for secret in secrets] == [False, True]
    user_id = terraform.keep("user", "/api/users", user("eve"))
    for ttl, length in (("15m", 6), ("1h", 12)):
        code = terraform.ask("POST", f"/api/users/{user_id}/one-time-access-token", {"ttl": ttl})["token"]
        assert len(code) == length
        used = [requests.post(f"{server.base_url}/api/one-time-access-token/{code}", timeout=TIMEOUT) for _ in range(2)]
        assert [answer.status_code for answer in used] == [200, 401]
    refused = terraform.send("POST", f"/api/users/{user_id}/one-time-access-token", {"ttl": "900"})
    assert refused.status_code == 400
    assert terraform.send("POST", "/api/application-configuration/sync-ldap").status_code == 409


def test_terraform_writes_many_at_once(server: Server) -> None:
    """Ten at a time is its limit; each must be in the list that is read right afterwards."""

    def make(number: int) -> str:
        terraform = Terraform(server.base_url, KEY)
        group = terraform.keep(
            "group", "/api/user-groups", {"name": f"group{number}", "friendlyName": f"Group {number}"}
        )
        person = terraform.keep("user", "/api/users", user(f"person{number}"))
        terraform.keep_groups(person, [group])
        terraform.keep_claims("user", person, {"number": str(number)})
        names = [each["id"] for each in terraform.ask("GET", "/api/user-groups?pagination[limit]=100")["data"]]
        assert group in names
        return person

    with ThreadPoolExecutor(10) as crowd:
        made = list(crowd.map(make, range(20)))
    assert len(set(made)) == 20


def test_terraform_destroys_what_it_made(server: Server) -> None:
    terraform = Terraform(server.base_url, KEY)
    group = terraform.keep("group", "/api/user-groups", {"name": "crew", "friendlyName": "Team"})
    person = terraform.keep("user", "/api/users", user("dan"))
    client_id = terraform.keep("client", "/api/oidc/clients", oidc_client("Wiki", isGroupRestricted=True))
    terraform.keep_allowed_groups(client_id, [group])
    terraform.keep_scim(client_id, {"endpoint": "https://scim.example.com", "token": "a token"})
    # A group that a client still allows can go, and come again.
    for path, wanted in (
        (f"/api/user-groups/{group}", {"code": "not_found", "details": {"resource": "User group"}}),
        (f"/api/oidc/clients/{client_id}", {"code": "not_found", "details": {"resource": "OIDC client"}}),
        (f"/api/users/{person}", {"code": "user_not_found"}),
    ):
        assert terraform.send("DELETE", path).status_code == 204
        gone = terraform.send("GET", path)
        assert gone.status_code == 404
        assert wanted.items() <= gone.json().items()
        assert terraform.send("DELETE", path).status_code == 404
    assert terraform.send("GET", f"/api/oidc/clients/{client_id}/scim-service-provider").status_code == 404
    again = terraform.ask("POST", "/api/user-groups", {"name": "crew", "friendlyName": "Team"})
    assert again["id"] != group


# Ansible


def ansible_play(ansible: Ansible) -> None:
    for number in range(25):
        ansible.present(
            "/api/user-groups", {"name": f"group{number:02}", "friendlyName": f"group{number:02}"}, by="name"
        )
    people = {
        name: ansible.present(
            "/api/users", {"username": name, "email": f"{name}@example.com", "firstName": name}, by="username"
        )
        for name in ("liz", "tom", "cyd")
    }
    ansible.members("group24", ["liz", "cyd"])
    ansible.members("group03", ["liz"])
    ansible.claims("user", people["liz"], {"z": "1", "a": "ë"})
    client_id = ansible.present(
        "/api/oidc/clients",
        {
            "name": "Playbook",
            "callbackURLs": ["https://b.example.com/cb", "https://a.example.com/cb"],
            "pkceEnabled": True,
        },
        by="name",
        new={"logoutCallbackURLs": [], "credentials": {"federatedIdentities": []}},
        lists=("callbackURLs",),
    )
    group = ansible.find("/api/user-groups", name="group24")
    shown = ansible.ask("GET", f"/api/oidc/clients/{client_id}")
    if [each["id"] for each in shown["allowedUserGroups"]] != [group["id"]]:
        ansible.ask("PUT", f"/api/oidc/clients/{client_id}/allowed-user-groups", {"userGroupIds": [group["id"]]})
    ansible.configuration({"appName": "Played", "smtpPassword": "a password of the tests", "requireUserEmail": "false"})


def test_ansible_plays_once_and_changes_nothing_afterwards(server: Server) -> None:
    ansible = Ansible(server.base_url, KEY)
    ansible_play(ansible)
    assert len(ansible.writes_now()) == 25 + 3 + 3 + 1 + 1 + 1 + 1
    first = snapshot(server)
    ansible.pages = 0
    ansible_play(ansible)
    assert ansible.writes_now() == []
    assert snapshot(server) == first
    # What the console has changed is put right with one request.
    tom = ansible.find("/api/users", username="tom")
    Client(server.base_url, KEY).ask("PUT", f"/api/users/{tom['id']}", {"username": "tom", "firstName": "Robert"})
    ansible_play(ansible)
    assert ansible.writes_now() == [f"PUT /api/users/{tom['id']}"]


def test_ansible_reads_a_secret_and_a_code(server: Server) -> None:
    ansible = Ansible(server.base_url, KEY)
    client = ansible.ask("POST", "/api/oidc/clients", {"name": "Wiki", "callbackURLs": [], "logoutCallbackURLs": []})
    assert ansible.ask("POST", f"/api/oidc/clients/{client['id']}/secret")["secret"]
    person = ansible.ask("POST", "/api/users", {"username": "kim", "email": "kim@example.com"})
    assert re.fullmatch(
        r"\w{6}", ansible.ask("POST", f"/api/users/{person['id']}/one-time-access-token", {"ttl": "900s"})["token"]
    )
    provider = ansible.ask(
        "POST",
        "/api/scim/service-provider",
        {"endpoint": "https://s.example.com", "token": "t0", "oidcClientId": client["id"]},
    )
    # The token that was read is sent again.
    read = ansible.ask("GET", f"/api/oidc/clients/{client['id']}/scim-service-provider")
    body = {"endpoint": read["endpoint"], "token": read["token"], "oidcClientId": client["id"]}
    assert ansible.ask("PUT", f"/api/scim/service-provider/{provider['id']}", body)["token"] == "t0"
    assert ansible.ask("DELETE", f"/api/scim/service-provider/{provider['id']}") is None


# What newer providers check (the supplement to the contract, section 2.2)


UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_lists_are_whole_in_their_pages(server: Server) -> None:
    client = Client(server.base_url, KEY)
    for number in range(23):
        client.ask("POST", "/api/user-groups", {"name": f"page{number}", "friendlyName": f"Group {number}"})
    seen: list[str] = []
    page = total_pages = 1
    while page <= total_pages:
        query = f"pagination[page]={page}&pagination[limit]=10&sort[column]=createdAt&sort[direction]=asc"
        answer = client.ask("GET", f"/api/user-groups?{query}")
        assert answer["pagination"]["currentPage"] == page
        seen += [each["id"] for each in answer["data"]]
        total_pages, page = answer["pagination"]["totalPages"], page + 1
    assert len(set(seen)) == len(seen) == answer["pagination"]["totalItems"] >= 23
    assert all(UUID.fullmatch(each) for each in seen)
    empty = client.ask("GET", "/api/oidc/clients?search=nobody-has-this-name")
    assert (empty["data"], empty["pagination"]["totalPages"]) == ([], 1)


def test_a_route_that_is_missing_says_so_exactly(server: Server) -> None:
    client = Client(server.base_url, KEY)
    for method, path in (("GET", "/api/nothing"), ("DELETE", "/api/users"), ("POST", "/api/oidc/nothing")):
        answer = client.send(method, path)
        assert (answer.status_code, answer.content) == (404, b'{"error":"API endpoint not found"}')
    version = client.ask("GET", "/api/version/current")["currentVersion"]
    assert re.fullmatch(r"2\.\d+\.\d+", version)


def test_a_client_of_the_newest_provider(server: Server) -> None:
    """Create, revoke the secret that came with it, groups, then everything read back sent again."""
    client = Client(server.base_url, KEY)
    group = client.ask("POST", "/api/user-groups", {"name": "newest", "friendlyName": "Team"})["id"]
    body = oidc_client("Wiki", description="Ours", skipConsent=True, hasLogo=False, hasDarkLogo=False)
    body |= {"accessTokenDurationMinutes": 30, "refreshTokenDurationMinutes": 600}
    body |= {"backchannelLogoutURL": "http://wiki.example.com:8080/out?x=1"}
    made = client.ask("POST", "/api/oidc/clients", body)
    own_id, secret = made["id"], made["createdSecret"]
    assert (secret["prefix"], secret["isActive"], len(secret["secret"])) == (secret["secret"][:4], True, 32)
    path = f"/api/oidc/clients/{own_id}"
    client.ask("DELETE", f"{path}/secrets/{secret['id']}")
    gone = client.send("DELETE", f"{path}/secrets/{secret['id']}")
    assert (gone.status_code, gone.json()["details"]) == (404, {"resource": "Client secret"})
    client.ask("PUT", f"{path}/allowed-user-groups", {"userGroupIds": [group]})
    shown = client.ask("GET", path)
    assert {name: shown[name] for name in body if name != "credentials"} == {
        name: value for name, value in body.items() if name != "credentials"
    }
    assert client.ask("PUT", path, shown) | {"allowedUserGroups": []} == shown | {"allowedUserGroups": []}
    declared = client.ask("POST", f"{path}/secrets", {"secret": "a declared secret of the tests"})
    assert [each["id"] for each in client.ask("GET", f"{path}/secrets")] == [declared["id"]]
    assert client.send("POST", f"{path}/secrets", {"secret": "short"}).status_code == 400
    assert client.send("POST", f"{path}/secrets", {"expiresAt": "2020-01-01T00:00:00Z"}).status_code == 400


def test_apis_and_grants_of_the_newest_providers(server: Server) -> None:
    client = Client(server.base_url, KEY)
    app = client.ask("POST", "/api/oidc/clients", oidc_client("Wiki"))["id"]
    api = client.ask("POST", "/api/apis", {"name": "Orders", "resource": "https://orders.example.com"})["id"]
    first = client.ask(
        "PUT",
        f"/api/apis/{api}/permissions",
        {"permissions": [{"key": "r", "name": "Read"}, {"key": "w", "name": "Write"}]},
    )
    ids = {each["key"]: each["id"] for each in first["permissions"]}
    grant = {"userDelegatedPermissionIds": [ids["r"]], "clientPermissionIds": [ids["w"]]}
    granted = client.ask("PUT", f"/api/apis/{api}/clients/{app}", grant)
    assert granted == grant | {"userDelegatedAccess": True, "clientAccess": True}
    assert client.ask("PUT", f"/api/apis/{api}/clients/{app}", granted) == granted
    kept = client.ask(
        "PUT", f"/api/apis/{api}/permissions", {"permissions": [{"key": "r", "name": "Read all", "description": "x"}]}
    )
    assert [(each["id"], each["name"]) for each in kept["permissions"]] == [(ids["r"], "Read all")]
    (shown,) = client.ask("GET", f"/api/api-access/{app}/apis")
    assert (shown["api"]["id"], shown["userDelegatedPermissionIds"], shown["clientPermissionIds"]) == (
        api,
        [ids["r"]],
        [],
    )
    for _ in range(2):
        assert client.send("DELETE", f"/api/apis/{api}/clients/{app}").status_code == 204
    assert (
        client.send("POST", "/api/apis", {"name": "Other", "resource": "https://orders.example.com"}).status_code == 409
    )


def test_a_base_address_with_a_final_slash_works(server: Server) -> None:
    terraform = Terraform(server.base_url + "/", KEY)
    terraform.keep("group", "/api/user-groups", {"name": "slash", "friendlyName": "Team"})
    refused = terraform.send("POST", "/api/user-groups", {"name": "slash", "friendlyName": "Team"})
    assert (refused.status_code, refused.json()["error"]) == (409, "Name is already in use")
