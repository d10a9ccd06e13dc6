"""Declared APIs with their permissions, and what a declared client may have at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from audit.models import Event
from oidc import administration, api_access
from oidc.api.api_access import AccessInput
from oidc.api.api_resources import ApiInput, PermissionsInput, refuse_twice
from oidc.api_access import Access, Permission
from oidc.models import ApiAccess, ApiPermission, ApiResource, Client
from pocketid.declared import document, fields
from pocketid.declared.changes import COMMAND, Changes
from pocketid.declared.document import Problem, Refused, Value, refusals_of

API = [*fields.names(ApiInput), *fields.names(PermissionsInput)]
FLAGS = ("userDelegatedAccess", "clientAccess")
PERMISSIONS = ("userDelegatedPermissions", "clientPermissions")


@dataclass(frozen=True)
class DeclaredApi:
    line: int
    resource: str
    name: str | None
    permissions: Sequence[Permission] | None

    @property
    def what(self) -> str:
        return f"API {self.resource}"


@dataclass(frozen=True)
class DeclaredAccess:
    """Everything that a client may have at one API: access in general, and permissions by their keys."""

    line: int
    resource: str
    for_users: bool
    for_itself: bool
    user_permissions: frozenset[str]
    own_permissions: frozenset[str]


def read_api(value: Value) -> DeclaredApi:
    """Raise ``Refused``."""
    given = document.mapping(value, "an API")
    if "resource" not in given:
        raise Refused([Problem(value.line, "an API needs a resource, which is its address")])
    resource = document.text(given["resource"], "resource")
    what = f"API {resource}"
    problems = list(document.unknown_names(given, API, what))
    problems += fields.problems(ApiInput, given, what)
    problems += fields.problems(PermissionsInput, {name: given[name] for name in given if name == "permissions"}, what)
    if problems:
        raise Refused(problems)
    permissions = None
    if "permissions" in given:
        with refusals_of(given["permissions"].line, what):
            found = fields.checked(PermissionsInput, {"permissions": given["permissions"].plain})["permissions"]
            permissions = [Permission(**each) for each in found]
            refuse_twice(permissions)
    name = given["name"].data if "name" in given else None
    return DeclaredApi(value.line, api_access.audience(resource), name, permissions)


def read_access(value: Value, what: str) -> DeclaredAccess:
    """``what`` is the client. Raise ``Refused``."""
    given = document.mapping(value, f"{what}: apis")
    problems = list(document.unknown_names(given, ["resource", *FLAGS, *PERMISSIONS], f"{what}: apis"))
    problems += fields.problems(AccessInput, {name: given[name] for name in given if name in FLAGS}, f"{what}: apis")
    if "resource" not in given:
        problems.append(Problem(value.line, f"{what}: apis: each needs a resource"))
    if problems:
        raise Refused(problems)
    resource = document.text(given["resource"], f"{what}: apis: resource").rstrip("/")
    permissions = {
        name: frozenset(document.texts(given[name], f"{what}: {name}") if name in given else ()) for name in PERMISSIONS
    }
    flags = {name: name in given and given[name].data is True for name in FLAGS}
    return DeclaredAccess(
        value.line,
        resource,
        flags["userDelegatedAccess"] or bool(permissions["userDelegatedPermissions"]),
        flags["clientAccess"] or bool(permissions["clientPermissions"]),
        permissions["userDelegatedPermissions"],
        permissions["clientPermissions"],
    )


def apply_api(declared: DeclaredApi, changes: Changes) -> None:
    """Raise ``Refused``."""
    with refusals_of(declared.line, declared.what):
        api = ApiResource.objects.filter(audience=declared.resource).first()
        if api is None:
            checked = fields.checked(ApiInput, {"resource": declared.resource, "name": declared.name})
            api = api_access.create(name=checked["name"], audience=checked["resource"])
            administration.note_api(Event.API_CREATED, api, request=None, method=COMMAND)
            changes.new(declared.what)
            changes.value(declared.what, "name", None, api.name)
        elif declared.name is not None and declared.name != api.name:
            changes.value(declared.what, "name", api.name, declared.name)
            api = api_access.rename(str(api.pk), declared.name)
            _note(api, "settings")
        if declared.permissions is None:
            return
        before = [Permission(row.key, row.name, row.description) for row in api.permissions.all()]
        if before != list(declared.permissions):
            changes.value(declared.what, "permissions", _keys(before), _keys(declared.permissions))
            api_access.set_permissions(str(api.pk), declared.permissions)
            _note(api, "permissions")


def _note(api: ApiResource, what: str, **data: str) -> None:
    administration.note_api(Event.API_CHANGED, api, request=None, method=COMMAND, what=what, **data)


def _keys(permissions: Sequence[Permission]) -> list[str]:
    return [each.key for each in permissions]


def apply_access(client: Client, what: str, declared: DeclaredAccess, changes: Changes) -> None:
    """Raise ``Refused``."""
    api = ApiResource.objects.filter(audience=declared.resource).first()
    if api is None:
        raise Refused([Problem(declared.line, f"{what}: there is no API {declared.resource}")])
    if client.is_public and declared.for_itself:
        text = f"{what}: a public client cannot prove to be itself, so it may have nothing for itself"
        raise Refused([Problem(declared.line, text)])
    ids = {permission.key: permission.pk for permission in api.permissions.all()}
    if unknown := sorted((declared.user_permissions | declared.own_permissions) - ids.keys()):
        raise Refused([Problem(declared.line, f"{what}: {declared.resource} has no permission {', '.join(unknown)}")])
    present = _access(client, api)
    wanted = {
        "userDelegatedAccess": declared.for_users,
        "clientAccess": declared.for_itself,
        "userDelegatedPermissions": sorted(declared.user_permissions),
        "clientPermissions": sorted(declared.own_permissions),
    }
    if present == wanted:
        return
    for name, value in wanted.items():
        if present[name] != value:
            changes.value(what, f"{declared.resource}: {name}", present[name], value)
    access = Access(
        for_users=declared.for_users,
        for_itself=declared.for_itself,
        user_permissions=_ids(ids, declared.user_permissions),
        own_permissions=_ids(ids, declared.own_permissions),
    )
    api_access.grant(api, client, access)
    _note(api, "access", app=client.name)


def _access(client: Client, api: ApiResource) -> dict[str, object]:
    """As it is effective: a permission implies access."""
    rows = {row.subject: row for row in ApiAccess.objects.filter(client=client, api=api)}
    user, own = rows.get(ApiAccess.Subject.USER), rows.get(ApiAccess.Subject.CLIENT)
    return {
        "userDelegatedAccess": _has_access(user),
        "clientAccess": _has_access(own),
        "userDelegatedPermissions": _permissions(user),
        "clientPermissions": _permissions(own),
    }


def _has_access(row: ApiAccess | None) -> bool:
    return row is not None and (row.is_explicit or row.permissions.exists())


def _permissions(row: ApiAccess | None) -> list[str]:
    return sorted(ApiPermission.objects.filter(access=row).values_list("key", flat=True)) if row is not None else []


def _ids(ids: Mapping[str, UUID], keys: frozenset[str]) -> tuple[UUID, ...]:
    return tuple(ids[key] for key in sorted(keys))
