"""Apps and their secrets: what these operations of :mod:`oidc.api` do, in the words of OpenAPI."""

from typing import Any

from drf_spectacular.utils import extend_schema_field

from accounts.api.openapi import GROUP_ID, WHEN
from accounts.api.user_groups import GroupSerializer
from accounts.api.users import GroupMinimalSerializer
from accounts.errors import UserNotFound
from core.errors import ValidationFailed
from core.openapi import (
    EXAMPLES,
    IDS,
    LEFT_OUT,
    MEMBERS,
    MODELS,
    Many,
    Operation,
    Page,
    Raw,
    describe,
    query,
)
from core.openapi_fields import field_schema
from oidc import logos, web_addresses
from oidc.api import (
    client_input,
    client_preview,
    client_secrets,
    clients,
    fields,
    group_clients,
)
from oidc.clients import ClientIdTaken, ClientRefused
from oidc.errors import AppDeniesAccess
from oidc.models import Client, ClientSecret

CLIENTS, SECRETS = "Apps", "Secrets of apps"
CLIENT, SECRET_ID = "OIDC client", "9a7d5c31-4e2b-4f80-b6c9-0d1e2f3a4b5c"

IDS |= {
    "client_id": {
        "type": "string",
        "examples": ["wiki"],
        "description": "The client ID; one that is an address is written as `~` and its base64url without padding.",
    },
    "secret_id": {"type": "string", "examples": [SECRET_ID], "description": "The id of a secret."},
}
MODELS |= {clients.ClientMetaSerializer: Client, client_secrets.SecretSerializer: ClientSecret}

# Fields

_ADDRESS = {"type": "string", "maxLength": web_addresses.MAX_LENGTH, "pattern": r"^https?://"}
field_schema(
    fields.Pattern,
    {
        "type": "string",
        "examples": ["https://app.example.org/callback"],
        "description": "A callback address with its scheme; `*` stands for part of a component.",
        "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*:",
    },
)
field_schema(fields.WebAddress, _ADDRESS)
field_schema(fields.OrNull, {"type": ["string", "null"]})
field_schema(fields.Lines, {"type": "array", "items": {"type": "string"}})
_LISTENER = {"anyOf": [_ADDRESS, {"type": "string", "const": ""}]}
_LIFETIME = {
    "type": "integer",
    "minimum": 0,
    "maximum": client_input.LONGEST_LIFETIME,
    "description": "0 is the default.",
}
MEMBERS |= {
    (client_input.ClientInput, "backchannelLogoutURL"): _LISTENER,
    (client_input.ClientInput, "accessTokenDurationMinutes"): _LIFETIME,
    (client_input.ClientInput, "idTokenDurationMinutes"): _LIFETIME,
    (client_input.ClientInput, "refreshTokenAbsoluteDurationMinutes"): {
        "type": "integer",
        "minimum": 0,
        "maximum": 10 * client_input.LONGEST_LIFETIME,
        "description": "When a chain of refresh tokens ends however often it is used; 0 is never.",
    },
    (client_input.ClientInput, "refreshTokenDurationMinutes"): _LIFETIME,
    (client_input.ClientInput, "signingAlgorithm"): {"type": "string", "enum": list(Client.Algorithm.values)},
    (client_input.ClientInput, "refreshTokens"): {"type": "string", "enum": list(Client.RefreshTokens.values)},
    (client_input.NewClientInput, "id"): {"type": "string", "pattern": r"^([a-zA-Z0-9._-]{2,128})?$"},
    (client_input.ClientInput, "launchURL"): _ADDRESS,
    (client_input.FederatedIdentityInput, "jwks"): _LISTENER,
    (client_input.CredentialsInput, "jwksUri"): _LISTENER,
    (client_input.CredentialsInput, "jwks"): {
        "type": ["object", "array"],
        "description": "A JWK Set, a list of public keys or one key (RFC 7517).",
    },
    (client_input.FederatedIdentityInput, "publicKeys"): {"type": "array", "items": {"type": "object"}},
    (client_secrets.OwnSecretInput, "secret"): {"type": "string", "pattern": r"^([ -~]{16,255})?$"},
}

