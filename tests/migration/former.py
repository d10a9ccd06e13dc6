"""Two Pocket ID installations, 2.9 and 2.14, as they were left: ``installations/README.md`` says what is in them."""

import html
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit
from zipfile import ZipFile

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes

from tests.support.authenticator import Authenticator
from tests.support.credential import ES256, Credential
from tests.support.http_browser import HttpBrowser
from tests.support.oidc import s256

DATA = Path(__file__).parent / "installations"
VERSIONS = ("2.9", "2.14")
CALLBACK = "https://app.example.com/callback"
VERIFIER = "v" * 64


@dataclass(frozen=True)
class Former:
    """One of the installations."""

    version: str

    @cached_property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((DATA / f"manifest-{self.version}.json").read_text())
        return found

    @property
    def app_url(self) -> str:
        return str(self.manifest["app_url"])

    @property
    def encryption_key(self) -> str:
        return str(self.manifest["encryption_key"])

    @property
    def moving_day(self) -> datetime:
        """Soon after it was stopped: then every token is still alive."""
        return datetime.fromisoformat(self.manifest["made_at"]) + timedelta(minutes=5)

    @property
    def export(self) -> Path:
        return DATA / f"export-{self.version}.zip"

    def data_directory(self, below: Path) -> Path:
        with ZipFile(DATA / f"data-{self.version}.zip") as archive:
            archive.extractall(below)
        return below / "data"

    def upload(self, start: str) -> bytes:
        """The file whose path below uploads/ starts so."""
        with ZipFile(self.export) as archive:
            name = next(name for name in archive.namelist() if name.startswith(f"uploads/{start}"))
            return archive.read(name)

    def authenticator(self, username: str) -> Authenticator:
        """Holds the passkeys of this person, the first as the newest."""
        device = Authenticator(self.app_url, algorithms=(ES256,), counter_step=0, backup_eligible=True, backed_up=True)
        device.credentials = [credential(each) for each in reversed(self.manifest["users"][username]["passkeys"])]
        return device

    def secrets(self) -> list[tuple[str, str]]:
        """Each client with a secret of its own, by name, and the secret."""
        return [(name, secret) for name, client in self.manifest["clients"].items() for secret in client["secrets"]]


def credential(passkey: dict[str, Any]) -> Credential:
    key = serialization.load_der_private_key(base64_to_bytes(passkey["private_key_pkcs8"]), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Credential(
        base64url_to_bytes(passkey["credential_id"]), key, base64url_to_bytes(passkey["user_handle"]), passkey["alg"]
    )


def base64_to_bytes(text: str) -> bytes:
    return base64url_to_bytes(text.replace("+", "-").replace("/", "_"))


class MovedBrowser(HttpBrowser):
    """A browser that reaches the server under its old address, behind which it listens on another port."""

    def __init__(self, base_url: str, origin: str) -> None:
        super().__init__(base_url)
        self.origin = origin

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return super().get(path.removeprefix(self.origin), **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        headers = dict(kwargs.pop("headers", {})) | {"Origin": self.origin}
        return super().post(path.removeprefix(self.origin), headers=headers, **kwargs)


@dataclass(frozen=True)
class Home:
    """Where an installation lives now."""

    former: Former
    base_url: str

    def browser(self, username: str = "") -> MovedBrowser:
        """Of this person, signed in."""
        browser = MovedBrowser(self.base_url, self.former.app_url)
        if username:
            browser.sign_in(self.former.authenticator(username)).raise_for_status()
        return browser

    def api(self, path: str, **kwargs: Any) -> Any:
        answer = self.call("get", path, **kwargs)
        answer.raise_for_status()
        return answer.json()

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """With the old API key."""
        headers = {"X-API-Key": self.former.manifest["api_key"]["token"]}
        return requests.request(method, urljoin(self.base_url, path), headers=headers, timeout=10, **kwargs)

    def token(self, client: str, secret: str = "", **form: str) -> requests.Response:
        client_id = self.former.manifest["clients"][client]["id"]
        if not secret:
            return requests.post(f"{self.base_url}/api/oidc/token", data=form | {"client_id": client_id}, timeout=10)
        auth = quote(client_id, safe=""), quote(secret, safe="")
        return requests.post(f"{self.base_url}/api/oidc/token", data=form, auth=auth, timeout=10)

    def visit(self, username: str, client: str) -> requests.Response:
        """What this person's browser ends at when it goes to the client: the callback's redirect, or a page."""
        browser = self.browser(username)
        query = {
            "response_type": "code",
            "client_id": self.former.manifest["clients"][client]["id"],
            "redirect_uri": CALLBACK,
            "scope": "openid profile email groups",
            "state": "some state of the app",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        page = browser.get("/authorize?" + urlencode(query))
        for _step in range(8):
            location = page.headers.get("Location", "")
            if location.startswith(CALLBACK):
                return page
            asked = re.search(r'data-action="passkey-sign-in" data-next="([^"]+)"', page.text)
            if location:
                page = browser.get(location)
            elif asked:
                # The client wants the passkey every time: here it is, and back to where it was asked for.
                browser.sign_in(self.former.authenticator(username)).raise_for_status()
                page = browser.get(html.unescape(asked[1]))
            elif 'data-action="consent-allow"' in page.text:
                page = browser.press("consent-allow", page)
            else:
                return page
        raise AssertionError("sent round in circles")

    def code(self, username: str, client: str) -> str:
        location = self.visit(username, client).headers["Location"]
        return dict(parse_qsl(urlsplit(location).query))["code"]

    def redeem(self, client: str, secret: str, code: str) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token(client, secret, **form)
