"""Exports that are damaged in many ways: each is refused in a sentence of ours, and nothing of it comes."""

import json
import re
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest
from django.conf import settings as django_settings

from moving import archive, command
from moving.errors import CannotMove
from moving.pocket_id import export
from tests.migration.former import Former
from tests.support.server import Server

NEW = Former("2.14")
USERS = "tables/accounts.User.jsonl"
# What Python, zlib and the databases say when nobody has thought of it.
FOREIGN = re.compile(
    r"Errno|Error|Exception|Traceback|Expecting|Extra data|codec|NoneType|object|'\w+' |argument|subscript|int\(\)|"
    r"literal|CRC-32|magic number|constraint|binding|keyword|item named|not a zip|decompress|bytes-like|hashable|unpack\b"
)

Change = Callable[[dict[str, bytes]], object]


def packed(members: dict[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", compression) as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return file.getvalue()


def unpacked(zipped: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(zipped)) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture(scope="module")
def of_ours(django_db_setup: None, django_db_blocker, tmp_path_factory) -> bytes:
    """An export of a server that a Pocket ID has moved into."""
    server = Server(environment={"APP_URL": NEW.app_url, "ENCRYPTION_KEY": django_settings.ENCRYPTION_KEY})
    folder = tmp_path_factory.mktemp("ours")
    (folder / "key").write_text(NEW.encryption_key)
    done = server.run("import", "-y", str(NEW.export), "--encryption-key-file", str(folder / "key"))
    assert done.returncode == 0, done.stderr
    assert server.run("export", str(folder / "own.zip")).returncode == 0
    return (folder / "own.zip").read_bytes()


def in_manifest(**changes: object) -> Change:
    """Entries of the manifest; ``None`` takes one out."""

    def change(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[archive.MANIFEST]) | changes
        members[archive.MANIFEST] = json.dumps({name: each for name, each in manifest.items() if each != ""}).encode()

    return change


def manifest_is(content: bytes) -> Change:
    return lambda members: members.update({archive.MANIFEST: content})


def users_are(rewrite: Callable[[list[bytes]], list[bytes]], *, is_named: bool = False) -> Change:
    """Other lines in the table of people; ``is_named``: as if they had been written so."""

    def change(members: dict[str, bytes]) -> None:
        import hashlib

        lines = rewrite(members[USERS].splitlines(keepends=True))
        members[USERS] = b"".join(lines)
        if is_named:
            manifest = json.loads(members[archive.MANIFEST])
            digest = hashlib.sha256(members[USERS]).hexdigest()
            manifest["members"][USERS] = {"rows": len(lines) - 1, "sha256": digest}
            members[archive.MANIFEST] = json.dumps(manifest).encode()

    return change


def with_value(column: str, value: object) -> Callable[[list[bytes]], list[bytes]]:
    def rewrite(lines: list[bytes]) -> list[bytes]:
        names, row = json.loads(lines[0]), json.loads(lines[1])
        row[names.index(column)] = value
        return [lines[0], json.dumps(row).encode() + b"\n", *lines[2:]]

    return rewrite


CHANGES: dict[str, Change] = {
    "no manifest": lambda members: members.pop(archive.MANIFEST),
    "empty manifest": manifest_is(b""),
    "manifest is no JSON": manifest_is(b"hello"),
    "manifest ends too early": lambda members: members.update({archive.MANIFEST: members[archive.MANIFEST][:99]}),
    "manifest is a list": manifest_is(b"[]"),
    "manifest is null": manifest_is(b"null"),
    "manifest is a number": manifest_is(b"7"),
    "manifest is no UTF-8": manifest_is(b'{"format": "\xff"}'),
    "manifest is nested": manifest_is(b"[" * 100_000),
    "manifest is a flood": manifest_is(b" " * (archive.LONGEST + 1)),
    "no format": in_manifest(format=""),
    "no version": in_manifest(formatVersion=""),
    "version is text": in_manifest(formatVersion="x"),
    "version is infinite": manifest_is(b'{"format": "pocketid", "formatVersion": 1e999}'),
    "no address": in_manifest(appUrl=""),
    "address is none": in_manifest(appUrl="http://[::1"),
    "no mark of the key": in_manifest(encryptionKeyId=""),
    "no members": in_manifest(members=""),
    "members are null": in_manifest(members=None),
    "members are a list": in_manifest(members=[USERS]),
    "no member at all": in_manifest(members={}),
    "a member without rows": in_manifest(members={USERS: {"sha256": "x"}}),
    "a member that is text": in_manifest(members={USERS: "x"}),
    "rows are text": in_manifest(members={USERS: {"rows": "many", "sha256": "x"}}),
    "a table is gone": lambda members: members.pop(USERS),
    "a table too many": lambda members: members.update({"tables/evil.jsonl": b"[]\n"}),
    "a path out of the folder": lambda members: members.update({"../../etc/cron.d/evil": b"* * * * *"}),
    "an empty table": users_are(lambda _lines: []),
    "a head that is no JSON": users_are(lambda lines: [b"hello\n", *lines[1:]]),
    "a head that is a number": users_are(lambda lines: [b"7\n", *lines[1:]]),
    "a head of objects": users_are(lambda lines: [b"[[1], {}]\n", *lines[1:]]),
    "a line that is no JSON": users_are(lambda lines: [lines[0], b"hello\n", *lines[2:]]),
    "a line that is null": users_are(lambda lines: [lines[0], b"null\n", *lines[2:]]),
    "a line that is a number": users_are(lambda lines: [lines[0], b"7\n", *lines[2:]]),
    "a line that is shorter": users_are(lambda lines: [lines[0], b"[1]\n", *lines[2:]]),
    "a line that is nested": users_are(lambda lines: [lines[0], b"[" * 100_000 + b"\n", *lines[2:]]),
    "a line that is no UTF-8": users_are(lambda lines: [lines[0], b'["\xff"]\n', *lines[2:]]),
    "a line fewer": users_are(lambda lines: lines[:-1]),
    "a line twice": users_are(lambda lines: [*lines, lines[-1]]),
    "a person twice": users_are(lambda lines: [*lines, lines[-1]], is_named=True),
    "another address": users_are(lambda lines: [line.replace(b"ada@", b"eve@") for line in lines]),
    "an id that is none": users_are(with_value("id", "x"), is_named=True),
    "an id that is a list": users_are(with_value("id", [1]), is_named=True),
    "a time that is none": users_are(with_value("created_at", "yesterday"), is_named=True),
    "a time that is a number": users_are(with_value("created_at", 5), is_named=True),
    "a name that is an object": users_are(with_value("username", {"a": 1}), is_named=True),
    "a name that is null": users_are(with_value("username", None), is_named=True),
    "half a character": users_are(with_value("username", "\ud800"), is_named=True),
    "somebody of nobody": users_are(lambda lines: [lines[0], *lines[2:]], is_named=True),
}


def refused(take, source: Path | str, **options) -> str:
    with pytest.raises(CannotMove) as refusal:
        take(source, NEW, **options)
    words = str(refusal.value)
    assert words.endswith("."), words
    assert not FOREIGN.search(words.replace(str(source), "")), words
    return words


@pytest.mark.postgres
@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_an_export_of_ours_with_other_contents(
    take, of_ours: bytes, tmp_path: Path, change: Change, nothing_came
) -> None:
    source = tmp_path / "own.zip"
    members = unpacked(of_ours)
    change(members)
    source.write_bytes(packed(members))
    refused(take, source, keys=(django_settings.ENCRYPTION_KEY,))
    assert nothing_came()


def test_the_export_itself_comes(take, of_ours: bytes, tmp_path: Path) -> None:
    (tmp_path / "own.zip").write_bytes(packed(unpacked(of_ours)))
    assert take(tmp_path / "own.zip", NEW, keys=(django_settings.ENCRYPTION_KEY,)).came["users"] == 3


def test_a_missing_manifest_is_named(take, of_ours: bytes, tmp_path: Path) -> None:
    members = unpacked(of_ours)
    del members[archive.MANIFEST]
    (tmp_path / "own.zip").write_bytes(packed(members))
    assert "it has no pocketid.json" in refused(take, tmp_path / "own.zip")


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def flags(content: bytes) -> bytes:
    """Every member says that it is encrypted, in both places."""
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := content.find(signature, place + 1)) >= 0:
            (now,) = struct.unpack_from("<H", content, place + offset)
            content = content[: place + offset] + struct.pack("<H", now | 1) + content[place + offset + 2 :]
    return content


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _whole: b"",
    "one byte": lambda whole: whole[:1],
    "the first half": lambda whole: whole[: len(whole) // 2],
    "without the last byte": lambda whole: whole[:-1],
    "without the end": lambda whole: whole[:-30],
    "without the first half": lambda whole: whole[len(whole) // 2 :],
    "the end alone": lambda whole: whole[-22:],
    "a hole": lambda whole: whole[:200] + b"\0" * 400 + whole[600:],
    "an early byte": lambda whole: flipped(whole, 1),
    "a byte of a member": lambda whole: flipped(whole, 120),
    "a byte in the middle": lambda whole: flipped(whole, len(whole) // 3),
    "a byte of the list": lambda whole: flipped(whole, whole.rfind(b"PK\x01\x02") + 3),
    "a byte of the end": lambda whole: flipped(whole, len(whole) - 6),
    "a password": flags,
    "bzip2": lambda whole: packed(unpacked(whole), ZIP_BZIP2),
    "lzma": lambda whole: packed(unpacked(whole), ZIP_LZMA),
    "a zip in a zip": lambda whole: packed({"own.zip": whole}, ZIP_STORED),
    "an empty zip": lambda _whole: packed({}),
    "a text": lambda _whole: b"hello\n",
    "a tar": lambda _whole: b"pocketid.json\0" + b"\0" * 2000,
}


@pytest.mark.parametrize("what", ["ours", "Pocket ID's"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_file_that_is_not_whole(
    take, of_ours: bytes, tmp_path: Path, damage: Callable[[bytes], bytes], what: str, nothing_came
) -> None:
    source = tmp_path / "own.zip"
    source.write_bytes(damage(of_ours if what == "ours" else NEW.export.read_bytes()))
    refused(take, source, keys=(django_settings.ENCRYPTION_KEY if what == "ours" else NEW.encryption_key,))
    assert nothing_came()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"hello",
        b"[]",
        b"{",
        b'{"version": "x", "tables": {}}',
        b'{"version": null, "tables": {}}',
        b'{"version": 1e999, "tables": {}}',
        b'{"tables": 7}',
        b'{"tables": {"users": 7}}',
        b'{"tables": {"users": {}}}',
        b'{"tables": {7: []}}',
        b'{"tables": {[]: []}}',
        b'{"tables": {"users": [1]}}',
        b'{"tables": {"users": [' + b"[" * 100_000,
        b'{"tables": {"users": []}} more',
        b"\xff\xfe",
        b'{"version": 9' + b"9" * 5000 + b"}",
    ],
    ids=lambda document: document[:30].decode(errors="replace"),
)
def test_a_document_of_pocket_id_that_is_none(take, nothing_came, tmp_path: Path, document: bytes) -> None:
    source = tmp_path / "e.zip"
    source.write_bytes(packed({export.TABLES: document}))
    refused(take, source)
    assert nothing_came()


@pytest.mark.parametrize("source", ["http://[", "\x01", "/dev/null", "~", "-"])
def test_a_name_of_nothing(take, source: str) -> None:
    refused(take, source)


def test_what_the_system_says_comes_without_pythons_words(tmp_path: Path) -> None:
    server = Server()
    (tmp_path / "text").write_bytes(b"\xff")
    for arguments in (
        ("export", str(tmp_path / "no" / "folder.zip")),
        ("export", str(tmp_path)),
        ("export", "/proc/export.zip"),
        ("import", str(NEW.export), "--encryption-key-file", str(tmp_path / "nothing")),
        ("import", str(NEW.export), "--encryption-key-file", str(tmp_path)),
        ("import", str(NEW.export), "--encryption-key-file", str(tmp_path / "text")),
        ("import", str(NEW.export), "--uploads", str(tmp_path / "nothing")),
        ("import", "http://["),
        ("import", "a" * 5000),
    ):
        done = server.run(*arguments)
        assert done.returncode == 1, arguments
        assert done.stderr.startswith("pocketid: "), done.stderr
        assert not FOREIGN.search(done.stderr), done.stderr
    assert command.printable("a\nb") == "a\\nb"
