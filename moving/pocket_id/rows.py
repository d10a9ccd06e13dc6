"""A row of Pocket ID's, whichever way it was stored: SQLite, PostgreSQL and the export write the same value differently."""

import base64
import binascii
import ipaddress
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from moving.errors import CannotMove

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NUL, INSTEAD = "\0", "\N{REPLACEMENT CHARACTER}"


class Row:
    """Typed access to the columns of one row. A column that this version does not have is as good as NULL.

    No text has a NUL in it, which PostgreSQL and our own API refuse: ``on_nul`` is called with the row and the column that had one.
    """

    __slots__ = ("on_nul", "table", "values")

    def __init__(self, table: str, values: Mapping[str, Any]) -> None:
        self.table, self.values = table, values
        self.on_nul: Callable[[Row, str], None] | None = None

    def raw(self, name: str) -> Any:  # noqa: ANN401
        return self.values.get(name)

    def text(self, name: str) -> str:
        """Empty for NULL."""
        value = self.values.get(name)
        if value is None:
            return ""
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        if NUL not in text:
            return text
        self._had_nul(name)
        return text.replace(NUL, INSTEAD)

    def text_or_none(self, name: str) -> str | None:
        return self.text(name) or None

    def flag(self, name: str) -> bool:
        value = self.values.get(name)
        return value.lower() in ("1", "true", "t") if isinstance(value, str) else bool(value)

    def number(self, name: str) -> int:
        """Not negative; 0 for NULL."""
        value = self.values.get(name)
        try:
            found = int(value or 0)
        except (TypeError, ValueError, OverflowError):
            raise self._wrong(name) from None
        if not 0 <= found < 2**63:
            raise self._wrong(name)
        return found

    def moment(self, name: str) -> datetime | None:
        """Unix seconds in SQLite, RFC 3339 in the export, a timestamp in PostgreSQL."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            return as_moment(value)
        except (TypeError, ValueError, OverflowError):
            raise self._wrong(name) from None

    def when(self, name: str = "created_at") -> datetime:
        """A moment that rows from before its column may lack: then the beginning of time."""
        return self.moment(name) or EPOCH

    def uuid(self, name: str) -> UUID:
        try:
            return as_uuid(self.values.get(name))
        except (ValueError, TypeError, AttributeError):
            raise self._wrong(name) from None

    def uuid_or_none(self, name: str) -> UUID | None:
        return self.uuid(name) if self.values.get(name) else None

    def blob(self, name: str) -> bytes:
        """Bytes, which the export writes as base64."""
        value = self.values.get(name)
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        if value is None:
            return b""
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise self._wrong(name) from None

    def json(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        """``None`` for NULL and nothing. Text, bytes, or (in the export) base64 of the text."""
        value = self.values.get(name)
        if value is None or value == "" or isinstance(value, list | dict):
            return value or None
        if isinstance(value, str) and not value.lstrip().startswith(("{", "[", '"')) and value.strip() != "null":
            value = self.blob(name)
        try:
            found = whole(bytes(value) if isinstance(value, memoryview) else value or b"null")
            clean = without_nul(found) if has_escape(value, "\\u0000") else found
        except (ValueError, RecursionError):
            raise self._wrong(name) from None
        if clean != found:
            self._had_nul(name)
        return clean

    def address(self, name: str) -> str | None:
        """An IP address, or ``None`` for what is none."""
        try:
            return str(ipaddress.ip_address(self.text(name).partition("/")[0]))
        except ValueError:
            return None

    def scopes(self, name: str) -> list[str]:
        """A list of scopes: JSON since 2.12, separated by blanks before."""
        value = self.values.get(name)
        if isinstance(value, str) and not value.startswith("["):
            try:
                decoded = base64.b64decode(value, validate=True)
            except (binascii.Error, ValueError):
                return self.text(name).split()
            if not decoded.startswith((b"[", b"null")):
                return self.text(name).split()
        return [scope for scope in self.json(name) or [] if isinstance(scope, str)]

    def _had_nul(self, name: str) -> None:
        if self.on_nul is not None:
            self.on_nul(self, name)

    def _wrong(self, name: str) -> CannotMove:
        which = self.values.get("id") or self.values.get("key") or "?"
        return CannotMove(f"The source is damaged: {self.table}.{name} of the row {which} cannot be read.")


def whole(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """The value; raise ``ValueError`` also for half a surrogate pair, which no database keeps (RFC 8259 section 8.2)."""
    found = json.loads(text)
    if has_escape(text, "\\u"):
        json.dumps(found, ensure_ascii=False).encode()
    return found


def has_escape(text: str | bytes | memoryview, escape: str) -> bool:
    return escape in text if isinstance(text, str) else escape.encode() in bytes(text)


def without_nul(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same with each NUL replaced, which is valid JSON (RFC 8259 section 7) and no text that PostgreSQL keeps."""
    match value:
        case str():
            return value.replace(NUL, INSTEAD)
        case list():
            return [without_nul(each) for each in value]
        case dict():
            return {without_nul(key): without_nul(each) for key, each in value.items()}
    return value


def as_moment(value: Any) -> datetime:  # noqa: ANN401
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float):
        return EPOCH + timedelta(seconds=value)
    if value.isdigit():
        return EPOCH + timedelta(seconds=int(value))
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def as_uuid(value: Any) -> UUID:  # noqa: ANN401
    return value if isinstance(value, UUID) else UUID(value)
