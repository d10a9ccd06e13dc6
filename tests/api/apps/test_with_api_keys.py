"""Scripts that manage apps with an API key: what Terraform and Ansible do, and what a key with scopes may not."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apikeys import keys
from oidc.models import Client, ScimProvider
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.api.apps.rest import Answer, Rest

pytestmark = pytest.mark.postgres


class Script(Rest):
    """Asks with a key, from nowhere in particular."""

    key = ""

    def __call__(self, method: str, path: str, body: Any = None, **kwargs: Any) -> Answer:
        return super().__call__(
            method, path, body, headers={"X-API-KEY": self.key} | kwargs.pop("headers", {}), **kwargs
        )


def script(person: Person, *scopes: str) -> Script:
    made = Script(Browser())
    made.key = keys.create(person.user, name="Terraform", expires_at=timezone.now() + timedelta(days=1), scopes=scopes)[
        1
    ]
    return made


def test_the_calls_of_terraform_leave_nothing_to_change(admin: Person) -> None:
    terraform = script(admin)
    sent = {
        "name": "Wiki", "callbackURLs": ["https://b.example.com/cb", "https://a.example.com/cb"], "logoutCallbackURLs": ["https://b.example.com/out"], "isPublic": False, "requiresReauthentication": True,
        "requiresPushedAuthorizationRequests": False, "launchURL": "https://b.example.com", "pkceEnabled": True, "isGroupRestricted": True, "credentials": {"federatedIdentities": [{"issuer": "https://i.example.com", "subject": "s", "audience": "a", "jwks": "https://i.example.com/jwks"}]},
    }  # fmt: skip
    made = terraform.post("/oidc/clients", sent)
    assert made.status == 201
    client_id = made.json["id"]
    ids = [
        terraform.post("/user-groups", {"name": name, "friendlyName": name.title()}).json["id"]
        for name in ("zz", "mm", "aa")
    ]
    assert terraform.put(f"/oidc/clients/{client_id}/allowed-user-groups", {"userGroupIds": ids}).status == 200
    secret = terraform.post(f"/oidc/clients/{client_id}/secret", headers={"Content-Type": "application/json"})
    assert secret.status == 200
    for _time in range(2):
        read = terraform.get(f"/oidc/clients/{client_id}").json
        for name in sent.keys() - {"credentials"}:
            assert read[name] == sent[name], name
        assert read["credentials"]["federatedIdentities"] == [
            sent["credentials"]["federatedIdentities"][0] | {"replayProtection": False}
        ]  # type: ignore[index]
        assert [group["id"] for group in read["allowedUserGroups"]] == ids
        assert terraform.put(f"/oidc/clients/{client_id}", sent | {"id": client_id}).json == read
    assert terraform.put(f"/oidc/clients/{client_id}/allowed-user-groups", {"userGroupIds": None}).status == 200
    assert terraform.get(f"/oidc/clients/{client_id}").json["allowedUserGroups"] == []


def test_ansible_finds_a_client_by_name_on_a_later_page(admin: Person) -> None:
    ansible = script(admin)
    for number in range(25):
        ansible.client(name=f"Client {number}", credentials={"federatedIdentities": []}, logoutCallbackURLs=[])
    found, page = [], 1
    while True:
        answer = ansible.get(f"/oidc/clients?page={page}").json
        found += [client["name"] for client in answer["data"]]
        if answer["pagination"]["currentPage"] >= answer["pagination"]["totalPages"]:
            break
        page += 1
    assert (page, len(set(found))) == (2, 25)


def test_a_key_with_full_rights_reads_a_scim_token_in_clear(admin: Person) -> None:
    terraform = script(admin)
    client = terraform.client()
    body = {"endpoint": "https://app.example.com/scim", "token": "scim-token", "oidcClientId": client["id"]}
    made = terraform.post("/scim/service-provider", body)
    assert made.json["token"] == "scim-token"
    assert terraform.get(f"/oidc/clients/{client['id']}/scim-service-provider").json == made.json
    again = terraform.put(f"/scim/service-provider/{made.json['id']}", body)
    assert again.json == made.json


@pytest.mark.spec("attacks.md", "G1")
def test_a_key_with_scopes_does_not(admin: Person) -> None:
    client = script(admin).client()
    limited = script(admin, "scim:write")
    body = {"endpoint": "https://app.example.com/scim", "token": "scim-token", "oidcClientId": client["id"]}
    made = limited.post("/scim/service-provider", body)
    assert made.json["token"] == "XXXXXXXXXX"
    path, masked = f"/scim/service-provider/{made.json['id']}", body | {"token": made.json["token"]}
    limited.put(path, masked)
    assert ScimProvider.objects.get().token == "scim-token"
    elsewhere = {"endpoint": "https://evil.example.com/scim"}
    assert limited.put(path, masked | elsewhere).json["error"] == "Token is required for another endpoint"
    assert ScimProvider.objects.get().endpoint == body["endpoint"]
    assert limited.put(path, body | elsewhere | {"token": "another"}).status == 200


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("clients:read", "GET", "/oidc/clients"),
        ("apis:read", "GET", "/apis"),
        ("me:read", "GET", "/oidc/users/me/clients"),
        ("users:read", "GET", "/oidc/users/me/authorized-clients"),
    ],
)
def test_a_key_reads_what_it_was_given(admin: Person, scope: str, method: str, path: str) -> None:
    answer = script(admin, scope)(method, path)
    if scope == "users:read":
        assert (answer.status, answer.json["details"]) == (403, {"scope": "me:read"})
    else:
        assert answer.status == 200


def test_a_key_that_may_read_may_not_write(admin: Person) -> None:
    answer = script(admin, "clients:read", "apis:write").post("/oidc/clients", {"name": "x"})
    assert (answer.status, answer.json["details"]) == (403, {"scope": "clients:write"})
    assert not Client.objects.exists()


def test_a_person_without_rights_has_none_by_key_either(person: Person) -> None:
    assert script(person).get("/oidc/clients").json["code"] == "forbidden"
    assert script(person).get("/oidc/users/me/clients").status == 200
