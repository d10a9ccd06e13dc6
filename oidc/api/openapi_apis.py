"""APIs, who may call them, and SCIM providers: what these operations of :mod:`oidc.api` do, in the words of OpenAPI."""

from typing import Any

from accounts.api.openapi import WHEN
from core.errors import AlreadyInUse
from core.openapi import EXAMPLES, IDS, LEFT_OUT, MEMBERS, MODELS, NAMES, Operation, Page, Raw, describe
from oidc import scim_providers as providers
from oidc.api import api_access, api_resources, scim_providers
from oidc.api.openapi import CLIENT, META
from oidc.api_access import MAX_AUDIENCE, RESERVED_KEYS
from oidc.models import ApiPermission, ApiResource, Client, ScimProvider

APIS, SCIM = "APIs", "SCIM"
API_ID, PERMISSION_ID = "5d2c8e14-7b3a-4f96-8a0d-1c2b3d4e5f60", "a0b1c2d3-e4f5-4678-89ab-cdef01234567"
PROVIDER_ID = "b8f7e6d5-c4b3-42a1-9081-7f6e5d4c3b2a"
IDS |= {
    "api_id": {"type": "string", "examples": [API_ID], "description": "The id of an API."},
    "provider_id": {"type": "string", "examples": [PROVIDER_ID], "description": "The id of a SCIM service provider."},
}
MODELS |= {
    api_access.ClientBriefSerializer: Client,
    api_resources.PermissionSerializer: ApiPermission,
    api_resources.ApiSerializer: ApiResource,
    scim_providers.ScimProviderSerializer: ScimProvider,
}
MEMBERS |= {
    (api_resources.ApiInput, "resource"): {
        "type": "string",
        "maxLength": MAX_AUDIENCE,
        "pattern": r"^[a-zA-Z][a-zA-Z0-9+.-]*:[!-\"$-~]*[!-\"$-.0-~]/*$",
        "examples": ["https://orders.example.org"],
    },
    (api_resources.PermissionInput, "key"): {
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "pattern": r"^[!#-\[\]-~]+$",
        "not": {"enum": sorted(RESERVED_KEYS)},
    },
}
NAMES |= {api_resources.NameInput: "ApiNameInput", api_resources.MetadataAccessInput: "MetadataClientAccessInput"}
LEFT_OUT[api_resources.PermissionSerializer] = ("description",)
LEFT_OUT[api_resources.ApiSerializer] = ("introspectionClientId",)
MEMBERS[api_resources.ApiSerializer, "introspectionClientId"] = {
    "type": "string",
    "description": "The app that may ask about the tokens for this API.",
}

_PERMISSION = {"id": PERMISSION_ID, "key": "orders:read", "name": "Read orders", "allowedForCimdClients": False}
_API = {
    "id": API_ID,
    "name": "Orders",
    "resource": "https://orders.example.org",
    "createdAt": WHEN,
    "permissions": [_PERMISSION],
    "allowCimdClients": False,
}
_BRIEF = {name: META[name] for name in ("id", "name", "clientType", "hasLogo", "hasDarkLogo")} | {"isPublic": False}
_PROVIDER = {
    "id": PROVIDER_ID,
    "endpoint": "https://wiki.example.org/scim/v2",
    "token": "XXXXXXXXXX",
    "lastSyncedAt": None,
    "oidcClient": META,
    "createdAt": WHEN,
}
_GRANT = {
    "userDelegatedAccess": True,
    "clientAccess": False,
    "userDelegatedPermissionIds": [PERMISSION_ID],
    "clientPermissionIds": [],
}
_METADATA = {"cimdGrantedAccess": False, "cimdGrantedPermissionIds": []}
EXAMPLES |= {
    api_resources.ApiSerializer: _API,
    api_resources.ApiInput: {"name": "Orders", "resource": "https://orders.example.org"},
    api_resources.NameInput: {"name": "Orders"},
    api_resources.PermissionsInput: {"permissions": [{"key": "orders:read", "name": "Read orders"}]},
    api_resources.MetadataAccessInput: {"enabled": True, "permissionIds": [PERMISSION_ID]},
    api_access.ClientBriefSerializer: _BRIEF,
    api_access.AccessInput: _GRANT,
    scim_providers.ScimProviderSerializer: _PROVIDER,
    scim_providers.ScimProviderInput: {
        "endpoint": _PROVIDER["endpoint"],
        "token": "a-token-of-the-wiki",
        "oidcClientId": "wiki",
    },
}
_IDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}
_FLAG = {"type": "boolean"}
_GRANT_MEMBERS: dict[str, Any] = {
    "userDelegatedAccess": _FLAG | {"description": "For people who are signed in to the app."},
    "clientAccess": _FLAG | {"description": "For the app itself."},
    "userDelegatedPermissionIds": _IDS,
    "clientPermissionIds": _IDS,
}
_METADATA_MEMBERS: dict[str, Any] = {"cimdGrantedAccess": _FLAG, "cimdGrantedPermissionIds": _IDS}


