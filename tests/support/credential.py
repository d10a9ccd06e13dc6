"""A passkey as its holder sees it: the private key and whom it is for."""

from dataclasses import dataclass

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

ES256, EDDSA = -7, -8  # COSE algorithm numbers, RFC 9053 sections 2.1 and 2.2


@dataclass
class Credential:
    """A discoverable credential; ``sign_count`` is the last one it sent."""

    id: bytes
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    user_handle: bytes
    algorithm: int
    sign_count: int = 0

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def cose(self) -> bytes:
        """The public key as a COSE_Key (RFC 9053 section 7)."""
        public = self.key.public_key()
        if isinstance(public, ed25519.Ed25519PublicKey):
            return cbor2.dumps({1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()})
        point = public.public_numbers()
        return cbor2.dumps({1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})

    def spki(self) -> bytes:
        """The public key as a browser's ``getPublicKey()`` gives it (DER)."""
        return self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def generate_key(algorithm: int) -> ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate() if algorithm == EDDSA else ec.generate_private_key(ec.SECP256R1())
