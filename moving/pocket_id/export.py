"""The zip that ``pocket-id export`` writes (contract section 11.3).

Its tables are one JSON document that may be larger than memory, in an order of its own. It is read once, row by row,
into a private SQLite file, from which rows come in the order in which they are needed.
"""

import codecs
import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

from moving.damage import PACKED
from moving.errors import CannotMove
from moving.folder import private_folder
from moving.pocket_id import messagepack
from moving.pocket_id.rows import Row, whole
from moving.pocket_id.sources import MAX_FILE, Actor, File, Source, unpacked

TABLES, ACTORS, UPLOADS = "database.json", "francis.bin", "uploads/"
_CHUNK = 1024 * 1024
_LONGEST = 64 * 1024 * 1024  # characters of one row; uploads are files of their own
_IN_NUMBERS = frozenset("0123456789+-.eE")


class ExportSource(Source):
    kind = "Pocket ID export"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = private_folder()
        try:
            self._zip = ZipFile(path)
            self._spool = sqlite3.connect(Path(self._folder.name) / "rows.sqlite3", isolation_level=None)
            self._spool.execute("PRAGMA journal_mode=OFF")
            self._spool.execute("PRAGMA synchronous=OFF")
            self._schema, self._counts = self._read()
        except BaseException as problem:
            self._folder.cleanup()
            if isinstance(problem, PACKED):
                raise self._damaged(TABLES) from None
            raise

    def close(self) -> None:
        self._spool.close()
        self._zip.close()
        self._folder.cleanup()

    @property
    def schema(self) -> int:
        return self._schema

    def tables(self) -> Mapping[str, int]:
        return self._counts

    def rows(self, table: str, *order: str) -> Iterator[Row]:
        if table not in self._counts:
            return
        columns = ", ".join((*(f"json_extract(row, '$.{column}')" for column in order), "number"))
        for (text,) in self._spool.execute(f'SELECT row FROM "{table}" ORDER BY {columns}'):  # noqa: S608 - checked names
            yield Row(table, self._checked(table, text))

    def _checked(self, table: str, text: str) -> dict[str, Any]:
        """The columns of a row; raise ``CannotMove`` for what is none."""
        try:
            values = whole(text)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise CannotMove(f"{self._path} is damaged: a row of {table} cannot be read.")
        return values

    def actors(self) -> Iterator[Actor]:
        if ACTORS not in self._zip.namelist():
            return
        try:
            for document in messagepack.unpack_all(self._content(ACTORS)):
                state = document.get("state") if isinstance(document, dict) else None
                if isinstance(state, dict):
                    yield unpacked(str(state.get("actorType")), str(state.get("actorId")), state.get("data") or b"\xc0")
        except messagepack.Malformed:
            raise CannotMove(f"{self._path} is damaged: {ACTORS} cannot be read.") from None

    def files(self) -> Iterator[File]:
        for name in sorted(self._zip.namelist()):
            if name.startswith(UPLOADS) and not name.endswith("/"):
                yield File(name.removeprefix(UPLOADS), self._content(name))

    def _content(self, name: str) -> bytes:
        if self._zip.getinfo(name).file_size > MAX_FILE:
            raise CannotMove(f"{self._path}: {name} is larger than {MAX_FILE // 1024 // 1024} MiB.")
        try:
            return self._zip.read(name)
        except PACKED:
            raise self._damaged(name) from None

    def _read(self) -> tuple[int, dict[str, int]]:
        schema, counts = 0, {}
        with self._zip.open(TABLES) as file:
            stream = JsonStream(file)
            try:
                for name in stream.members():
                    if name == "version":
                        schema = _schema(stream.value())
                    elif name == "tables":
                        for table in stream.members():
                            counts[table] = self._keep(table, stream.texts())
                    else:
                        stream.value()
                stream.end()
            except Malformed as problem:
                raise CannotMove(f"{self._path} is damaged: {TABLES} cannot be read ({problem}).") from None
        return schema, counts

    def _keep(self, table: str, rows: Iterator[str]) -> int:
        if not table.replace("_", "").isalnum() or table.startswith("sqlite_"):  # which SQLite keeps for itself
            raise Malformed(f"{table!r} is no name of a table")
        if self._spool.execute("SELECT 1 FROM sqlite_master WHERE lower(name) = lower(?)", (table,)).fetchone():
            raise Malformed(f"{table!r} is there twice")
        self._spool.execute("BEGIN")
        self._spool.execute(f'CREATE TABLE "{table}" (number INTEGER PRIMARY KEY, row TEXT NOT NULL)')
        self._spool.executemany(
            f'INSERT INTO "{table}" (row) VALUES (?)',  # noqa: S608 - checked above
            ((row,) for row in rows),
        )
        self._spool.execute("COMMIT")
        count: int = self._spool.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608
        return count

    def _damaged(self, name: str) -> CannotMove:
        return CannotMove(
            f"{self._path} is damaged or not complete: {name} cannot be unpacked. Export again, and copy it as a whole."
        )


def _schema(version: object) -> int:
    try:
        return int(version)  # type: ignore[call-overload,no-any-return] # or it is refused
    except (TypeError, ValueError, OverflowError):
        raise Malformed("its version is no number") from None


class Malformed(Exception):
    """The document is none; the text says why."""


class JsonStream:
    """A JSON document, value by value, of which a few rows are in memory at a time. Raises ``Malformed``."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._place, self._is_all = "", 0, False
        self._json = json.JSONDecoder()
        self.last = ""  # the text of the value that was read last

    def members(self) -> Iterator[str]:
        """The names of an object; between two of them its value is taken, with any of these methods."""
        self._expect("{")
        if self._next() == "}":
            self._place += 1
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                raise Malformed("a name is no text")
            self._expect(":")
            yield name
            if self._next() == "}":
                self._place += 1
                return
            self._expect(",")

    def texts(self) -> Iterator[str]:
        """The values of an array as they are written, once each has been read; none for ``null``, Go's empty array."""
        if self._next() == "n":
            self.value()
            return
        self._expect("[")
        if self._next() == "]":
            self._place += 1
            return
        while True:
            self.value()
            yield self.last
            if self._next() == "]":
                self._place += 1
                return
            self._expect(",")

    def value(self) -> Any:  # noqa: ANN401
        self._next()
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._place)
                # A number at the end of what was read may go on, also after a point that nothing follows yet.
                if self._is_all or (end < len(self._text) and self._text[end] not in _IN_NUMBERS):
                    self.last, self._place = self._text[self._place : end], end
                    return found
            except ValueError:
                if self._is_all:
                    raise Malformed("it is no JSON, or ends too early") from None
            except RecursionError:
                raise Malformed("it is nested too deeply") from None
            self._fill()

    def end(self) -> None:
        """Raise ``Malformed`` when something follows; reads to the end, where the zip's checksum is compared."""
        while not self._is_all:
            self._fill()
        if self._text[self._place :].strip():
            raise Malformed("something follows the document")

    def _next(self) -> str:
        """The next character that is no blank, which stays unread."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in " \t\r\n":
                self._place += 1
            if self._place < len(self._text):
                return self._text[self._place]
            if self._is_all:
                raise Malformed("it ends too early")
            self._fill()

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise Malformed(f"{character} was expected")
        self._place += 1

    def _fill(self) -> None:
        if len(self._text) - self._place > _LONGEST:
            raise Malformed("a value is too long")
        more = self._file.read(_CHUNK)
        self._is_all = not more
        try:
            self._text = self._text[self._place :] + self._decoder.decode(more, final=self._is_all)
        except UnicodeDecodeError:
            raise Malformed("it is no UTF-8 text") from None
        self._place = 0
