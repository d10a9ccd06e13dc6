"""People, groups and claims: what the operations of :mod:`accounts.api` do, in the words of OpenAPI."""

from typing import Any

from drf_spectacular.utils import extend_schema_field

from accounts.api import custom_claims, pictures, user_groups, users
from accounts.errors import AdministratorsAreOffLimits, DuplicateClaim, LastAdministrator, ReservedClaim, UserNotFound
from accounts.models.user import USERNAME
from accounts.pictures import MAX_BYTES
from core.claim_names import RESERVED_CLAIMS
from core.errors import AlreadyInUse, FileTooLarge, InvalidImage, ValidationFailed
from core.openapi import (
    EXAMPLES,
    IDS,
    MEMBERS,
    SKIP_CACHE,
    Many,
    Operation,
    Page,
    Picture,
    Raw,
    Upload,
    describe,
)
from core.openapi_fields import field_schema, text
from core.openapi_refusals import made_with

PEOPLE, GROUPS, CLAIMS = "People", "Groups", "Custom claims"

USER_ID, GROUP_ID = "7b2f4c1e-9d0a-4f6b-8e35-2a1c6d7f0b94", "0f4d2a86-3c17-4b59-a1e8-5d6f7c8b9a01"
WHEN = "2026-11-21T16:00:00Z"

IDS |= {
    "user_id": {"type": "string", "examples": [USER_ID], "description": "The id of a person."},
    "group_id": {"type": "string", "examples": [GROUP_ID], "description": "The id of a group."},
}
PROFILE_PICTURE = {
    "user_id": {"type": "string", "format": "uuid", "examples": [USER_ID], "description": "The id of a person."}
}

made_with(AlreadyInUse, lambda: AlreadyInUse("username"))
made_with(FileTooLarge, lambda: FileTooLarge(MAX_BYTES))
made_with(ReservedClaim, lambda: ReservedClaim("sub"))
made_with(DuplicateClaim, lambda: DuplicateClaim("role"))

# Fields

field_schema(
    users.Username,
    lambda field: (
        text(field)
        | {"pattern": "^" + USERNAME.pattern.removeprefix(r"\A").removesuffix(r"\Z") + "$", "examples": ["ada"]}
    ),
)
MEMBERS[users.PersonSerializer, "username"] = {"type": "string"}
MEMBERS[custom_claims.ClaimInput, "key"] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "not": {"enum": sorted(RESERVED_CLAIMS)},
}
for method in (user_groups.MemberSerializer.get_customClaims, user_groups.MemberSerializer.get_userGroups):
    extend_schema_field({"type": "array", "items": {}, "maxItems": 0})(method)

# Examples

_CLAIM = {"key": "department", "value": "Research"}
GROUP_SHOWN = {
    "id": GROUP_ID,
    "friendlyName": "Family",
    "name": "family",
    "customClaims": [_CLAIM],
    "userCount": 4,
    "ldapId": None,
    "createdAt": WHEN,
}
PERSON: dict[str, Any] = {
    "id": USER_ID,
    "username": "ada",
    "email": "ada@example.org",
    "emailVerified": True,
    "firstName": "Ada",
    "lastName": "Lovelace",
    "displayName": "Ada Lovelace",
    "isAdmin": False,
    "locale": None,
    "customClaims": [],
    "userGroups": [GROUP_SHOWN],
    "ldapId": None,
    "disabled": False,
}
_NEW_USER = {
    name: PERSON[name] for name in ("username", "email", "emailVerified", "firstName", "lastName", "displayName")
}
_CLIENT = {
    "id": "wiki",
    "name": "Wiki",
    "description": "",
    "hasLogo": False,
    "hasDarkLogo": False,
    "launchURL": None,
    "requiresReauthentication": False,
    "clientType": "standard",
}
EXAMPLES |= {
    users.UserSerializer: PERSON,
    user_groups.MemberSerializer: PERSON | {"userGroups": []},
    users.UserInput: _NEW_USER,
    users.NewUserInput: _NEW_USER | {"userGroupIds": [GROUP_ID]},
    users.GroupIdsInput: {"userGroupIds": [GROUP_ID]},
    users.CustomClaimSerializer: _CLAIM,
    users.GroupMinimalSerializer: GROUP_SHOWN,
    user_groups.GroupSerializer: {name: GROUP_SHOWN[name] for name in GROUP_SHOWN if name != "userCount"}
    | {"users": [PERSON | {"userGroups": []}], "allowedOidcClients": [_CLIENT]},
    user_groups.GroupInput: {"friendlyName": "Family", "name": "family"},
    user_groups.UserIdsInput: {"userIds": [USER_ID]},
    custom_claims.ClaimInput: _CLAIM,
}
USER, GROUP = users.UserSerializer, user_groups.GroupSerializer

# People

