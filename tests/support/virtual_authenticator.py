"""Chromium's virtual authenticator: passkeys without a finger (WebAuthn section 11, over the DevTools protocol)."""

import base64
from typing import Any

from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Page

from tests.support.credential import Credential

PLATFORM = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class VirtualAuthenticator:
    """The built-in authenticator of one page; it touches itself and recognises its user at once."""

    def __init__(self, page: Page) -> None:
        self._cdp = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        self._id: str = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": PLATFORM})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        """As DevTools has them: ids, keys and handles in plain base64."""
        found: list[dict[str, Any]] = self._send("getCredentials")["credentials"]
        return found

    def add(self, credential: dict[str, Any]) -> None:
        self._send("addCredential", credential=credential)

    def move_to(self, other: "VirtualAuthenticator") -> None:
        """Hand over all credentials, counters included: one that two devices hold would look like a clone."""
        for credential in self.credentials():
            other.add({name: value for name, value in credential.items() if value != ""})
            self.remove(credential["credentialId"])

    def remove(self, credential_id: str) -> None:
        self._send("removeCredential", credentialId=credential_id)

    def hold(self, credential: Credential, *, rp_id: str) -> None:
        """Take over a credential (ES256) of the software authenticator; ``give_back`` must follow."""
        key = credential.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self.add(
            {
                "credentialId": _base64(credential.id),
                "isResidentCredential": True,
                "rpId": rp_id,
                "privateKey": _base64(key),
                "userHandle": _base64(credential.user_handle),
                "signCount": credential.sign_count,
            }
        )

    def give_back(self, credential: Credential) -> None:
        """Let the software authenticator count on from here."""
        for mine in self.credentials():
            if mine["credentialId"] == _base64(credential.id):
                credential.sign_count = mine["signCount"]
                self.remove(mine["credentialId"])

    def verify_user(self, succeeds: bool) -> None:
        """Whether fingerprint or PIN will be right from now on."""
        self._send("setUserVerified", isUserVerified=succeeds)

    def _send(self, command: str, **parameters: object) -> dict[str, Any]:
        answer: dict[str, Any] = self._cdp.send(f"WebAuthn.{command}", {"authenticatorId": self._id, **parameters})
        return answer


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
