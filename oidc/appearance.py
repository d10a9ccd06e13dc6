"""How an app is shown beside our own mark."""

import hashlib

HUES = 12


class Appearance:
    """For whatever has a ``name`` and a ``client_id``."""

    name: str
    client_id: str

    @property
    def initial(self) -> str:
        return self.name[:1].upper()

    @property
    def colour(self) -> int:
        """One of twelve hues, the same for this app for ever."""
        return hashlib.sha256(self.client_id.encode()).digest()[0] % HUES

    @property
    def logo_url(self) -> str:
        """Empty: logos come with the management API."""
        return ""
