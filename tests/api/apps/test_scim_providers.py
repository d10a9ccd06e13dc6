"""SCIM service providers are kept and read back; nothing is sent yet (contract section 4.4, automation-clients.md)."""

from typing import Any

import pytest

from core.secrets import CannotDecrypt
from oidc.models import ScimProvider
from tests.api.apps.rest import NOBODY, Rest

pytestmark = pytest.mark.postgres

MASK = "XXXXXXXXXX"
ENDPOINT = "http://localhost:9/scim?x=1"


@pytest.fixture
def client(rest: Rest) -> dict[str, Any]:
    return rest.client(launchURL="https://app.example.com")


def made(rest: Rest, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = rest.post(
        "/scim/service-provider", {"endpoint": ENDPOINT, "token": "scim-token", "oidcClientId": client["id"]} | fields
    )
    assert answer.status == 201, answer.response.content
    return dict(answer.json)


def test_a_provider_is_made_and_read_back_with_the_same_text(rest: Rest, client: dict[str, Any]) -> None:
    provider = made(rest, client)
    assert provider.keys() == {"id", "endpoint", "token", "lastSyncedAt", "oidcClient", "createdAt"}
    assert (provider["endpoint"], provider["lastSyncedAt"], provider["oidcClient"]["id"]) == (
        ENDPOINT,
        None,
        client["id"],
    )
    assert rest.get(f"/oidc/clients/{client['id']}/scim-service-provider").json == provider


@pytest.mark.spec("attacks.md", "G1")
def test_the_token_is_masked_in_a_browser_and_the_mask_sent_back_changes_nothing(
    rest: Rest, client: dict[str, Any]
) -> None:
    provider = made(rest, client)
    assert provider["token"] == MASK
    path, body = f"/scim/service-provider/{provider['id']}", {"endpoint": ENDPOINT, "oidcClientId": client["id"]}
    assert rest.put(path, body | {"token": MASK}).json["token"] == MASK
    assert ScimProvider.objects.get().token == "scim-token"
    assert rest.put(path, body | {"token": "another"}).status == 200
    assert ScimProvider.objects.get().token == "another"
    assert rest.put(path, body).json["token"] == ""
    assert ScimProvider.objects.get().token == ""


def test_the_token_is_encrypted_for_its_own_row(rest: Rest, client: dict[str, Any]) -> None:
    made(rest, client)
    stored = ScimProvider.objects.get()
    assert "scim-token" not in stored.encrypted_token
    elsewhere = ScimProvider(encrypted_token=stored.encrypted_token)
    with pytest.raises(CannotDecrypt):
        _ = elsewhere.token


def test_a_client_has_one_provider(rest: Rest, client: dict[str, Any]) -> None:
    provider, other = made(rest, client), rest.client(name="Other")
    body = {"endpoint": ENDPOINT, "oidcClientId": client["id"]}
    assert rest.post("/scim/service-provider", body).json["code"] == "already_in_use"
    second = made(rest, other)
    refused = rest.put(f"/scim/service-provider/{second['id']}", body)
    assert (refused.status, refused.json["details"]) == (409, {"property": "oidcClientId"})
    assert ScimProvider.objects.count() == 2
    rest.delete(f"/scim/service-provider/{provider['id']}")
    assert rest.put(f"/scim/service-provider/{second['id']}", body).json["oidcClient"]["id"] == client["id"]


def test_what_is_missing_or_wrong_is_named(rest: Rest, client: dict[str, Any]) -> None:
    answer = rest.post("/scim/service-provider", {})
    assert answer.json["error"] == "Endpoint is required, oidcClientId is required"
    answer = rest.post("/scim/service-provider", {"endpoint": "file:///etc", "oidcClientId": client["id"]})
    assert answer.fields == [("endpoint", "invalid_format")]
    assert rest.post("/scim/service-provider", {"endpoint": ENDPOINT, "oidcClientId": NOBODY}).json["details"] == {
        "resource": "OIDC client"
    }


def test_an_unknown_provider_is_not_found(rest: Rest, client: dict[str, Any]) -> None:
    body = {"endpoint": ENDPOINT, "oidcClientId": client["id"]}
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/sync")):
        for unknown in (NOBODY, "no-id"):
            answer = rest(method, f"/scim/service-provider/{unknown}{path}", body)
            assert (answer.status, answer.json["details"]) == (404, {"resource": "SCIM service provider"})
    assert rest.get(f"/oidc/clients/{client['id']}/scim-service-provider").json["details"] == {
        "resource": "SCIM service provider"
    }


def test_a_sync_says_that_nothing_was_sent(rest: Rest, client: dict[str, Any]) -> None:
    provider = made(rest, client)
    answer = rest.post(f"/scim/service-provider/{provider['id']}/sync")
    assert (answer.status, answer.json["code"]) == (409, "scim_sync_not_available")
    assert rest.get(f"/oidc/clients/{client['id']}/scim-service-provider").json["lastSyncedAt"] is None


def test_a_provider_ends_with_its_client(rest: Rest, client: dict[str, Any]) -> None:
    provider = made(rest, client)
    assert rest.delete(f"/oidc/clients/{client['id']}").status == 204
    assert rest.delete(f"/scim/service-provider/{provider['id']}").status == 404
