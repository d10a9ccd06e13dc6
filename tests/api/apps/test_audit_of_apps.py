"""What administrators do to apps and APIs is in the audit log: who, which app, and never a secret."""

import pytest

from audit.models import Entry, Event
from tests.api.apps.rest import Rest

pytestmark = pytest.mark.postgres


def events() -> list[str]:
    return [entry.event for entry in Entry.objects.order_by("id") if entry.event.startswith(("CLIENT_", "API_"))]


def test_the_life_of_an_app(rest: Rest) -> None:
    client = rest.client(id="wiki")
    path = "/oidc/clients/wiki"
    rest.put(path, {"name": "Wiki of all"})
    rest.put(f"{path}/allowed-user-groups", {"userGroupIds": []})
    made = rest.post(f"{path}/secrets", {}).json
    rest.delete(f"{path}/secrets/{made['id']}")
    replaced = rest.post(f"{path}/secret").json
    rest.delete(path)
    assert events() == [
        Event.CLIENT_CREATED,
        Event.CLIENT_CHANGED,
        Event.CLIENT_CHANGED,
        Event.CLIENT_SECRET_CREATED,
        Event.CLIENT_SECRET_DELETED,
        Event.CLIENT_SECRET_CREATED,
        Event.CLIENT_DELETED,
    ]
    last = Entry.objects.latest("id")
    assert (last.username, last.data) == ("alice", {"app": "Wiki of all", "clientID": "wiki"})
    kept = str(list(Entry.objects.values_list("data", flat=True)))
    for secret in (made["secret"], replaced["secret"], client["createdSecret"]["secret"]):
        assert secret not in kept


def test_what_was_refused_is_not_noted(rest: Rest) -> None:
    rest.delete("/oidc/clients/nobody")
    rest.post("/oidc/clients", {"name": ""})
    rest.put("/oidc/clients/nobody", {"name": "Wiki"})
    assert events() == []


def test_the_life_of_an_api(rest: Rest) -> None:
    api = rest.api()
    client = rest.client()
    rest.put(f"/apis/{api['id']}/clients/{client['id']}", {"userDelegatedAccess": True})
    rest.delete(f"/apis/{api['id']}")
    assert events() == [
        Event.API_CREATED,
        Event.API_CHANGED,
        Event.CLIENT_CREATED,
        Event.API_CHANGED,
        Event.API_DELETED,
    ]


def test_whoever_gets_at_an_app_another_way_is_noted_too(rest: Rest) -> None:
    client, api = rest.client("Wiki", id="wiki"), rest.api()
    group = rest.post("/user-groups", {"name": "staff", "friendlyName": "Staff"}).json
    Entry.objects.all().delete()
    rest.put(f"/user-groups/{group['id']}/allowed-oidc-clients", {"oidcClientIds": [client["id"]]})
    rest.put(f"/apis/{api['id']}/cimd-access", {"enabled": True, "permissionIds": []})
    body = {"endpoint": "https://scim.example.org", "token": "a secret", "oidcClientId": "wiki"}
    provider = rest.post("/scim/service-provider", body).json["id"]
    rest.put(f"/scim/service-provider/{provider}", body)
    rest.delete(f"/scim/service-provider/{provider}")
    found = [(entry.event, entry.username, entry.data.get("what")) for entry in Entry.objects.order_by("id")]
    assert found == [
        (Event.GROUP_CHANGED, "alice", "apps"),
        (Event.API_CHANGED, "alice", "metadata clients"),
        *[(Event.CLIENT_CHANGED, "alice", "SCIM")] * 3,
    ]
    assert "a secret" not in str(list(Entry.objects.values_list("data", flat=True)))


def test_the_filter_names_the_apps_that_people_signed_in_to_alone(rest: Rest) -> None:
    """As Pocket ID does (contract section 7.2)."""
    rest.client("Wiki")
    assert rest.get("/audit-logs/filters/client-names").json == []
    found = rest.get("/audit-logs/all?filters[event]=CLIENT_CREATED").json["data"]
    assert [(each["data"]["app"], each["username"]) for each in found] == [("Wiki", "alice")]
