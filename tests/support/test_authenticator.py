"""The software authenticator, judged by py_webauthn alone."""

import json
from typing import Any
from uuid import UUID

import pytest
import webauthn
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, InvalidRegistrationResponse
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import CredentialDeviceType, PublicKeyCredentialDescriptor
from webauthn.registration.verify_registration_response import VerifiedRegistration

from tests.support.authenticator import Authenticator, CeremonyRefused
from tests.support.credential import EDDSA, ES256

ORIGIN, RP_ID = "https://id.example.org", "id.example.org"
CHALLENGE, HANDLE = b"a challenge of 32 bytes or longer", b"the user handle"


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(ORIGIN)


def creation_options(*algorithms: int, exclude: tuple[bytes, ...] = ()) -> dict[str, Any]:
    options = webauthn.generate_registration_options(
        rp_id=RP_ID,
        rp_name="Pocket ID",
        user_name="alice",
        user_id=HANDLE,
        challenge=CHALLENGE,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=known) for known in exclude],
    )
    return options_to_json_dict(options) | (
        {"pubKeyCredParams": [{"type": "public-key", "alg": each} for each in algorithms]} if algorithms else {}
    )


def request_options(*allowed: bytes) -> dict[str, Any]:
    known = [PublicKeyCredentialDescriptor(id=each) for each in allowed]
    return options_to_json_dict(
        webauthn.generate_authentication_options(rp_id=RP_ID, challenge=CHALLENGE, allow_credentials=known)
    )


def verify_creation(answer: dict[str, Any]) -> VerifiedRegistration:
    return webauthn.verify_registration_response(
        credential=json.dumps(answer),
        expected_challenge=CHALLENGE,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        require_user_verification=True,
    )


def verify_assertion(authenticator: Authenticator, answer: dict[str, Any], *, count: int = 0) -> VerifiedAuthentication:
    return webauthn.verify_authentication_response(
        credential=json.dumps(answer),
        expected_challenge=CHALLENGE,
        expected_rp_id=RP_ID,
        expected_origin=ORIGIN,
        credential_public_key=authenticator.credentials[-1].cose(),
        credential_current_sign_count=count,
        require_user_verification=True,
    )


@pytest.mark.parametrize("algorithm", [ES256, EDDSA])
def test_what_it_creates_and_signs_is_valid(authenticator: Authenticator, algorithm: int) -> None:
    authenticator.aaguid = UUID(int=7)
    registered = verify_creation(authenticator.create(creation_options(algorithm)))
    credential = authenticator.credentials[0]
    assert (registered.credential_id, registered.credential_public_key) == (credential.id, credential.cose())
    assert (registered.aaguid, registered.fmt, registered.user_verified) == (str(UUID(int=7)), "none", True)

    answer = authenticator.get(request_options())
    assert base64url_to_bytes(answer["response"]["userHandle"]) == HANDLE
    assert verify_assertion(authenticator, answer, count=registered.sign_count).new_sign_count == 2


def test_the_relying_party_chooses_the_algorithm(authenticator: Authenticator) -> None:
    authenticator.create(creation_options(-257, EDDSA, ES256))
    authenticator.create(creation_options(ES256, EDDSA))
    assert [each.algorithm for each in authenticator.credentials] == [EDDSA, ES256]


def test_an_algorithm_it_does_not_know_is_refused(authenticator: Authenticator) -> None:
    with pytest.raises(CeremonyRefused, match="NotSupportedError"):
        authenticator.create(creation_options(-257))


def test_an_excluded_authenticator_refuses_unless_told_to_lie(authenticator: Authenticator) -> None:
    authenticator.create(creation_options())
    options = creation_options(exclude=(authenticator.credentials[0].id,))
    with pytest.raises(CeremonyRefused, match="InvalidStateError"):
        authenticator.create(options)
    authenticator.ignore_exclusions = True
    verify_creation(authenticator.create(options))


def test_the_newest_allowed_credential_answers(authenticator: Authenticator) -> None:
    for _ in range(3):
        authenticator.create(creation_options())
    first, second, third = authenticator.credentials
    assert base64url_to_bytes(authenticator.get(request_options())["id"]) == third.id
    assert base64url_to_bytes(authenticator.get(request_options(first.id, second.id))["id"]) == second.id
    assert base64url_to_bytes(authenticator.get(request_options(), first)["id"]) == first.id
    with pytest.raises(CeremonyRefused, match="NotAllowedError"):
        authenticator.get(request_options(b"of somebody else"))


def test_a_synced_passkey_is_backed_up_and_does_not_count(authenticator: Authenticator) -> None:
    authenticator.counter_step, authenticator.backup_eligible, authenticator.backed_up = 0, True, True
    registered = verify_creation(authenticator.create(creation_options()))
    assert registered.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    assert registered.credential_backed_up
    assert verify_assertion(authenticator, authenticator.get(request_options())).new_sign_count == 0


@pytest.mark.parametrize(
    ("lie", "value"),
    [
        ("origin", "https://evil.example"),
        ("rp_id", "evil.example"),
        ("client_data_type", "webauthn.create"),
        ("challenge", "b2xk"),
        ("user_present", False),
        ("user_verified", False),
        ("corrupt_signature", True),
    ],
)
def test_each_lie_about_an_assertion_is_visible(authenticator: Authenticator, lie: str, value: object) -> None:
    authenticator.create(creation_options())
    setattr(authenticator, lie, value)
    with pytest.raises(InvalidAuthenticationResponse):
        verify_assertion(authenticator, authenticator.get(request_options()))


@pytest.mark.parametrize(
    ("lie", "value"),
    [
        ("origin", "https://evil.example"),
        ("rp_id", "evil.example"),
        ("client_data_type", "webauthn.get"),
        ("user_verified", False),
    ],
)
def test_each_lie_about_a_registration_is_visible(authenticator: Authenticator, lie: str, value: object) -> None:
    setattr(authenticator, lie, value)
    with pytest.raises(InvalidRegistrationResponse):
        verify_creation(authenticator.create(creation_options()))


def test_a_counter_that_went_back_is_visible(authenticator: Authenticator) -> None:
    authenticator.create(creation_options())
    authenticator.counter_step = -1
    with pytest.raises(InvalidAuthenticationResponse):
        verify_assertion(authenticator, authenticator.get(request_options()), count=1)


def test_what_py_webauthn_leaves_to_us_can_be_lied_about(authenticator: Authenticator) -> None:
    authenticator.create(creation_options())
    authenticator.cross_origin, authenticator.top_origin = True, "https://evil.example"
    authenticator.user_handle, authenticator.credential_id = b"somebody else", b"another credential"
    answer = authenticator.get(request_options())
    client_data = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
    assert (client_data["crossOrigin"], client_data["topOrigin"]) == (True, "https://evil.example")
    assert base64url_to_bytes(answer["response"]["userHandle"]) == b"somebody else"
    assert base64url_to_bytes(answer["rawId"]) == b"another credential"
    authenticator.user_handle = b""
    assert "userHandle" not in authenticator.get(request_options())["response"]
