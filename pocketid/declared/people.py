"""Declared users, and groups with their members."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts import custom_claims, groups, lifecycle
from accounts.api.custom_claims import ClaimInput
from accounts.api.user_groups import GroupInput
from accounts.api.users import NewUserInput, UserInput
from accounts.models import Group, User
from audit import log
from audit.models import Event
from core.rest_fields import uuid_or_none
from pocketid.declared import document, fields
from pocketid.declared.changes import COMMAND, Changes
from pocketid.declared.document import Problem, Refused, Value, refusals_of
from pocketid.declared.fields import Fields

USER = fields.names(NewUserInput, but=["userGroupIds"])
GROUP = fields.names(GroupInput)


@dataclass(frozen=True)
class DeclaredUser:
    line: int
    username: str
    fields: Fields
    claims: Sequence[custom_claims.Pair] | None

    @property
    def what(self) -> str:
        return f"user {self.username}"

    @property
    def is_made_administrator(self) -> bool:
        return "isAdmin" in self.fields and self.fields["isAdmin"].data is True


@dataclass(frozen=True)
class DeclaredGroup:
    line: int
    name: str
    fields: Fields
    claims: Sequence[custom_claims.Pair] | None
    members: Sequence[str] | None
    members_line: int

    @property
    def what(self) -> str:
        return f"group {self.name}"


def read_user(value: Value) -> DeclaredUser:
    """Raise ``Refused``."""
    given = document.mapping(value, "a user")
    if "username" not in given:
        raise Refused([Problem(value.line, "a user needs a username")])
    username = document.text(given["username"], "username")
    what = f"user {username}"
    problems = list(document.unknown_names(given, [*USER, "customClaims"], what))
    problems += fields.problems(NewUserInput, given, what)
    if problems:
        raise Refused(problems)
    claims = _claims(given["customClaims"], what) if "customClaims" in given else None
    return DeclaredUser(value.line, username, {name: given[name] for name in given if name in USER}, claims)


def read_group(value: Value) -> DeclaredGroup:
    """Raise ``Refused``."""
    given = document.mapping(value, "a group")
    if "name" not in given:
        raise Refused([Problem(value.line, "a group needs a name")])
    name = document.text(given["name"], "name")
    what = f"group {name}"
    problems = list(document.unknown_names(given, [*GROUP, "customClaims", "members"], what))
    problems += fields.problems(GroupInput, given, what)
    if problems:
        raise Refused(problems)
    claims = _claims(given["customClaims"], what) if "customClaims" in given else None
    members = document.texts(given["members"], f"{what}: members") if "members" in given else None
    line = given["members"].line if "members" in given else value.line
    return DeclaredGroup(value.line, name, {key: given[key] for key in given if key in GROUP}, claims, members, line)


def _claims(value: Value, what: str) -> list[custom_claims.Pair]:
    """A mapping of names to texts; what is no text is kept as JSON, which apps get as it is."""
    found: list[custom_claims.Pair] = []
    for key, each in document.mapping(value, f"{what}: customClaims").items():
        given = each.data if isinstance(each.data, str) else json.dumps(each.plain, ensure_ascii=False)
        with refusals_of(each.line, f"{what}: customClaims"):
            claim = fields.checked(ClaimInput, {"key": key, "value": given})
            found.append((claim["key"], claim["value"]))
            custom_claims.check(found)
    return found


def apply_user(declared: DeclaredUser, changes: Changes) -> None:
    """Raise ``Refused``."""
    with refusals_of(declared.line, declared.what):
        user = _find(declared)
        user = _create(declared, changes) if user is None else _update(user, declared, changes)
        _apply_claims(user, declared.what, declared.claims, changes)


def _find(declared: DeclaredUser) -> User | None:
    own_id = declared.fields.get("id")
    wanted = uuid_or_none(own_id.data) if own_id is not None else None
    by_id = User.objects.filter(pk=wanted).first() if wanted else None
    named = User.objects.filter(username__iexact=declared.username).first()
    if by_id is None and named is not None and wanted is not None:
        raise Refused(
            [Problem(declared.fields["id"].line, f"{declared.what} has the id {named.pk}, which never changes")]
        )
    return by_id or named


def _create(declared: DeclaredUser, changes: Changes) -> User:
    columns = fields.checked(NewUserInput, {name: value.plain for name, value in declared.fields.items()})
    own_id = columns.pop("id", None)
    user = lifecycle.create(columns, user_id=uuid.UUID(own_id) if own_id else None)
    log.record(Event.ACCOUNT_CREATED, user=user, request=None, method=COMMAND)
    changes.new(declared.what)
    for name, value in declared.fields.items():
        if name != "username":
            changes.value(declared.what, name, None, value.plain)
    return user


def _update(user: User, declared: DeclaredUser, changes: Changes) -> User:
    known: dict[str, Any] = {str(name): field for name, field in UserInput().fields.items()}
    given = {name: value for name, value in declared.fields.items() if name in known}
    columns = {name: str(known[name].source) for name in known}
    wanted = {name: known[name].run_validation(value.plain) for name, value in given.items()}
    if "email" in wanted:
        wanted["email"] = wanted["email"] or None
    if "locale" in wanted:
        wanted["locale"] = wanted["locale"] or None
    different = [name for name in wanted if getattr(user, columns[name]) != wanted[name]]
    if not different:
        return user
    # The rules between fields see the person as they will be, as a REST client would have to send them.
    whole = {name: getattr(user, column) for name, column in columns.items()}
    checked = fields.checked(UserInput, whole | {name: given[name].plain for name in different})
    for name in different:
        changes.value(declared.what, name, getattr(user, columns[name]), wanted[name])
    changed = lifecycle.update(user, {columns[name]: checked[columns[name]] for name in different})
    names = ", ".join(sorted(columns[name] for name in different))
    log.record(Event.ACCOUNT_CHANGED, user=changed, request=None, method=COMMAND, fields=names)
    return changed


def apply_group(declared: DeclaredGroup, changes: Changes) -> None:
    """The group itself; its members may not be there yet. Raise ``Refused``."""
    with refusals_of(declared.line, declared.what):
        group = Group.objects.filter(name=declared.name).first()
        wanted = {"friendlyName": declared.name} if group is None else {"friendlyName": group.friendly_name}
        checked = fields.checked(GroupInput, wanted | {name: value.plain for name, value in declared.fields.items()})
        if group is None:
            group = groups.create(**checked)
            log.record(Event.GROUP_CREATED, user=None, request=None, groupName=group.name, method=COMMAND)
            changes.new(declared.what)
            changes.value(declared.what, "friendlyName", None, group.friendly_name)
        elif checked["friendly_name"] != group.friendly_name:
            changes.value(declared.what, "friendlyName", group.friendly_name, checked["friendly_name"])
            group = groups.update(group, {"friendly_name": checked["friendly_name"]})
            log.record(Event.GROUP_CHANGED, user=None, request=None, groupName=group.name, method=COMMAND)
        _apply_claims(group, declared.what, declared.claims, changes)


def apply_members(declared: DeclaredGroup, changes: Changes) -> None:
    """Exactly the declared people are in the group. Raise ``Refused``."""
    if declared.members is None:
        return
    group = Group.objects.get(name=declared.name)
    before = {user.pk: user.username for user in group.members.all()}
    wanted: dict[uuid.UUID, str] = {}
    for name in declared.members:
        user = User.objects.filter(username__iexact=name).first()
        if user is None:
            raise Refused([Problem(declared.members_line, f"{declared.what}: nobody has the username {name!r}")])
        wanted[user.pk] = user.username
    if before.keys() == wanted.keys():
        return
    words = [f"+{wanted[pk]}" for pk in wanted if pk not in before] + [
        f"-{before[pk]}" for pk in before if pk not in wanted
    ]
    changes.note(declared.what, f"members: {', '.join(words)}")
    groups.set_members(group, [str(pk) for pk in wanted])
    log.record(Event.GROUP_CHANGED, user=None, request=None, groupName=group.name, method=COMMAND)


def _apply_claims(
    owner: User | Group, what: str, wanted: Sequence[custom_claims.Pair] | None, changes: Changes
) -> None:
    if wanted is None:
        return
    before = {claim.key: claim.value for claim in owner.custom_claims.all()}
    if before == dict(wanted):
        return
    changes.value(what, "customClaims", before, dict(wanted))
    custom_claims.replace(owner, wanted)
    name = owner.username if isinstance(owner, User) else owner.name
    keys = ", ".join(key for key, _value in wanted)
    log.record(Event.CLAIMS_CHANGED, user=None, request=None, owner=name, keys=keys, method=COMMAND)
