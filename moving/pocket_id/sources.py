"""The four shapes in which Pocket ID's data come, behind one face."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moving.errors import CannotMove
from moving.pocket_id import messagepack
from moving.pocket_id.rows import Row

# Schema versions are the times of Pocket ID's migrations: 2.9.0, and the newest that is described anywhere (after 2.18).
OLDEST_SCHEMA = 2026_06_01_15_49_00
NEWEST_SCHEMA = 2026_10_06_12_00_00
MAX_FILE = 50 * 1024 * 1024  # bytes; Pocket ID's own limit


@dataclass(frozen=True)
class Actor:
    """A piece of state that is not in a table since 2.12: settings, sign-up tokens, codes that wait."""

    kind: str
    id: str
    state: Any


@dataclass(frozen=True)
class File:
    """One of the uploads, by its path below ``uploads/``."""

    path: str
    content: bytes
    is_link: bool = False  # to somewhere else, where nobody looked


class Source(ABC):
    """Nothing is ever written to it."""

    kind: str  # as the report calls it

    @property
    @abstractmethod
    def schema(self) -> int:
        """The version of the tables."""

    @abstractmethod
    def tables(self) -> Mapping[str, int]:
        """The tables there are, and how many rows each has."""

    @abstractmethod
    def rows(self, table: str, *order: str) -> Iterator[Row]:
        """All rows in the order of these columns; none when there is no such table."""

    @abstractmethod
    def actors(self) -> Iterator[Actor]: ...

    @abstractmethod
    def files(self) -> Iterator[File]: ...

    @abstractmethod
    def close(self) -> None:
        """Remove what was copied."""

    def check(self) -> None:
        """Raise ``CannotMove`` unless this version knows the tables."""
        missing = {"users", "oidc_clients", "webauthn_credentials"} - self.tables().keys()
        if missing:
            raise CannotMove(f"This is no Pocket ID database: it has no table {min(missing)}.")
        if self.schema > NEWEST_SCHEMA:
            raise CannotMove(
                f"The data are of a newer Pocket ID (schema {self.schema}) than this version of pocketid knows "
                f"(up to {NEWEST_SCHEMA}). Install a newer pocketid and import again."
            )
        if self.schema < OLDEST_SCHEMA:
            raise CannotMove(
                f"The data are of a Pocket ID before 2.9 (schema {self.schema}). Start the newest Pocket ID 2 on them "
                "once, which brings them up to date, stop it, and import again."
            )

    def key_values(self) -> dict[str, str]:
        return {row.text("key"): row.text("value") for row in self.rows("kv")}


def unpacked(kind: str, actor_id: str, data: bytes) -> Actor:
    """Pocket ID keeps the state of an actor as MessagePack."""
    try:
        return Actor(kind, actor_id, messagepack.unpack(data))
    except messagepack.Malformed:
        raise CannotMove(f"The source is damaged: the state of {kind} cannot be read.") from None
