"""Declared clients, with their secret, their logos and the groups that may use them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Group
from audit.models import Event
from oidc import administration, client_secrets, clients
from oidc.api.client_input import ClientInput, NewClientInput, settings_of
from oidc.api.client_secrets import OwnSecretInput
from oidc.api.clients import ClientSerializer
from oidc.models import Client
from pocketid.declared import document, fields, logos, sources
from pocketid.declared.apis import DeclaredAccess, apply_access, read_access
from pocketid.declared.changes import COMMAND, Changes
from pocketid.declared.document import Problem, Refused, Value, refusals_of
from pocketid.declared.fields import Fields
from pocketid.declared.sources import ENVIRONMENT, FILE, GENERATE, Source, Sources

# Logos at addresses are fetched, which a second run would do again: here they are files.
CLIENT = fields.names(NewClientInput, but=["logoUrl", "darkLogoUrl"])
OF_CLIENT = ("secret", "allowedUserGroups", "apis", *logos.LOGOS)


@dataclass(frozen=True)
class DeclaredClient:
    line: int
    client_id: str
    fields: Fields
    secret: Source | None
    allowed_groups: Value | None
    access: Sequence[DeclaredAccess]
    logos: Mapping[str, Value]

    @property
    def what(self) -> str:
        return f"client {self.client_id}"


def read_client(value: Value) -> DeclaredClient:
    """Raise ``Refused``."""
    given = document.mapping(value, "a client")
    if "id" not in given:
        raise Refused([Problem(value.line, "a client needs an id")])
    client_id = document.text(given["id"], "id")
    what = f"client {client_id}"
    problems = list(document.unknown_names(given, [*CLIENT, *OF_CLIENT], what))
    own = {name: each for name, each in given.items() if name in CLIENT}
    # REST has no way to say that there is no address but to leave it out, which means something else here.
    problems += fields.problems(
        NewClientInput, {name: each for name, each in own.items() if not _is_cleared(name, each)}, what
    )
    if problems:
        raise Refused(problems)
    secret = None
    if "secret" in given:
        secret = sources.read(given["secret"], f"{what}: secret", kinds=(FILE, ENVIRONMENT, GENERATE))
    access = (
        [read_access(each, what) for each in document.sequence(given["apis"], f"{what}: apis")]
        if "apis" in given
        else []
    )
    for index, each in enumerate(access):
        if each.resource in [other.resource for other in access[:index]]:
            raise Refused([Problem(each.line, f"{what}: {each.resource} is there twice")])
    groups = given.get("allowedUserGroups")
    if groups is not None:
        names = document.texts(groups, f"{what}: allowedUserGroups")
        restricted = own.setdefault("isGroupRestricted", Value(groups.line, True)) if names else None
        if restricted is not None and restricted.data is not True:
            raise Refused([Problem(groups.line, f"{what}: allowedUserGroups is of no use without isGroupRestricted")])
    return DeclaredClient(value.line, client_id, own, secret, groups, access, logos.read(given, what))


def _is_cleared(name: str, value: Value) -> bool:
    return name == "launchURL" and value.data == ""


def apply_client(declared: DeclaredClient, secrets: Sources, changes: Changes) -> None:
    """Raise ``Refused``."""
    with refusals_of(declared.line, declared.what):
        found = clients.of_id(declared.client_id).first()
        client = _create(declared, changes) if found is None else _update(found, declared, changes)
        if declared.allowed_groups is not None:
            _apply_groups(client, declared.what, declared.allowed_groups, changes)
        if declared.secret is not None:
            _apply_secret(client, declared.what, declared.secret, secrets, changes)
        logos.apply(client, declared.what, declared.logos, secrets, changes)
    for access in declared.access:
        with refusals_of(access.line, declared.what):
            apply_access(client, declared.what, access, changes)


def _refuse_public_without_pkce(declared: DeclaredClient, body: Mapping[str, Any]) -> None:
    """REST takes it and keeps something else: then a second run would never be content."""
    if body.get("isPublic") and "pkceEnabled" in declared.fields and not body["pkceEnabled"]:
        line = declared.fields["pkceEnabled"].line
        raise Refused([Problem(line, f"{declared.what}: a public client cannot do without PKCE")])


def _create(declared: DeclaredClient, changes: Changes) -> Client:
    body = {name: each.plain for name, each in declared.fields.items() if not _is_cleared(name, each)}
    _refuse_public_without_pkce(declared, body)
    settings = settings_of(fields.checked(NewClientInput, body), {})
    # Nobody would see a secret that is made now: one is declared, or made later.
    client, _secret = clients.create(settings, client_id=declared.client_id, with_secret=False)
    administration.note(Event.CLIENT_CREATED, client, request=None, method=COMMAND)
    changes.new(declared.what)
    for name, value in declared.fields.items():
        if name != "id":
            changes.value(declared.what, name, None, value.plain)
    return client


def _update(client: Client, declared: DeclaredClient, changes: Changes) -> Client:
    present = _body(client)
    body = present | {name: each.plain for name, each in declared.fields.items() if name != "id"}
    if "credentials" in declared.fields:
        body["credentials"] = present.get("credentials", {}) | body["credentials"]
    if body.get("launchURL") == "":
        del body["launchURL"]
    if body.get("isPublic"):
        _refuse_public_without_pkce(declared, body)
        body["pkceEnabled"] = True
    before, after = (_without_nothing(fields.checked(ClientInput, each)) for each in (present, body))
    if before == after:
        return client
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            changes.value(declared.what, name, before.get(name), after.get(name))
    changed = clients.update(client.client_id, settings_of(fields.checked(ClientInput, body), {}))
    administration.note(Event.CLIENT_CHANGED, changed, request=None, method=COMMAND)
    return changed


def _without_nothing(checked: dict[str, Any]) -> dict[str, Any]:
    """Credentials of a kind that there are none of may be left out as well."""
    credentials = {name: value for name, value in checked.get("credentials", {}).items() if value}
    return checked | {"credentials": credentials}


def _body(client: Client) -> dict[str, Any]:
    """What a REST client would send to leave everything as it is."""
    shown = ClientSerializer(client).data
    return {name: shown[name] for name in fields.names(ClientInput) if shown.get(name) is not None}


def _apply_groups(client: Client, what: str, declared: Value, changes: Changes) -> None:
    wanted: list[Group] = []
    for name in document.sequence(declared, what):
        group = Group.objects.filter(name=name.data).first()
        if group is None:
            raise Refused([Problem(name.line, f"{what}: there is no group {name.data!r}")])
        wanted.append(group)
    present = clients.allowed_groups(client)
    if present != wanted:
        changes.value(what, "allowedUserGroups", [group.name for group in present], [group.name for group in wanted])
        clients.set_allowed_groups(client.client_id, [str(group.pk) for group in wanted])
        administration.note(Event.CLIENT_CHANGED, client, request=None, method=COMMAND, what="groups")


def _apply_secret(client: Client, what: str, source: Source, secrets: Sources, changes: Changes) -> None:
    """The declared secret is the client's only one, unless it is one of its secrets already."""
    text = secrets.text(source)
    if text:
        with refusals_of(source.line, f"{what}: secret"):
            fields.checked(OwnSecretInput, {"secret": text})
        if any(client_secrets.matches(text, row.secret_hash) for row in client.secrets.usable()):
            return
        changes.note(what, f"secret: from {source.kind} {source.name}, in the place of all others")
        clients.replace_secrets(client, text=text)
        _note_secret(client)
        return
    changes.note(what, f"secret: made anew and kept in {source.name}, in the place of all others")
    secrets.keep(source, clients.replace_secrets(client))
    _note_secret(client)


def _note_secret(client: Client) -> None:
    administration.note(Event.CLIENT_SECRET_CREATED, client, request=None, method=COMMAND, replaced="all others")
