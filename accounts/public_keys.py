"""Which public keys can prove anything (attacks.md E16).

Registration shows no proof of possession (attestation ``none``), so a key is looked at before it is kept: of a known
kind, large enough, on its curve, and none that anybody could sign for.
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from webauthn.helpers import decode_credential_public_key
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decoded_public_key_to_cryptography import decoded_public_key_to_cryptography
from webauthn.helpers.exceptions import WebAuthnException

MIN_RSA_BITS, MIN_RSA_EXPONENT = 2048, 65537

_CURVES = {
    COSEAlgorithmIdentifier.ECDSA_SHA_256: ec.SECP256R1,
    COSEAlgorithmIdentifier.ECDSA_SHA_512: ec.SECP521R1,
}
_RSA = frozenset(
    (
        COSEAlgorithmIdentifier.RSASSA_PSS_SHA_256,
        COSEAlgorithmIdentifier.RSASSA_PSS_SHA_384,
        COSEAlgorithmIdentifier.RSASSA_PSS_SHA_512,
        COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
        COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_384,
        COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_512,
    )
)
_P = 2**255 - 19
# The y coordinates of the eight points whose order divides 8 on edwards25519: L times any point has one of them.
_SMALL_ORDER = frozenset(
    (
        0,
        1,
        _P - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    )
)


class WeakKey(ValueError):
    """The key proves nothing, or is none."""


def check(cose: bytes) -> None:
    """Raise ``WeakKey`` unless a signature of this COSE_Key shows that somebody holds its private part."""
    try:
        decoded = decode_credential_public_key(cose)
        key = decoded_public_key_to_cryptography(decoded)
    except (WebAuthnException, UnsupportedAlgorithm, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise WeakKey("not a public key") from None
    algorithm = decoded.alg
    match key:
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            if (
                algorithm not in _RSA
                or key.key_size < MIN_RSA_BITS
                or numbers.e < MIN_RSA_EXPONENT
                or numbers.e % 2 == 0
            ):
                raise WeakKey("an RSA key that is too small or for another algorithm")
        case ec.EllipticCurvePublicKey():
            curve = _CURVES.get(algorithm)
            if curve is None or not isinstance(key.curve, curve):
                raise WeakKey("a curve that does not belong to the algorithm")
        case ed25519.Ed25519PublicKey():
            if algorithm != COSEAlgorithmIdentifier.EDDSA or _is_small(key.public_bytes_raw()):
                raise WeakKey("an Ed25519 point that anybody can sign for")
        case _:
            raise WeakKey("an unknown kind of key")


def _is_small(raw: bytes) -> bool:
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    # What is not reduced stands for the same point in a second way.
    return y >= _P or y in _SMALL_ORDER
