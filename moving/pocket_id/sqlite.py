"""A Pocket ID SQLite file, or the ``data`` directory around it.

The log beside the file is part of the data: after a clean stop nearly everything may be in there. SQLite would fold it
in when it opens the file, so a private copy is opened.
"""

import contextlib
import os
import shutil
import sqlite3
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from moving.errors import CannotMove
from moving.folder import private_folder
from moving.pocket_id.rows import Row
from moving.pocket_id.sources import MAX_FILE, Actor, File, Source, unpacked

DATABASE = "pocket-id.db"
COMPANIONS = ("", "-wal", "-shm")
_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_INDEX_VERSION = 3007000  # of the index, as machines with the lowest byte first write it


class SqliteTables(Source):
    """Rows of an SQLite database that is ours to open."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self._connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self._counts: dict[str, int] | None = None

    def close(self) -> None:
        self._connection.close()

    def tables(self) -> Mapping[str, int]:
        if self._counts is None:
            names = [
                name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            self._counts = {
                name: self._connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - names of its own schema
                for name in names
                if not name.startswith("sqlite_") and '"' not in name
            }
        return self._counts

    def rows(self, table: str, *order: str) -> Iterator[Row]:
        if table not in self.tables():
            return
        cursor = self._connection.execute(
            f'SELECT * FROM "{table}" ORDER BY {", ".join((*order, "rowid" if _has_rowid(table) else "1"))}'  # noqa: S608 - names of our own
        )
        names = [column[0] for column in cursor.description]
        for values in cursor:
            yield Row(table, dict(zip(names, values, strict=True)))

    def actors(self) -> Iterator[Actor]:
        for row in self.rows("francis_actor_state"):
            yield unpacked(row.text("actor_type"), row.text("actor_id"), row.blob("actor_state_data"))


class SqliteSource(SqliteTables):
    kind = "Pocket ID data directory"

    def __init__(self, database: Path, uploads: Path | None = None) -> None:
        self._folder = private_folder()
        self._uploads = uploads or database.parent / "uploads"
        try:
            copy = Path(self._folder.name) / DATABASE
            _copy(database, copy)
            self.has_log = Path(f"{copy}-wal").exists()
            super().__init__(copy)
            self._check(database)
        except sqlite3.DatabaseError as problem:
            self._folder.cleanup()
            raise CannotMove(f"{database} is damaged or no SQLite database: {problem}") from None
        except BaseException:
            self._folder.cleanup()
            raise

    def _check(self, database: Path) -> None:
        """Raise ``sqlite3.DatabaseError`` for a file that is cut off or mixed up, and ``CannotMove`` for one that is empty."""
        found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        if not self.tables().get("users"):
            raise CannotMove(
                f"There is nobody in {database}. Nearly everything may be in {database.name}-wal, which belongs "
                "beside it: name Pocket ID's data directory, or a copy of all of it."
            )

    def close(self) -> None:
        super().close()
        self._folder.cleanup()

    @property
    def schema(self) -> int:
        return next((row.number("version") for row in self.rows("schema_migrations")), 0)

    def files(self) -> Iterator[File]:
        yield from stored_files(self)
        yield from files_below(self._uploads)


def _copy(database: Path, copy: Path) -> None:
    """The file and what belongs to it, at one moment; raise ``CannotMove`` when somebody is writing."""
    before = _state(database)
    if "" not in before:
        raise CannotMove(f"There is no {database}.")
    _check_log(database)
    for suffix in before:
        # The shared memory is only an index of the log. A stale one would hide what is in there: SQLite makes it anew.
        if suffix != "-shm":
            shutil.copyfile(f"{database}{suffix}", f"{copy}{suffix}")
            os.chmod(f"{copy}{suffix}", 0o600)  # noqa: PTH101 - a text of two parts
    if _state(database) != before:
        raise CannotMove(f"{database} is being written to. Stop Pocket ID, and import again.")


def _check_log(database: Path) -> None:
    """Raise ``CannotMove`` when the log lacks frames that the index of it, if it is there, says were written.

    SQLite would take such a log for a shorter one without a word. Offsets: https://www.sqlite.org/walformat.html sections 1.2 and 2.1.
    """
    log = _head(Path(f"{database}-wal"), 32)
    index = _head(Path(f"{database}-shm"), 136)
    size = Path(f"{database}-wal").stat().st_size if log else 0
    is_whole = not log or (len(log) == 32 and log[:4] in _MAGIC)
    version, frames, copied = (struct.unpack_from("<I", index.ljust(136, b"\0"), place)[0] for place in (0, 16, 96))
    if version == _INDEX_VERSION and frames > copied:
        page = struct.unpack_from("<H", index, 14)[0]
        page = 65536 if page == 1 else page
        is_whole = is_whole and log[16:24] == index[32:40] and size >= 32 + frames * (24 + page)
    if not is_whole:
        raise CannotMove(
            f"{database}-wal is damaged or not complete, or belongs to another database. Nearly everything may be in "
            "there: copy the whole data directory again, after Pocket ID was stopped."
        )


def _head(path: Path, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(length)
    except FileNotFoundError:
        return b""


def _state(database: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for suffix in COMPANIONS:
        with contextlib.suppress(FileNotFoundError):
            status = Path(f"{database}{suffix}").stat()
            found[suffix] = (status.st_size, status.st_mtime_ns)
    return found


def _has_rowid(table: str) -> bool:
    return not table.startswith("francis_")


def stored_files(source: Source) -> Iterator[File]:
    """The uploads of an installation that keeps them in its database (``FILE_BACKEND=database``)."""
    for row in source.rows("storage"):
        yield File(row.text("path").removeprefix("uploads/").lstrip("/"), row.blob("data"))


def files_below(folder: Path) -> Iterator[File]:
    """Regular files; links are named and not followed, as one could lead anywhere."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            yield File(path.relative_to(folder).as_posix(), b"", is_link=True)
        elif path.is_file():
            if path.stat().st_size > MAX_FILE:
                raise CannotMove(f"{path} is larger than {MAX_FILE // 1024 // 1024} MiB.")
            yield File(path.relative_to(folder).as_posix(), path.read_bytes())
