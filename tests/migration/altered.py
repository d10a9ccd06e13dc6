"""Exports with something changed in them, as other installations would have written them."""

import base64
import json
import struct
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from tests.migration.former import Former

Tables = dict[str, list[dict[str, Any]]]


def altered(
    former: Former,
    path: Path,
    change: Callable[[Tables], object] = lambda _tables: None,
    *,
    version: int | None = None,
    actors: tuple[tuple[str, str, dict[str, Any]], ...] = (),
    files: dict[str, bytes] | None = None,
) -> Path:
    """A copy of the export at ``path``; ``actors`` are added to what ``francis.bin`` holds."""
    with ZipFile(former.export) as old, ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "database.json":
                document = json.loads(content)
                change(document["tables"])
                document["version"] = version or document["version"]
                content = json.dumps(document).encode()
            if name == "francis.bin":
                for kind, actor, state in actors:
                    inner = {"actorType": kind, "actorId": actor, "data": packed(state)}
                    content += packed({"type": "state", "state": inner})
            new.writestr(name, content)
        for name, content in (files or {}).items():
            new.writestr(name, content)
    return path


def encoded(value: object) -> str:
    """A column of JSON, as the export writes it."""
    return base64.b64encode(json.dumps(value).encode()).decode()


def packed(value: Any) -> bytes:
    """MessagePack, as far as it is needed here (https://github.com/msgpack/msgpack/blob/master/spec.md)."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return struct.pack(">Bq", 0xD3, value)
        case str():
            raw = value.encode()
            return struct.pack(">BH", 0xDA, len(raw)) + raw
        case bytes():
            return struct.pack(">BH", 0xC5, len(value)) + value
        case datetime():
            return struct.pack(">BbQ", 0xD7, -1, int(value.timestamp()) | (value.microsecond * 1000 << 34))
        case list():
            return struct.pack(">BH", 0xDC, len(value)) + b"".join(map(packed, value))
        case dict():
            return struct.pack(">BH", 0xDE, len(value)) + b"".join(
                packed(each) for pair in value.items() for each in pair
            )
    raise TypeError(value)
