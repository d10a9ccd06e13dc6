"""MessagePack, read only: Pocket ID keeps its settings and sign-up tokens in it since 2.12.

https://github.com/msgpack/msgpack/blob/master/spec.md
"""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

_NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"} | {
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
# First byte of what has a length of its own: kind, and how the length is written.
_LONG = {
    0xC4: ("bytes", ">B"),
    0xC5: ("bytes", ">H"),
    0xC6: ("bytes", ">I"),
    0xC7: ("extension", ">B"),
    0xC8: ("extension", ">H"),
    0xC9: ("extension", ">I"),
    0xD9: ("text", ">B"),
    0xDA: ("text", ">H"),
    0xDB: ("text", ">I"),
    0xDC: ("list", ">H"),
    0xDD: ("list", ">I"),
    0xDE: ("map", ">H"),
    0xDF: ("map", ">I"),
}
_FIXED_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_TIMESTAMP = -1
_MAX_DEPTH = 32


class Malformed(ValueError):
    """The bytes are no MessagePack, or end too early."""


def unpack(data: bytes) -> Any:  # noqa: ANN401 - whatever was packed
    """The first value in ``data``; raise ``Malformed``."""
    return next(unpack_all(data), None)


def unpack_all(data: bytes) -> Iterator[Any]:
    """The values that stand one after another in ``data``; raise ``Malformed``."""
    reader = _Reader(data)
    while reader.place < len(data):
        try:
            yield reader.value(0)
        except (struct.error, UnicodeDecodeError, KeyError, TypeError, OverflowError):
            raise Malformed from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def value(self, depth: int) -> Any:  # noqa: ANN401
        if depth > _MAX_DEPTH:
            raise Malformed
        first = self._take(1)[0]
        if first <= 0x7F:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first in _CONSTANTS:
            return _CONSTANTS[first]
        if first in _NUMBERS:
            return self._number(_NUMBERS[first])
        if first in _FIXED_EXTENSIONS:
            return self._extension(_FIXED_EXTENSIONS[first])
        if first <= 0xBF:
            kind = "map" if first <= 0x8F else "list" if first <= 0x9F else "text"
            return self._sized(kind, first & (0x1F if kind == "text" else 0x0F), depth)
        kind, format_ = _LONG[first]
        return self._sized(kind, int(self._number(format_)), depth)

    def _sized(self, kind: str, length: int, depth: int) -> Any:  # noqa: ANN401
        match kind:
            case "bytes":
                return self._take(length)
            case "text":
                return self._take(length).decode()
            case "list":
                return [self.value(depth + 1) for _ in range(length)]
            case "map":
                return self._map(length, depth)
        return self._extension(length)

    def _take(self, length: int) -> bytes:
        if self.place + length > len(self.data):
            raise Malformed
        self.place += length
        return self.data[self.place - length : self.place]

    def _number(self, format_: str) -> int | float:
        found: int | float = struct.unpack(format_, self._take(struct.calcsize(format_)))[0]
        return found

    def _map(self, length: int, depth: int) -> dict[Any, Any]:
        return {self.value(depth + 1): self.value(depth + 1) for _ in range(length)}

    def _extension(self, length: int) -> Any:  # noqa: ANN401
        kind = self._number(">b")
        data = self._take(length)
        return _moment(data) if kind == _TIMESTAMP else data


def _moment(data: bytes) -> datetime:
    nanoseconds = 0
    if len(data) == 4:
        seconds = struct.unpack(">I", data)[0]
    elif len(data) == 8:
        both = struct.unpack(">Q", data)[0]
        nanoseconds, seconds = both >> 34, both & 0x3FFFFFFFF
    elif len(data) == 12:
        nanoseconds, seconds = struct.unpack(">Iq", data)
    else:
        raise Malformed
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
