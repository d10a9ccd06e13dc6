"""How an app is shown beside our own mark."""

import hashlib

HUES = 12


class Appearance:
    """For whatever has a ``name`` and a ``client_id``."""

    name: str
    client_id: str
    logo_hash: str

    @property
    def initial(self) -> str:
        return self.name[:1].upper()

    @property
    def colour(self) -> int:
        """One of twelve hues, the same for this app for ever."""
        return hashlib.sha256(self.client_id.encode()).digest()[0] % HUES

    @property
    def logo_url(self) -> str:
        """Empty without a logo. The hash in it lets browsers keep the picture until it changes."""
        return f"/api/oidc/clients/{self.client_id}/logo?v={self.logo_hash[:12]}" if self.logo_hash else ""