_SECRET = {
    "id": SECRET_ID,
    "prefix": "h7Kq",
    "createdAt": WHEN,
    "expiresAt": None,
    "lastUsedAt": None,
    "isActive": True,
}
_IDENTITY = {
    "issuer": "https://token.actions.example.com",
    "subject": "repo:example/wiki",
    "replayProtection": True,
}
_KEY = {"kty": "EC", "crv": "P-256", "kid": "build", "use": "sig", "x": "…", "y": "…"}
META: dict[str, Any] = {
    "id": "wiki",
    "name": "Wiki",
    "description": "",
    "hasLogo": False,
    "hasDarkLogo": False,
    "launchURL": "https://wiki.example.org",
    "requiresReauthentication": False,
    "clientType": "standard",
}
_CLIENT = META | {
    "callbackURLs": ["https://wiki.example.org/callback"],
    "logoutCallbackURLs": [],
    "backchannelLogoutURL": "",
    "backchannelLogoutOnSessionExpiry": True,
    "isPublic": False,
    "pkceEnabled": True,
    "requiresPushedAuthorizationRequests": False,
    "skipConsent": False,
    "isGroupRestricted": True,
    "accessTokenDurationMinutes": 60,
    "idTokenDurationMinutes": 60,
    "refreshTokenDurationMinutes": 43200,
    "refreshTokenAbsoluteDurationMinutes": 0,
    "claimsInIdToken": True,
    "refreshTokens": "offline_access",
    "signingAlgorithm": "RS256",
    "credentials": {"secrets": [_SECRET]},
}
_WITH_GROUPS = _CLIENT | {"allowedUserGroups": []}
_INPUT = {
    "name": "Wiki",
    "callbackURLs": ["https://wiki.example.org/callback"],
    "pkceEnabled": True,
    "isGroupRestricted": True,
    "launchURL": "https://wiki.example.org",
}
EXAMPLES |= {
    clients.ClientMetaSerializer: META,
    clients.ClientSerializer: _CLIENT,
    clients.ClientWithGroupsSerializer: _WITH_GROUPS,
    clients.ClientInListSerializer: _WITH_GROUPS | {"allowedUserGroupsCount": 0},
    clients.AllowedGroupsInput: {"userGroupIds": [GROUP_ID]},
    client_input.ClientInput: _INPUT,
    client_input.NewClientInput: {"id": "wiki"} | _INPUT,
    client_secrets.SecretSerializer: _SECRET,
    client_secrets.SecretInput: {"expiresAt": "2027-11-21T16:00:00Z"},
    client_secrets.OwnSecretInput: {},
    group_clients.ClientIdsInput: {"oidcClientIds": ["wiki"]},
}
_KEY_SET: dict[str, Any] = {
    "type": "object",
    "properties": {"keys": {"type": "array", "items": {"type": "object"}}},
    "required": ["keys"],
}
_FEDERATED = {
    "type": "object",
    "description": "A token of this issuer with this subject stands for the client's secret (RFC 7523).",
    "properties": {
        "issuer": {"type": "string"},
        "subject": {"type": "string"},
        "audience": {"type": "string"},
        "jwks": {"type": "string", "description": "Where the issuer's keys are."},
        "publicKeys": {"type": "array", "items": {"type": "object"}, "description": "The issuer's keys (RFC 7517)."},
        "replayProtection": {"type": "boolean"},
    },
    "required": ["issuer", "replayProtection"],
    "examples": [_IDENTITY],
}
extend_schema_field(
    {
        "type": "object",
        "properties": {
            "federatedIdentities": {"type": "array", "items": _FEDERATED, "minItems": 1},
            "jwks": _KEY_SET | {"description": "The app's own public keys (RFC 7517)."},
            "jwksUri": {"type": "string", "description": "Where the app's own keys are."},
            "secrets": {"type": "array", "items": {"$ref": "#/components/schemas/Secret"}},
        },
        "required": ["secrets"],
    }
)(clients.ClientSerializer.get_credentials)
extend_schema_field(GroupMinimalSerializer(many=True))(clients.ClientWithGroupsSerializer.get_allowedUserGroups)
extend_schema_field(clients.ClientMetaSerializer(many=True))(GroupSerializer.get_allowedOidcClients)
LEFT_OUT[clients.ClientSerializer] = ("pkceSupported",)
_LOGO_ERRORS = (logos.LogoDownloadFailed, logos.LogoTypeNotSupported, logos.LogoTooLarge)
WITH_GROUPS = clients.ClientWithGroupsSerializer

