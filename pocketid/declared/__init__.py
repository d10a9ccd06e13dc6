"""``pocketid apply FILE.yaml``: bring the server to what a file declares, and change nothing when it is that already.

What the file does not name stays as it is. Every write goes through the verbs that pages, console and REST call.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from django.db import transaction

from audit import log
from audit.models import Event
from pocketid.declared import apis, clients, configuration, document, people
from pocketid.declared.apis import DeclaredApi
from pocketid.declared.changes import Changes
from pocketid.declared.clients import DeclaredClient
from pocketid.declared.configuration import DeclaredConfiguration
from pocketid.declared.document import Problem, Refused, Value
from pocketid.declared.people import DeclaredGroup, DeclaredUser
from pocketid.declared.sources import Sources

SECTIONS = ("configuration", "groups", "users", "apis", "clients")

Declared = TypeVar("Declared", DeclaredUser, DeclaredGroup, DeclaredApi, DeclaredClient)


@dataclass
class Declaration:
    configuration: DeclaredConfiguration | None = None
    groups: Sequence[DeclaredGroup] = field(default_factory=list)
    users: Sequence[DeclaredUser] = field(default_factory=list)
    apis: Sequence[DeclaredApi] = field(default_factory=list)
    clients: Sequence[DeclaredClient] = field(default_factory=list)


def read(value: Value) -> Declaration:
    """The whole document, checked as far as it can be by itself; raise ``Refused`` with everything that is wrong."""
    given = document.mapping(value, "the file")
    problems = list(document.unknown_names(given, SECTIONS, "the file"))
    found = Declaration()
    if "configuration" in given:
        with _collected(problems):
            found.configuration = configuration.read(given["configuration"])
    found.groups = _read_all(given, "groups", people.read_group, problems)
    found.users = _read_all(given, "users", people.read_user, problems)
    found.apis = _read_all(given, "apis", apis.read_api, problems)
    found.clients = _read_all(given, "clients", clients.read_client, problems)
    if problems:
        raise Refused(problems)
    return found


def apply(path: Path, *, dry_run: bool = False) -> Changes:
    """Everything or nothing: one transaction, which a dry run takes back at its end. What it changes.

    Raise ``Refused``, or ``OSError`` for a file that cannot be read.
    """
    declaration, changes = read(document.load(path)), Changes()
    with Sources(path.parent, may_write=not dry_run) as secrets, _silent(dry_run), transaction.atomic():
        _apply(declaration, secrets, changes)
        if len(changes):
            made, changed = str(changes.made), str(len(changes) - changes.made)
            log.record(Event.DECLARATION_APPLIED, user=None, request=None, file=path.name, made=made, changed=changed)
        transaction.set_rollback(dry_run)
    return changes


def _apply(declaration: Declaration, secrets: Sources, changes: Changes) -> None:
    """What others refer to comes first: new people join groups, groups have people, clients have groups and APIs."""
    for group in declaration.groups:
        people.apply_group(group, changes)
    if declaration.configuration is not None:
        configuration.apply(declaration.configuration, secrets, changes)
    # Whoever becomes an administrator first, so that another one may stop being the last.
    for user in sorted(declaration.users, key=lambda user: not user.is_made_administrator):
        people.apply_user(user, changes)
    for group in declaration.groups:
        people.apply_members(group, changes)
    for api in declaration.apis:
        apis.apply_api(api, changes)
    for client in declaration.clients:
        clients.apply_client(client, secrets, changes)


def _read_all(
    given: dict[str, Value], name: str, read_one: Callable[[Value], Declared], problems: list[Problem]
) -> list[Declared]:
    found: list[Declared] = []
    lines: dict[str, int] = {}
    with _collected(problems):
        for value in document.sequence(given[name], name) if name in given else []:
            with _collected(problems):
                each = read_one(value)
                if each.what.lower() in lines:
                    raise Refused(
                        [Problem(each.line, f"{each.what} is there twice, first in line {lines[each.what.lower()]}")]
                    )
                lines[each.what.lower()] = each.line
                found.append(each)
    return found


@contextmanager
def _collected(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        problems += refused.problems


@contextmanager
def _silent(dry_run: bool) -> Iterator[None]:
    """What is taken back has not happened, and the log shall not say that it has."""
    logger = logging.getLogger("pocketid.audit")
    before, logger.disabled = logger.disabled, dry_run or logger.disabled
    try:
        yield
    finally:
        logger.disabled = before
