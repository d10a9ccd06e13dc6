"""A software authenticator and the browser around it: answers WebAuthn options with real signatures.

It is honest by default. Every lie a test needs is an attribute: set it, and the next answer tells it.
"""

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import cbor2
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from tests.support.credential import EDDSA, ES256, Credential, generate_key

UNKNOWN_MODEL = UUID(int=0)


class CeremonyRefused(Exception):
    """The browser would not have answered; the text is the name of its DOMException."""


@dataclass
class Authenticator:
    """``origin`` is where the page claims to be; ``rp_id`` overrides the relying party ID of the options."""

    origin: str
    rp_id: str | None = None
    credentials: list[Credential] = field(default_factory=list)  # the newest is last
    algorithms: tuple[int, ...] = (ES256, EDDSA)
    aaguid: UUID = UNKNOWN_MODEL
    counter_step: int = 1  # 0: the counter stays 0, as passkeys that are synced between devices

    user_present: bool = True
    user_verified: bool = True
    backup_eligible: bool = False
    backed_up: bool = False

    cross_origin: bool = False
    top_origin: str | None = None
    client_data_type: str | None = None
    challenge: str | None = None
    credential_id: bytes | None = None
    user_handle: bytes | None = None  # sent instead of the credential's own; b"" leaves it out
    corrupt_signature: bool = False
    ignore_exclusions: bool = False

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """A new credential, as ``PublicKeyCredential.toJSON()`` would give it; raise ``CeremonyRefused``."""
        excluded = {base64url_to_bytes(known["id"]) for known in options.get("excludeCredentials", [])}
        if not self.ignore_exclusions and any(mine.id in excluded for mine in self.credentials):
            raise CeremonyRefused("InvalidStateError")
        algorithm = next((each["alg"] for each in options["pubKeyCredParams"] if each["alg"] in self.algorithms), None)
        if algorithm is None:
            raise CeremonyRefused("NotSupportedError")
        credential = Credential(
            self.credential_id or secrets.token_bytes(32),
            generate_key(algorithm),
            base64url_to_bytes(options["user"]["id"]),
            algorithm,
        )
        self.credentials.append(credential)
        attested = self.aaguid.bytes + struct.pack(">H", len(credential.id)) + credential.id + credential.cose()
        data = self._authenticator_data(options["rp"]["id"], credential, attested)
        response = {
            "clientDataJSON": self._client_data("webauthn.create", options),
            "attestationObject": cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data}),
            "authenticatorData": data,
            "publicKey": credential.spki(),
        }
        answer = self._answer(credential.id, response)
        answer["response"] |= {"publicKeyAlgorithm": algorithm, "transports": ["internal"]}
        return answer | {"clientExtensionResults": {"credProps": {"rk": True}}}

    def get(self, options: dict[str, Any], credential: Credential | None = None) -> dict[str, Any]:
        """An assertion of ``credential``, else of the newest that the options allow; raise ``CeremonyRefused``."""
        credential = credential or self._choose(options)
        client_data = self._client_data("webauthn.get", options)
        data = self._authenticator_data(options["rpId"], credential)
        signature = credential.sign(data + hashlib.sha256(client_data).digest())
        if self.corrupt_signature:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        response = {"clientDataJSON": client_data, "authenticatorData": data, "signature": signature}
        if handle := credential.user_handle if self.user_handle is None else self.user_handle:
            response["userHandle"] = handle
        return self._answer(self.credential_id or credential.id, response)

    def _choose(self, options: dict[str, Any]) -> Credential:
        allowed = {base64url_to_bytes(known["id"]) for known in options.get("allowCredentials", [])}
        for credential in reversed(self.credentials):
            if not allowed or credential.id in allowed:
                return credential
        raise CeremonyRefused("NotAllowedError")

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        """The bytes the browser signs for the page (WebAuthn L3 section 5.8.1)."""
        data = {
            "type": self.client_data_type or kind,
            "challenge": self.challenge or options["challenge"],
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        }
        return json.dumps(
            data if self.top_origin is None else data | {"topOrigin": self.top_origin}, separators=(",", ":")
        ).encode()

    def _authenticator_data(self, rp_id: str, credential: Credential, attested: bytes = b"") -> bytes:
        """The bytes the authenticator signs (WebAuthn L3 section 6.1); counts one use."""
        credential.sign_count += self.counter_step
        flags = (
            self.user_present << 0
            | self.user_verified << 2
            | self.backup_eligible << 3
            | self.backed_up << 4
            | bool(attested) << 6
        )
        return (
            hashlib.sha256((self.rp_id or rp_id).encode()).digest()
            + struct.pack(">BI", flags, credential.sign_count)
            + attested
        )

    def _answer(self, credential_id: bytes, response: dict[str, bytes]) -> dict[str, Any]:
        encoded = bytes_to_base64url(credential_id)
        return {
            "id": encoded,
            "rawId": encoded,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {name: bytes_to_base64url(value) for name, value in response.items()},
        }