def _object(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    return {"type": "object", "properties": members, "required": sorted(members)}


_API_AND_GRANT = _object(api={"$ref": "#/components/schemas/Api"}, **_GRANT_MEMBERS, **_METADATA_MEMBERS)
SCHEMAS = {
    "ClientAccess": _object(client={"$ref": "#/components/schemas/ClientBrief"}, **_GRANT_MEMBERS, **_METADATA_MEMBERS)
}
_CLIENT_ACCESS = Raw({"$ref": "#/components/schemas/ClientAccess"}, {"client": _BRIEF} | _GRANT | _METADATA)
API = api_resources.ApiSerializer

describe(
    APIS,
    api_resources.ApiList,
    get=Operation("listApis", "List APIs", {200: Page(API, api_resources.RULES)}),
    post=Operation(
        "createApi",
        "Add an API",
        {201: API},
        "`resource` is what apps ask for (RFC 8707); it cannot change.",
        api_resources.ApiInput,
        errors=(AlreadyInUse,),
        missing=(CLIENT,),
    ),
)
describe(
    APIS,
    api_resources.ApiDetail,
    get=Operation("getApi", "Show an API", {200: API}, missing=("API",)),
    put=Operation("renameApi", "Change an API", {200: API}, body=api_resources.NameInput, missing=("API", CLIENT)),
    delete=Operation("deleteApi", "Delete an API", {204: None}, "With everybody's access to it.", missing=("API",)),
)
describe(
    APIS,
    api_resources.ApiPermissions,
    put=Operation(
        "setPermissions",
        "Say which permissions an API has",
        {200: API},
        "These and no others. One whose `key` stays keeps its id and whoever has it.",
        api_resources.PermissionsInput,
        missing=("API",),
    ),
)
describe(
    APIS,
    api_resources.ApiMetadataAccess,
    put=Operation(
        "setMetadataClientAccess",
        "Say what apps may have that are known by a metadata document",
        {200: API},
        body=api_resources.MetadataAccessInput,
        missing=("API",),
    ),
)
describe(
    APIS,
    api_access.ClientsOfApi,
    get=Operation(
        "listClientsOfApi",
        "List the apps that may call an API",
        {200: Page(_CLIENT_ACCESS, api_access.CLIENTS)},
        missing=("API",),
    ),
)
describe(
    APIS,
    api_access.AssignableClients,
    get=Operation(
        "listAssignableClients",
        "List the apps that may not call an API",
        {200: Page(api_access.ClientBriefSerializer, api_access.CLIENTS)},
        missing=("API",),
    ),
)
describe(
    APIS,
    api_access.ClientOfApi,
    put=Operation(
        "grantAccess",
        "Let an app call an API",
        {200: Raw(_object(**_GRANT_MEMBERS), _GRANT)},
        "A permission implies access. Ids of other APIs' permissions are left out. An app without a secret gets nothing for itself.",
        api_access.AccessInput,
        missing=("API", CLIENT),
    ),
    delete=Operation("revokeAccess", "Let an app call an API no more", {204: None}, missing=("API", CLIENT)),
)
describe(
    APIS,
    api_access.ApisOfClient,
    get=Operation(
        "listApisOfClient",
        "List the APIs that an app may call",
        {200: Raw({"type": "array", "items": _API_AND_GRANT}, [{"api": _API} | _GRANT | _METADATA])},
        missing=(CLIENT,),
    ),
)
describe(
    APIS,
    api_access.AssignableApis,
    get=Operation(
        "listAssignableApis",
        "List the APIs that an app may not call",
        {200: Page(API, api_resources.RULES)},
        missing=(CLIENT,),
    ),
)

# SCIM

PROVIDER = scim_providers.ScimProviderSerializer
describe(
    SCIM,
    scim_providers.ScimProviders,
    post=Operation(
        "createScimProvider",
        "Name the SCIM address of an app",
        {201: PROVIDER},
        "One for each app. The token is shown in clear to an API key with every right only.",
        scim_providers.ScimProviderInput,
        errors=(AlreadyInUse,),
        missing=(CLIENT,),
    ),
)
describe(
    SCIM,
    scim_providers.ScimProviderDetail,
    put=Operation(
        "updateScimProvider",
        "Change the SCIM address of an app",
        {200: PROVIDER},
        "A masked token changes nothing. Whoever is not shown the token names it again together with another address.",
        body=scim_providers.ScimProviderInput,
        errors=(AlreadyInUse,),
        missing=("SCIM service provider", CLIENT),
    ),
    delete=Operation(
        "deleteScimProvider", "Forget the SCIM address of an app", {204: None}, missing=("SCIM service provider",)
    ),
)
describe(
    SCIM,
    scim_providers.ScimSync,
    post=Operation(
        "syncScimProvider",
        "Send people and groups to an app",
        {200: None},
        "This server keeps the addresses and does not send yet: it says so.",
        errors=(providers.SyncNotAvailable,),
        missing=("SCIM service provider",),
    ),
)
describe(
    SCIM,
    scim_providers.ScimProviderOfClient,
    get=Operation(
        "getScimProviderOfClient",
        "Show the SCIM address of an app",
        {200: PROVIDER},
        missing=("SCIM service provider",),
    ),
)
