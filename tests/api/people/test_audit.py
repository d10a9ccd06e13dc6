"""The audit log over REST (contract section 7.2)."""

import uuid

import pytest

from audit import places
from audit.models import Entry, Event
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal

pytestmark = pytest.mark.postgres

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture
def entries(admin: Person, person: Person) -> None:
    rows = [
        (admin, "10.0.0.7", {"clientName": "Wiki"}),
        (person, "8.8.4.4", {"clientName": "Photos"}),
        (person, "10.0.0.7", {"clientName": "Wiki"}),
    ]
    for somebody, address, data in rows:
        country, city = places.of(address)
        Entry.objects.create(
            event=Event.CLIENT_AUTHORIZATION,
            user=somebody.user,
            username=somebody.user.username,
            ip_address=address,
            country=country,
            city=city,
            user_agent=CHROME,
            data=data,
            client_name=data["clientName"],
        )


def total(script: Script, query: str) -> int:
    return script.read(f"/api/audit-logs/all?{query}").json()["pagination"]["totalItems"]


def test_people_see_their_own_entries(entries: None, person: Person) -> None:
    own = Script(person.user)
    page = own.read("/api/audit-logs?filters[event]=CLIENT_AUTHORIZATION").json()
    assert page["pagination"]["totalItems"] == 2
    newest = page["data"][0]
    assert uuid.UUID(newest.pop("id"))
    assert newest.pop("createdAt").endswith("Z")
    assert newest == {
        "event": "CLIENT_AUTHORIZATION",
        "ipAddress": "10.0.0.7",
        "country": "Internal Network",
        "city": "LAN",
        "device": "Chrome on Linux",
        "userID": person.subject,
        "username": "",
        "actorUsername": "",
        "data": {"clientName": "Wiki"},
    }
    assert refusal(own.read("/api/audit-logs/all")) == (403, "forbidden")


def test_administrators_see_everybodys(entries: None, script: Script, person: Person) -> None:
    data = script.read(
        "/api/audit-logs/all?filters[event]=CLIENT_AUTHORIZATION&sort[column]=createdAt&sort[direction]=asc"
    ).json()["data"]
    assert [each["username"] for each in data] == ["alice", "bob", "bob"]
    assert total(script, f"filters[userID]={person.subject}&filters[event]=CLIENT_AUTHORIZATION") == 2
    assert total(script, "filters[clientName]=Wiki") == 2
    assert total(script, "filters[clientName]=Wiki&filters[clientName]=Photos") == 3
    assert total(script, "filters[location]=internal&filters[event]=CLIENT_AUTHORIZATION") == 2
    assert total(script, "filters[location]=external&filters[event]=CLIENT_AUTHORIZATION") == 1
    assert total(script, "filters[userID]=nobody") == 0


def test_filters_offer_what_occurs(entries: None, script: Script, admin: Person, person: Person) -> None:
    assert script.read("/api/audit-logs/filters/client-names").json() == ["Photos", "Wiki"]
    people = script.read("/api/audit-logs/filters/users")
    assert people.json() == {admin.subject: "alice", person.subject: "bob"}
    assert people["Content-Type"] == "application/json; charset=utf-8"


def test_what_happened_stays_when_the_account_is_gone(entries: None, script: Script, person: Person) -> None:
    script.remove(f"/api/users/{person.subject}")
    (entry,) = script.read("/api/audit-logs/all?filters[clientName]=Photos").json()["data"]
    assert (entry["username"], entry["userID"]) == ("bob", "")
    assert Entry.objects.get(event="ACCOUNT_DELETED").data["username"] == "bob"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1", ("Internal Network", "LAN")),
        ("::1", ("Internal Network", "LAN")),
        ("192.168.1.1", ("Internal Network", "LAN")),
        ("100.100.1.1", ("Internal Network", "Tailscale")),
        ("fd7a:115c:a1e0::1", ("Internal Network", "Tailscale")),
        ("8.8.8.8", ("", "")),
        ("", ("", "")),
        (None, ("", "")),
    ],
)
def test_places_of_addresses(address: str | None, place: tuple[str, str]) -> None:
    assert places.of(address) == place
