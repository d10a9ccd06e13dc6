"""Signed proofs of clients and workloads, made with real keys, and a real server that publishes public keys."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

ISSUER = "http://localhost:1411"
TOKEN_ENDPOINT = f"{ISSUER}/api/oidc/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def a_key(algorithm: str = "ES256", *, kid: str | None = "key-1", bits: int = 2048) -> Key:
    """A private key; without ``kid`` neither it nor what it signs names one."""
    parameters = {"kid": kid} if kid else {}
    if algorithm[:2] in ("RS", "PS"):
        return RSAKey.generate_key(bits, parameters, auto_kid=False)
    if algorithm[:2] == "ES":
        curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]
        return ECKey.generate_key(curve, parameters, auto_kid=False)
    return OKPKey.generate_key("Ed25519", parameters, auto_kid=False)


def public(*keys: Key) -> dict[str, Any]:
    """The JWK Set that is registered or published."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


def signed(key: Key, claims: dict[str, Any], *, algorithm: str = "ES256", **header: Any) -> str:
    members = {"alg": algorithm, **({"kid": key.kid} if key.kid else {}), **header}
    # Every algorithm that joserfc knows: what is refused has to be made first.
    return jwt.encode({k: v for k, v in members.items() if v is not None}, claims, key, algorithms=[algorithm])


def assertion(client_id: str, key: Key, *, algorithm: str = "ES256", header: dict[str, Any] | None = None, **claims: Any) -> str:  # fmt: skip
    """What ``private_key_jwt`` sends (OIDC Core section 9); ``None`` leaves a usual claim out."""
    now = int(time.time())
    usual = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": uuid.uuid4().hex,
    }
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return signed(key, kept, algorithm=algorithm, **(header or {}))


def proof(text: str, client_id: str | None = None) -> dict[str, str]:
    """The form fields that carry an assertion (RFC 7523 section 2.2)."""
    fields = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    return fields | ({"client_id": client_id} if client_id else {})


class KeyServer(ThreadingHTTPServer):
    """Answers each path of ``documents`` with its JSON; ``asked`` are the paths in the order they were asked for."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.status = 200
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        document = self.server.documents.get(self.path)
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(404 if document is None else self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing: tests are read, not watched."""


@contextmanager
def key_server() -> Iterator[KeyServer]:
    with KeyServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
