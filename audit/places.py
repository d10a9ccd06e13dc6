"""Where an address is: the name of its network, else what a database that the operator has put there says. Nobody is asked."""

import ipaddress
import logging
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from maxminddb.reader import Reader

logger = logging.getLogger("pocketid.audit")

INTERNAL = "Internal Network"
TAILSCALE = (ipaddress.ip_network("100.64.0.0/10"), ipaddress.ip_network("fd7a:115c:a1e0::/48"))
LANGUAGE = "en"  # as Pocket ID writes them: entries are compared and searched


def of(address: str | None) -> tuple[str, str]:
    """Country and city; for addresses of no country the name of the network, both empty when unknown."""
    _database.refresh()
    return _of(address or "")


@lru_cache(maxsize=4096)  # the same few addresses come again and again
def _of(address: str) -> tuple[str, str]:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "", ""
    if any(parsed in network for network in TAILSCALE if network.version == parsed.version):
        return INTERNAL, "Tailscale"
    return (INTERNAL, "LAN") if parsed.is_private or parsed.is_link_local else _database.look_up(address)


class Database:
    """A MaxMind DB file such as GeoLite2-City, opened when the first address is looked up and mapped into memory.

    A missing or damaged file is said once in the log and stops nothing. A file that was replaced is opened anew.
    """

    AGAIN = 60.0  # seconds until the file is looked at again

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._file: tuple[Path, int, int] | None = None  # path, time of change, size
        self._reader: Reader | None = None
        self._told: set[str] = set()

    def look_up(self, address: str) -> tuple[str, str]:
        """Country and city, empty when the database does not know them."""
        reader = self._reader
        if reader is None:
            return "", ""
        try:
            found = reader.get(address)
        except Exception as problem:  # whatever a damaged file leads the reader to: no sign-in shall fail for it
            self._tell(
                f"GEOLITE_DB_PATH: the file is damaged, addresses cannot be looked up ({type(problem).__name__})"
            )
            return "", ""
        return _name(found, "country"), _name(found, "city")

    def refresh(self) -> None:
        """Open the file, or the one that has taken its place; once a minute."""
        now = time.monotonic()
        if self._looked_at and now - self._looked_at < self.AGAIN:
            return
        with self._lock:
            self._looked_at = now
            environment = settings.ENVIRONMENT
            path = environment.geolite_db_path or environment.data_path / "GeoLite2-City.mmdb"
            try:
                status = path.stat()
            except OSError as problem:
                if environment.geolite_db_path is not None:
                    self._tell(f"GEOLITE_DB_PATH: no places are known, {path} cannot be read ({problem.strerror})")
                self._take(None, None)
                return
            file = (path, status.st_mtime_ns, status.st_size)
            if file != self._file:
                self._take(file, self._open(path))

    def _open(self, path: Path) -> "Reader | None":
        import maxminddb

        try:
            return maxminddb.open_database(path)
        except Exception as problem:  # as above
            self._tell(f"GEOLITE_DB_PATH: no places are known, {path} is no database ({problem})")
            return None

    def _take(self, file: tuple[Path, int, int] | None, reader: "Reader | None") -> None:
        # The former is not closed: another thread may be reading it. It goes with its last reference.
        self._file, changed = file, self._file != file
        self._reader = reader
        if changed:
            _of.cache_clear()

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            logger.warning("%s", words)


def _name(found: object, part: str) -> str:
    """``record[part]["names"]["en"]`` of whatever the file says, at most as long as its column."""
    for key in (part, "names", LANGUAGE):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found[:100] if isinstance(found, str) else ""


_database = Database()
