"""What the operations of :mod:`audit.api` do, in the words of OpenAPI."""

from audit.api import entries
from core.openapi import EXAMPLES, MEMBERS, Operation, Page, Raw, describe

AUDIT = "Audit log"
MEMBERS |= {
    (entries.EntrySerializer, "userID"): {
        "type": "string",
        "description": "Empty when it was nobody, or somebody who is gone.",
    },
    (entries.EntrySerializer, "data"): {"type": "object", "additionalProperties": {"type": "string"}},
}
EXAMPLES[entries.EntrySerializer] = {
    "id": "00000000-0000-0000-0000-0000000004d2",
    "createdAt": "2026-11-21T16:00:00Z",
    "event": "CLIENT_AUTHORIZATION",
    "ipAddress": "192.0.2.7",
    "country": "",
    "city": "",
    "device": "Firefox on Linux",
    "userID": "7b2f4c1e-9d0a-4f6b-8e35-2a1c6d7f0b94",
    "username": "ada",
    "actorUsername": "",
    "data": {"clientName": "Wiki"},
}

describe(
    AUDIT,
    entries.OwnEntries,
    get=Operation("listOwnAuditEntries", "List one's own entries", {200: Page(entries.EntrySerializer, entries.OWN)}),
)
describe(
    AUDIT,
    entries.AllEntries,
    get=Operation(
        "listAuditEntries",
        "List everybody's entries",
        {200: Page(entries.EntrySerializer, entries.ALL, filters=("location",))},
        "`filters[location]` is `internal` or `external`.",
    ),
)
describe(
    AUDIT,
    entries.ClientNames,
    get=Operation(
        "listAuditedClients",
        "List the apps that occur in the log",
        {200: Raw({"type": "array", "items": {"type": "string"}}, ["Wiki"])},
    ),
)
describe(
    AUDIT,
    entries.Usernames,
    get=Operation(
        "listAuditedUsers",
        "List the people who occur in the log",
        {
            200: Raw(
                {"type": "object", "additionalProperties": {"type": "string"}},
                {"7b2f4c1e-9d0a-4f6b-8e35-2a1c6d7f0b94": "ada"},
            )
        },
    ),
)
