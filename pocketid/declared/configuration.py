"""Declared settings, with the names that REST has for them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from accounts import lifecycle
from accounts.models import Group
from core.rest_fields import uuid_or_none
from pocketid.declared import document, fields, sources
from pocketid.declared.changes import Changes
from pocketid.declared.document import Problem, Refused, Value, refusals_of
from pocketid.declared.sources import ENVIRONMENT, FILE, Source, Sources
from siteconfig import configure, json_text
from siteconfig.api.configuration import SECRETS, ConfigurationSerializer, values
from siteconfig.models import current

WHAT = "configuration"
DEFAULT_GROUPS, DEFAULT_CLAIMS = "signupDefaultUserGroupIDs", "signupDefaultCustomClaims"
JSON = (DEFAULT_GROUPS, DEFAULT_CLAIMS, "cimdUrlAllowlist")


@dataclass(frozen=True)
class DeclaredConfiguration:
    line: int
    texts: Mapping[str, str]
    secrets: Mapping[str, Source]
    # Names or ids of the groups that new people join, which may be declared in the same file.
    default_groups: Value | None


def read(value: Value) -> DeclaredConfiguration:
    """Raise ``Refused``."""
    given = document.mapping(value, WHAT)
    problems = list(document.unknown_names(given, fields.names(ConfigurationSerializer), WHAT))
    texts: dict[str, Value] = {}
    secrets: dict[str, Source] = {}
    for name, each in given.items():
        try:
            if name in SECRETS:
                secrets[name] = sources.read(each, f"{WHAT}: {name}", kinds=(FILE, ENVIRONMENT))
            elif name == DEFAULT_GROUPS and isinstance(each.data, list):
                document.texts(each, f"{WHAT}: {name}")
            else:
                texts[name] = _as_text(name, each)
        except Refused as refused:
            problems += refused.problems
    problems += fields.problems(ConfigurationSerializer, texts, WHAT)
    if problems:
        raise Refused(problems)
    default_groups = given.get(DEFAULT_GROUPS)
    if default_groups is not None and not isinstance(default_groups.data, list):
        default_groups = None
    return DeclaredConfiguration(value.line, {name: each.data for name, each in texts.items()}, secrets, default_groups)


def _as_text(name: str, value: Value) -> Value:
    """Every setting travels as a text; in YAML it may be what it is."""
    match value.data:
        case bool():
            return Value(value.line, "true" if value.data else "false")
        case int():
            return Value(value.line, str(value.data))
        case dict() if name == DEFAULT_CLAIMS:
            pairs = [{"key": key, "value": each.plain} for key, each in value.data.items()]
            return Value(value.line, json.dumps(pairs, ensure_ascii=False))
        case list() if name in JSON:
            return Value(value.line, json.dumps(value.plain, ensure_ascii=False))
        case dict() | list():
            raise Refused([Problem(value.line, f"{WHAT}: {name} must be one value")])
    return value


def apply(declared: DeclaredConfiguration, secrets: Sources, changes: Changes) -> None:
    """Change what is declared and leave the rest; raise ``Refused``."""
    wanted = dict(declared.texts) | {name: secrets.text(source) for name, source in declared.secrets.items()}
    if declared.default_groups is not None:
        wanted[DEFAULT_GROUPS] = json.dumps([_group_id(each) for each in declared.default_groups.data])
    row = current()
    before = values(row, in_clear=True)
    for name in JSON:
        if name in wanted and _is_same_json(wanted[name], before[name]):
            del wanted[name]
    with refusals_of(declared.line, WHAT):
        serializer = ConfigurationSerializer(data=wanted, partial=True)
        serializer.is_valid(raise_exception=True)
        columns = serializer.validated_data
        if all(getattr(row, name) == value for name, value in columns.items()):
            return
        after = values(configure.change(columns), in_clear=True)
    for name in wanted:
        if before[name] == after[name]:
            continue
        if name in SECRETS:
            changes.note(WHAT, f"{name}: another one, which is not shown")
        elif name == DEFAULT_GROUPS:
            changes.value(WHAT, name, _group_names(before[name]), _group_names(after[name]))
        else:
            changes.value(WHAT, name, before[name], after[name])


def _group_names(text: str) -> list[str]:
    """Ids of no group stay as they are."""
    ids = json_text.texts(text)
    known = {str(group.pk): group.name for group in lifecycle.default_groups(ids)}
    return [known.get(each, each) for each in ids]


def _group_id(name: Value) -> str:
    wanted = uuid_or_none(name.data)
    group = Group.objects.filter(pk=wanted).first() if wanted else Group.objects.filter(name=name.data).first()
    if group is None:
        raise Refused([Problem(name.line, f"{WHAT}: {DEFAULT_GROUPS}: there is no group {name.data!r}")])
    return str(group.pk)


def _is_same_json(one: str, other: str) -> bool:
    try:
        return bool(json.loads(one or "[]") == json.loads(other or "[]"))
    except ValueError:
        return False