describe(
    PEOPLE,
    users.UserList,
    get=Operation("listUsers", "List people", {200: Page(USER, users.RULES)}),
    post=Operation(
        "createUser",
        "Add a person",
        {201: USER},
        "Without `userGroupIds` the person gets the groups of the sign-up settings, and their claims in any case.",
        users.NewUserInput,
        errors=(AlreadyInUse, AdministratorsAreOffLimits),
    ),
)
describe(
    PEOPLE,
    users.UserDetail,
    get=Operation("getUser", "Show a person", {200: USER}, errors=(UserNotFound,)),
    put=Operation(
        "updateUser",
        "Change a person",
        {200: USER},
        "Replaces everything: what is left out is emptied. Groups and claims stay.",
        users.UserInput,
        errors=(UserNotFound, AlreadyInUse, LastAdministrator, AdministratorsAreOffLimits),
    ),
    delete=Operation(
        "deleteUser",
        "Delete a person",
        {204: None},
        errors=(UserNotFound, LastAdministrator, AdministratorsAreOffLimits),
    ),
)
describe(
    PEOPLE,
    users.OwnAccount,
    get=Operation("getOwnUser", "Show one's own account", {200: USER}),
    put=Operation(
        "updateOwnUser",
        "Change one's own account",
        {200: USER},
        "`isAdmin`, `disabled` and `emailVerified` are ignored; where people may not edit their accounts, all but `locale`.",
        users.UserInput,
        errors=(AlreadyInUse, AdministratorsAreOffLimits),
    ),
)
describe(
    PEOPLE,
    users.UserGroups,
    put=Operation(
        "setGroupsOfUser",
        "Put a person into groups",
        {200: USER},
        "Into these and no others; ids of no group are left out.",
        users.GroupIdsInput,
        errors=(UserNotFound, AdministratorsAreOffLimits),
    ),
)
describe(
    PEOPLE,
    user_groups.GroupsOfUser,
    get=Operation("listGroupsOfUser", "List a person's groups", {200: Many(GROUP)}, errors=(UserNotFound,)),
)
describe(
    PEOPLE,
    pictures.ProfilePicture,
    put=Operation(
        "setProfilePicture",
        "Set a person's picture",
        {204: None},
        body=Upload,
        errors=(UserNotFound, InvalidImage, FileTooLarge, AdministratorsAreOffLimits),
    ),
    delete=Operation(
        "resetProfilePicture",
        "Take a person's picture away",
        {204: None},
        errors=(UserNotFound, AdministratorsAreOffLimits),
    ),
)
describe(
    PEOPLE,
    pictures.OwnProfilePicture,
    put=Operation(
        "setOwnProfilePicture",
        "Set one's own picture",
        {204: None},
        body=Upload,
        errors=(InvalidImage, FileTooLarge, AdministratorsAreOffLimits),
    ),
    delete=Operation(
        "resetOwnProfilePicture", "Take one's own picture away", {204: None}, errors=(AdministratorsAreOffLimits,)
    ),
)
describe(
    PEOPLE,
    pictures.ProfilePictureFile,
    get=Operation(
        "getProfilePicture",
        "A person's picture",
        {200: Picture(("image/png",))},
        errors=(UserNotFound, ValidationFailed),
        parameters=(SKIP_CACHE,),
        path_parameters=PROFILE_PICTURE,
    ),
)

# Groups and claims

describe(
    GROUPS,
    user_groups.GroupList,
    get=Operation("listGroups", "List groups", {200: Page(users.GroupMinimalSerializer, user_groups.RULES)}),
    post=Operation("createGroup", "Add a group", {201: GROUP}, body=user_groups.GroupInput, errors=(AlreadyInUse,)),
)
describe(
    GROUPS,
    user_groups.GroupDetail,
    get=Operation("getGroup", "Show a group with its people", {200: GROUP}, missing=("User group",)),
    put=Operation(
        "updateGroup",
        "Rename a group",
        {200: GROUP},
        body=user_groups.GroupInput,
        errors=(AlreadyInUse,),
        missing=("User group",),
    ),
    delete=Operation("deleteGroup", "Delete a group", {204: None}, missing=("User group",)),
)
describe(
    GROUPS,
    user_groups.GroupMembers,
    put=Operation(
        "setMembersOfGroup",
        "Say who is in a group",
        {200: GROUP},
        "These people and nobody else; ids of nobody are left out.",
        user_groups.UserIdsInput,
        missing=("User group",),
    ),
)
describe(
    CLAIMS,
    custom_claims.Suggestions,
    get=Operation(
        "listClaimKeys",
        "List the keys in use, most used first",
        {200: Raw({"type": "array", "items": {"type": "string"}}, ["department"])},
    ),
)
_REPLACES = "These claims and no others; an empty list takes all away."
_CLAIM_ERRORS = (ReservedClaim, DuplicateClaim)
describe(
    CLAIMS,
    custom_claims.ClaimsOfUser,
    put=Operation(
        "setClaimsOfUser",
        "Give a person claims",
        {200: Many(users.CustomClaimSerializer)},
        _REPLACES,
        Many(custom_claims.ClaimInput),
        errors=(UserNotFound, AdministratorsAreOffLimits, *_CLAIM_ERRORS),
    ),
)
describe(
    CLAIMS,
    custom_claims.ClaimsOfGroup,
    put=Operation(
        "setClaimsOfGroup",
        "Give a group claims",
        {200: Many(users.CustomClaimSerializer)},
        _REPLACES,
        Many(custom_claims.ClaimInput),
        errors=_CLAIM_ERRORS,
        missing=("User group",),
    ),
)
