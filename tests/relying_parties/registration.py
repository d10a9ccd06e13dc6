"""Apps registered over REST, with every setting a client can have."""

from dataclasses import dataclass

from tests.support.console import RegisteredClient
from tests.support.http_browser import HttpBrowser


@dataclass(frozen=True)
class Registrar:
    """An administrator who is signed in."""

    browser: HttpBrowser

    @property
    def issuer(self) -> str:
        return self.browser.base_url

    def register(self, name: str, *callback_urls: str, **settings: object) -> RegisteredClient:
        """Register an app; ``settings`` are those of ``POST /api/oidc/clients``. It gets a secret unless it is public."""
        body = {"name": name, "callbackURLs": callback_urls} | settings
        created = self.browser.post("/api/oidc/clients", json=body)
        assert created.status_code == 201, created.text
        client_id = created.json()["id"]
        if settings.get("isPublic"):
            return RegisteredClient(client_id, "")
        secret = self.browser.post(f"/api/oidc/clients/{client_id}/secret")
        assert secret.ok, secret.text
        return RegisteredClient(client_id, secret.json()["secret"])

    def change(self, client_id: str, **settings: object) -> None:
        """Send the registration again with ``settings`` changed."""
        path = f"/api/oidc/clients/{client_id}"
        changed = self.browser.session.put(
            self.issuer + path, json=self.browser.get(path).json() | settings, headers={"Origin": self.issuer}
        )
        assert changed.ok, changed.text
