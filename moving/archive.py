"""Our own format: one zip with everything, which moves between SQLite and PostgreSQL and proves on arrival to be whole.

``pocketid.json`` says what is inside: the version of the format, the rows and the SHA-256 of each member. A member is a
table, one JSON array of values a line, the first line naming the columns. What is encrypted at rest stays encrypted
with the ENCRYPTION_KEY of the server that wrote it, which is not in the zip.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import BinaryField, DateTimeField, Model, UUIDField
from django.db.models.fields import Field
from django.utils import timezone

from core import secrets
from core.search_text import SearchText

FORMAT, FORMAT_VERSION = "pocketid", 1
MANIFEST = "pocketid.json"
TABLES = "tables/"
LINES = 500  # in memory at a time
LONGEST = 64 * 1024 * 1024  # bytes of one row, and of the manifest; pictures are the largest
# What lives for minutes and belongs to browsers or apps that are waiting at this very moment.
TRANSIENT = frozenset(
    (
        "accounts.Ceremony",
        "accounts.DeviceLogin",
        "oidc.DeviceGrant",
        "oidc.PendingAuthorization",
        "oidc.PushedRequest",
        "oidc.UsedAssertion",
        "siteconfig.RateBucket",
    )
)


@dataclass(frozen=True)
class Member:
    """What the manifest says of one table."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Written:
    """How many rows there are of each table, by the label of its model."""

    rows: dict[str, int]


def models() -> list[type[Model]]:
    """Every table of ours that is worth keeping, also those that only connect two others."""
    found = [
        model
        for app in settings.LAYERS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model._meta.managed and model._meta.label not in TRANSIENT
    ]
    return sorted(found, key=lambda model: model._meta.label)


def write(file: IO[bytes]) -> Written:
    """Write everything as it is at one moment, while the server may go on."""
    members: dict[str, dict[str, Any]] = {}
    with ZipFile(file, "w", ZIP_DEFLATED) as archive, _one_moment():
        for model in models():
            name = f"{TABLES}{model._meta.label}.jsonl"
            members[name] = _write_table(archive, name, model)
        manifest = {
            "format": FORMAT,
            "formatVersion": FORMAT_VERSION,
            "writtenAt": timezone.now().isoformat(),
            "appUrl": settings.APP_URL,
            "encryptionKeyId": secrets.mark_of(settings.ENCRYPTION_KEY),
            "members": members,
        }
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return Written({name.removeprefix(TABLES).removesuffix(".jsonl"): each["rows"] for name, each in members.items()})


def _write_table(archive: ZipFile, name: str, model: type[Model]) -> dict[str, Any]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, SearchText)]  # is made anew
    digest, rows = hashlib.sha256(), 0
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    with archive.open(info, "w", force_zip64=True) as member:

        def line(values: list[Any]) -> None:
            text = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
            digest.update(text)
            member.write(text)

        line([field.attname for field in fields])
        found = model._default_manager.order_by("pk").values_list(*(field.attname for field in fields))
        for values in found.iterator(chunk_size=LINES):
            line([_encoded(value) for value in values])
            rows += 1
    return {"rows": rows, "sha256": digest.hexdigest()}


def _encoded(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
    return value


class Lines:
    """The rows of one member, which are checked against its SHA-256 when all have been read."""

    def __init__(self, archive: ZipFile, name: str, expected: Member, model: type[Model]) -> None:
        self._archive, self._name, self._expected = archive, name, expected
        self._fields = {field.attname: field for field in model._meta.concrete_fields}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Raise ``Altered`` for a member that is not as it was written, ``UnknownColumn`` for columns we do not have."""
        digest, rows = hashlib.sha256(), 0
        with self._archive.open(self._name) as member:
            head = member.readline(LONGEST)
            digest.update(head)
            names = self._names(head)
            while line := member.readline(LONGEST):
                digest.update(line)
                rows += 1
                try:
                    values = zip(names, json.loads(line), strict=True)
                    row = {name: _decoded(self._fields[name], value) for name, value in values}
                except _NO_ROW:
                    raise Altered(f"line {rows + 1} of {self._name} cannot be read") from None
                yield row
        if digest.hexdigest() != self._expected.sha256 or rows != self._expected.rows:
            raise Altered(f"{self._name} is not as it was written")

    def _names(self, head: bytes) -> list[str]:
        try:
            names = [str(name) for name in json.loads(head)]
        except _NO_ROW:
            raise Altered(f"line 1 of {self._name} cannot be read") from None
        if unknown := sorted(set(names) - self._fields.keys()):
            raise UnknownColumn(f"{self._name}: {', '.join(unknown)}")
        return names


_NO_ROW = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)


class Altered(Exception):
    """The archive is not as it was written; the text says where."""


class UnknownColumn(Exception):
    """The archive is of a newer program."""


def _decoded(field: "Field[Any, Any]", value: Any) -> Any:  # noqa: ANN401
    while field.remote_field is not None and hasattr(field, "target_field"):
        field = field.target_field
    if value is None:
        return None
    if isinstance(field, DateTimeField):
        return datetime.fromisoformat(value)
    if isinstance(field, UUIDField):
        return UUID(value)
    if isinstance(field, BinaryField):
        return base64.b64decode(value, validate=True)
    return value


@contextmanager
def _one_moment() -> Iterator[None]:
    """A snapshot for reading: what others write meanwhile is not seen.

    By hand: Django would take the write lock of SQLite, for which the running server would have to wait.
    """
    if connection.in_atomic_block:  # the caller's own moment
        yield
        return
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if connection.vendor == "postgresql" else "BEGIN"
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")
