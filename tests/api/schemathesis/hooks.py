"""What schemathesis cannot know from the document: ids of things that exist, and rules that JSON Schema has no words for.

Nothing here switches a check off. A refusal passes only under the code of a rule that is listed below with its reason.
"""

import json
import os
import zlib
from typing import Any

import requests
import schemathesis

BASE, KEY = os.environ["POCKETID_URL"], os.environ["POCKETID_API_KEY"]
script = requests.Session()
script.headers["X-API-Key"] = KEY
NOBODY = "00000000-0000-4000-8000-000000000000"
OUR_OWN = "00000000-0000-0000-0000-000000000000"  # the person whose key this is


def _first(path: str, body: dict[str, Any]) -> str:
    """The id of the newest thing in a list, made when there is none."""
    found = script.get(f"{BASE}{path}", params={"limit": 1, "sort[column]": "createdAt", "sort[direction]": "desc"})
    for each in found.json()["data"]:
        if each["id"] != OUR_OWN:
            return str(each["id"])
    made = script.post(f"{BASE}{path}", json=body)
    return str(made.json().get("id", NOBODY))


def _secret(client_id: str) -> str:
    made = script.post(f"{BASE}/api/oidc/clients/{client_id}/secrets", json={})
    return str(made.json().get("id", NOBODY))


def _provider(client_id: str) -> str:
    path = f"{BASE}/api/oidc/clients/{client_id}/scim-service-provider"
    body = {"endpoint": "https://app.example.org/scim", "oidcClientId": client_id}
    found = script.get(path)
    return str(
        (found if found.ok else script.post(f"{BASE}/api/scim/service-provider", json=body)).json().get("id", NOBODY)
    )


NEW = {
    "user_id": ("/api/users", {"username": "grace", "email": "grace@example.org"}),
    "group_id": ("/api/user-groups", {"name": "admins", "friendlyName": "Admins"}),
    "client_id": ("/api/oidc/clients", {"name": "Board"}),
    "api_id": ("/api/apis", {"name": "Orders", "resource": "https://orders.example.org"}),
    "token_id": ("/api/signup-tokens", {"ttl": "1h", "usageLimit": 1}),
}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Four times in five the id of something that exists: of a random one only 404 can be learned."""
    given = case.path_parameters or {}
    for name, value in given.items():
        if zlib.crc32(repr(value).encode()) % 5 == 0:
            continue
        if name in NEW:
            given[name] = _first(*NEW[name])
        elif name == "secret_id":
            given[name] = _secret(given["client_id"])
        elif name == "provider_id":
            given[name] = _provider(_first(*NEW["client_id"]))


def _is_no_endpoint(response: Any) -> bool:
    """Contract section 1.1: a method that is not there is an address that is not there, and clients compare the body."""
    return response.status_code == 404 and response.json() == {"error": "API endpoint not found"}


# Codes of refusals that no schema can foresee.
RULES = {
    "invalid_image": "which bytes are a picture",
    "file_type_not_supported": "the same",
    "logo_download_failed": "what another server answers",
    "logo_type_not_supported": "the same",
    "duplicate_claim": "a member of the items of a list that is unique",
    "invalid_api_key_expiration": "a time in the future",
    "invalid_email_verification_token": "a token that this server gave",
}
# Codes of wrong fields that no schema can foresee.
FIELD_RULES = {
    "duplicate": "a member of the items of a list that is unique",
    "callback_url_pattern": "what an address is, and which wildcards are harmless",
}
FIELDS = {
    ("email", "required"): "people need an address while the settings say so",
    ("signupDefaultUserGroupIDs", "invalid_format"): "JSON inside a text",
    ("signupDefaultCustomClaims", "invalid_format"): "JSON inside a text",
    ("cimdUrlAllowlist", "invalid_format"): "JSON inside a text",
    ("accentColor", "invalid_format"): "which words are colours",
    ("resource", "invalid_format"): "an address that is not this server's own",
    ("launchURL", "invalid_format"): "what an address is",
    ("endpoint", "invalid_format"): "what an address is",
    ("backchannelLogoutURL", "invalid_format"): "what an address is, and https for public clients",
    ("credentials.federatedIdentities[0].jwks", "invalid_format"): "what an address is",
    ("credentials.jwksUri", "invalid_format"): "what an address is",
    ("file", "required"): "a part without a file name is no file",
}
SENTENCES = ("Client is not a client ID metadata document client", "key", "secret")


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    kind = type(failure).__name__
    if kind == "UnsupportedMethodResponse":
        return not _is_no_endpoint(response)
    if kind == "RejectedPositiveData":
        return not _is_foreseen(response)
    return True


def _is_foreseen(response: Any) -> bool:
    body = json.loads(response.content)
    if body["code"] in RULES:
        return True
    fields = body.get("details", {}).get("fields", [])
    if body["code"] == "validation_failed" and not fields:  # a rule between several fields, said in a sentence
        return any(word in body["error"] for word in SENTENCES)
    return bool(fields) and all(
        each["code"] in FIELD_RULES or (each["field"], each["code"]) in FIELDS for each in fields
    )
