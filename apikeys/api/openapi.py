"""What the operations of :mod:`apikeys.api` do, in the words of OpenAPI."""

from typing import Any

from accounts.errors import ReauthenticationRequired
from apikeys import scopes
from apikeys.api import keys
from apikeys.errors import ApiKeyNotExpired, ApiKeyNotFound, InvalidApiKeyExpiration
from core.openapi import EXAMPLES, IDS, MEMBERS, Operation, Page, Raw, describe
from core.openapi_fields import field_schema

KEYS = "API keys"
KEY_ID = "3f9b1c70-52de-4c0e-9a8f-6b7d5e4c3a21"
IDS["key_id"] = {"type": "string", "examples": [KEY_ID], "description": "The id of an API key."}
_KEY: dict[str, Any] = {
    "id": KEY_ID,
    "name": "Terraform",
    "description": None,
    "expiresAt": "2027-11-21T16:00:00Z",
    "lastUsedAt": None,
    "createdAt": "2026-11-21T16:00:00Z",
    "expirationEmailSent": False,
    "prefix": "pid_h7Kq2Z",
    "scopes": [],
    "lastUsedFrom": None,
}
EXAMPLES |= {
    keys.ApiKeySerializer: _KEY,
    keys.NewApiKeyInput: {"name": "Terraform", "expiresAt": "2027-11-21T16:00:00Z", "scopes": ["users:read"]},
    keys.RenewalInput: {"expiresAt": "2028-11-21T16:00:00Z"},
}
MEMBERS[keys.ApiKeySerializer, "scopes"] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "None: whatever its owner may do.",
}
field_schema(keys.ScopeList, {"type": "array", "items": {"type": "string", "enum": list(scopes.ALL)}})

_SHOWN_ONCE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "apiKey": {"$ref": "#/components/schemas/ApiKey"},
        "token": {"type": "string", "description": "The key itself, which is shown this once."},
    },
    "required": ["apiKey", "token"],
}
_WITH_SECRET = Raw(_SHOWN_ONCE, {"apiKey": _KEY, "token": "pid_h7Kq2ZrW9xTb4NvC…"})

describe(
    KEYS,
    keys.ApiKeyList,
    get=Operation("listApiKeys", "List one's own API keys", {200: Page(keys.ApiKeySerializer, keys.RULES)}),
    post=Operation(
        "createApiKey",
        "Make an API key",
        {201: _WITH_SECRET},
        "By a person's session only, shortly after signing in. A session that came as a bearer token ends with this call."
        " Without `scopes` the key may do whatever its owner may. The type of the body does not matter.",
        keys.NewApiKeyInput,
        any_content_type=True,
        errors=(InvalidApiKeyExpiration, ReauthenticationRequired),
    ),
)
describe(
    KEYS,
    keys.ApiKeyRenewal,
    post=Operation(
        "renewApiKey",
        "Renew a key that has expired",
        {200: _WITH_SECRET},
        "The same key with a new secret.",
        keys.RenewalInput,
        errors=(InvalidApiKeyExpiration, ReauthenticationRequired, ApiKeyNotFound, ApiKeyNotExpired),
    ),
)
describe(
    KEYS,
    keys.ApiKeyDetail,
    delete=Operation("deleteApiKey", "Revoke an API key", {204: None}, "It ends at once.", errors=(ApiKeyNotFound,)),
)
