"""A Pocket ID export of many people with a long log: ``python -m tests.migration.crowd FILE PEOPLE ENTRIES``."""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from tests.migration.former import Former

NEW = Former("2.14")
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def crowd(path: Path, *, people: int, entries: int) -> Path:
    """Each person has a passkey and a group; the tables are written row by row, as they may not fit into memory."""
    with ZipFile(NEW.export) as old, ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as new:
        document = json.loads(old.read("database.json"))
        tables = document["tables"]
        group, user = tables["user_groups"][0]["id"], tables["users"][0]
        passkey, entry = tables["webauthn_credentials"][0], tables["audit_logs"][1]

        def ids() -> Iterator[tuple[int, str]]:
            return ((n, str(UUID(int=(1 << 96) + n))) for n in range(people))

        more = {
            "users": (
                user | {"id": pk, "username": f"user{n}", "email": f"user{n}@example.org", "is_admin": False}
                for n, pk in ids()
            ),
            "user_groups_users": ({"user_id": pk, "user_group_id": group} for _n, pk in ids()),
            "webauthn_credentials": (
                passkey | {"id": pk, "user_id": pk, "credential_id": base64.b64encode(n.to_bytes(32, "big")).decode()}
                for n, pk in ids()
            ),
            "audit_logs": (
                entry
                | {
                    "id": str(UUID(int=(2 << 96) + n)),
                    "user_id": str(UUID(int=(1 << 96) + n % people)),
                    "created_at": f"2026-{1 + n % 10:02}-{1 + n % 28:02}T{n % 24:02}:{n % 60:02}:{n % 59:02}Z",
                    "user_agent": AGENT,
                    "data": base64.b64encode(json.dumps({"clientName": f"App {n % 50}"}).encode()).decode(),
                }
                for n in range(entries)
            ),
        }
        with new.open("database.json", "w", force_zip64=True) as file:
            head = {name: value for name, value in document.items() if name != "tables"}
            file.write(json.dumps(head)[:-1].encode() + b', "tables": {')
            for number, (name, rows) in enumerate(tables.items()):
                file.write((", " if number else "").encode() + json.dumps(name).encode() + b": [")
                for place, row in enumerate(_both(rows, more.get(name, iter(())))):
                    file.write((b", " if place else b"") + json.dumps(row).encode())
                file.write(b"]")
            file.write(b"}}")
        for name in old.namelist():
            if name != "database.json":
                new.writestr(name, old.read(name))
    return path


def _both(first: list[dict], then: Iterator[dict]) -> Iterator[dict]:
    yield from first
    yield from then


if __name__ == "__main__":
    print(crowd(Path(sys.argv[1]), people=int(sys.argv[2]), entries=int(sys.argv[3])))