describe(
    CLIENTS,
    clients.ClientList,
    get=Operation("listClients", "List apps", {200: Page(clients.ClientInListSerializer, clients.ClientList.rules)}),
    post=Operation(
        "createClient",
        "Add an app",
        {
            201: Raw(
                {
                    "allOf": [{"$ref": "#/components/schemas/ClientWithGroups"}],
                    "type": "object",
                    "properties": {"createdSecret": {"$ref": "#/components/schemas/SecretShownOnce"}},
                },
                _WITH_GROUPS | {"createdSecret": _SECRET | {"secret": "h7Kq2ZrW9xTb4NvCh7Kq2ZrW9xTb4NvC"}},
            )
        },
        "A confidential app gets its first secret at once, in `createdSecret`, unless the settings say otherwise.",
        client_input.NewClientInput,
        errors=(ClientIdTaken, ClientRefused, *_LOGO_ERRORS),
    ),
)
describe(
    CLIENTS,
    clients.ClientDetail,
    get=Operation("getClient", "Show an app", {200: WITH_GROUPS}, missing=(CLIENT,)),
    put=Operation(
        "updateClient",
        "Change an app",
        {200: WITH_GROUPS},
        "Replaces everything: what is left out is reset. Secrets, logos, `backchannelLogoutOnSessionExpiry`, `claimsInIdToken`, `refreshTokens` and `signingAlgorithm` stay.",
        client_input.ClientInput,
        errors=(ClientRefused, *_LOGO_ERRORS),
        missing=(CLIENT,),
    ),
    delete=Operation(
        "deleteClient", "Delete an app", {204: None}, "With its secrets, tokens and consents.", missing=(CLIENT,)
    ),
)
describe(
    CLIENTS,
    clients.ClientMeta,
    get=Operation(
        "getClientMeta", "What everybody may know of an app", {200: clients.ClientMetaSerializer}, missing=(CLIENT,)
    ),
)
describe(
    CLIENTS,
    clients.ClientRefresh,
    post=Operation(
        "refreshClient",
        "Read an app's metadata document again",
        {200: clients.ClientSerializer},
        "Only for apps that have one, which this server does not know yet.",
        errors=(ClientRefused,),
        missing=(CLIENT,),
    ),
)
describe(
    CLIENTS,
    clients.AllowedGroups,
    put=Operation(
        "setGroupsOfClient",
        "Say which groups may use an app",
        {200: clients.ClientSerializer},
        "These and no others, in this order; ids of no group are left out. It matters while `isGroupRestricted` is on.",
        clients.AllowedGroupsInput,
        missing=(CLIENT,),
    ),
)
describe(
    CLIENTS,
    group_clients.ClientsOfGroup,
    put=Operation(
        "setClientsOfGroup",
        "Say which apps a group may use",
        {200: GroupSerializer},
        "These and no others; ids of no app are left out.",
        group_clients.ClientIdsInput,
        missing=("User group",),
    ),
)
_CLAIMS = {"type": "object", "additionalProperties": True}
describe(
    CLIENTS,
    client_preview.ClientPreview,
    get=Operation(
        "previewClient",
        "Show what an app would be told of a person",
        {
            200: Raw(
                {
                    "type": "object",
                    "properties": {"idToken": _CLAIMS, "accessToken": _CLAIMS, "userInfo": _CLAIMS},
                    "required": ["accessToken", "idToken", "userInfo"],
                },
                {"idToken": {"sub": "7b2f4c1e-9d0a-4f6b-8e35-2a1c6d7f0b94"}, "accessToken": {}, "userInfo": {}},
            )
        },
        "`iat` and `exp` are times in RFC 3339 here.",
        errors=(ValidationFailed, AppDeniesAccess, UserNotFound),
        missing=(CLIENT,),
        parameters=(
            query(
                "scopes",
                {"type": "string", "pattern": r"\S", "examples": ["openid profile"]},
                "Scopes with blanks between them.",
                required=True,
            ),
        ),
    ),
)

# Secrets

_SHOWN_ONCE = Raw(
    {"$ref": "#/components/schemas/SecretShownOnce"}, _SECRET | {"secret": "h7Kq2ZrW9xTb4NvCh7Kq2ZrW9xTb4NvC"}
)
describe(
    SECRETS,
    client_secrets.Secrets,
    get=Operation(
        "listSecrets", "List an app's secrets", {200: Many(client_secrets.SecretSerializer)}, missing=(CLIENT,)
    ),
    post=Operation(
        "createSecret",
        "Make a secret",
        {201: _SHOWN_ONCE},
        "Beside those there are, up to 20. Its text is shown this once.",
        client_secrets.SecretInput,
        body_may_be_missing=True,
        errors=(ClientRefused,),
        missing=(CLIENT,),
    ),
)
describe(
    SECRETS,
    client_secrets.SecretDetail,
    delete=Operation(
        "deleteSecret", "Delete a secret", {204: None}, "It stops working at once.", missing=(CLIENT, "Client secret")
    ),
)
describe(
    SECRETS,
    client_secrets.OnlySecret,
    post=Operation(
        "replaceSecrets",
        "Make a secret in the place of all others",
        {
            200: Raw(
                {"type": "object", "properties": {"secret": {"type": "string"}}, "required": ["secret"]},
                {"secret": "h7Kq2ZrW9xTb4NvC"},
            )
        },
        "What versions up to 2.13 had; Terraform and Ansible call it.",
        client_secrets.OwnSecretInput,
        body_may_be_missing=True,
        any_content_type=True,
        errors=(ClientRefused,),
        missing=(CLIENT,),
        is_old=True,
    ),
)

SCHEMAS: dict[str, Any] = {
    "SecretShownOnce": {
        "allOf": [{"$ref": "#/components/schemas/Secret"}],
        "type": "object",
        "properties": {"secret": {"type": "string", "description": "The secret itself, which is shown this once."}},
        "required": ["secret"],
    }
}
