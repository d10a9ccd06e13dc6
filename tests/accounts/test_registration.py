"""Adding a passkey (WebAuthn L3 section 7.1): what is asked, what is refused, what is kept."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import cbor2
import pytest
import time_machine
from django.conf import settings
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from accounts.models import Ceremony, Passkey
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.support.authenticator import Authenticator, CeremonyRefused
from tests.support.credential import EDDSA, ES256

pytestmark = pytest.mark.postgres


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    """Bob's browser, in which he is signed in."""
    browser.sign_in(person)
    return browser


@pytest.fixture
def key() -> Authenticator:
    """A new security key."""
    return Authenticator(settings.APP_URL)


@pytest.mark.spec("Pocket ID contract", "6.1")
def test_the_options_are_bare_and_ask_for_a_discoverable_verified_passkey(at_home: Browser, person: Person) -> None:
    options = at_home.registration_options()
    assert options.keys() == {
        "rp",
        "user",
        "challenge",
        "pubKeyCredParams",
        "timeout",
        "excludeCredentials",
        "authenticatorSelection",
        "extensions",
    }
    assert options["rp"] == {"id": "localhost", "name": "Pocket ID"}
    assert options["user"] == {
        "id": bytes_to_base64url(person.subject.encode()),
        "name": "bob",
        "displayName": "Bob Example",
    }
    assert options["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert options["extensions"] == {"credProps": True}
    assert options["timeout"] == 60_000
    assert [known["id"] for known in options["excludeCredentials"]] == [person.passkey.credential_id]
    assert {ES256, EDDSA} < {each["alg"] for each in options["pubKeyCredParams"]}
    assert len(base64url_to_bytes(options["challenge"])) >= 16


def test_somebody_without_a_passkey_excludes_nothing(browser: Browser) -> None:
    browser.send("/api/signup/setup", {"username": "alice"})
    assert "excludeCredentials" not in browser.registration_options()


@pytest.mark.parametrize("algorithm", [ES256, EDDSA])
def test_a_passkey_is_kept_and_signs_in(at_home: Browser, person: Person, key: Authenticator, algorithm: int) -> None:
    key.algorithms = (algorithm,)
    made = at_home.add_passkey(key)
    assert made.status_code == 200
    assert made.json().keys() == {
        "id",
        "name",
        "credentialID",
        "attestationType",
        "transport",
        "backupEligible",
        "backupState",
        "createdAt",
        "aaguid",
        "hasIcon",
    }
    assert (made.json()["name"], made.json()["transport"]) == ("New Passkey", ["internal"])
    assert Browser().try_to_sign_in(key).json()["id"] == person.subject


def test_nobody_adds_a_passkey_without_being_signed_in(browser: Browser, key: Authenticator, person: Person) -> None:
    for response in (browser.get("/api/webauthn/register/start"), browser.send("/api/webauthn/register/finish", {})):
        assert (response.status_code, response.json()["code"]) == (401, "not_signed_in")


def test_an_old_session_adds_no_passkey_before_its_person_is_seen_again(
    at_home: Browser, person: Person, key: Authenticator
) -> None:
    with time_machine.travel(timedelta_from_now(minutes=11)):
        stale = at_home.get("/api/webauthn/register/start")
        assert (stale.status_code, stale.json()["code"]) == (401, "reauthentication_required")
        at_home.sign_in(person)
        assert at_home.add_passkey(key).status_code == 200


REFUSED = (401, "webauthn_authentication_failed")
UNREADABLE = (400, "invalid_webauthn_response")


@pytest.mark.spec("WebAuthn L3", "7.1")
@pytest.mark.parametrize(
    ("lie", "answer"),
    [
        ({"origin": "https://badexample.com"}, REFUSED),
        ({"origin": "https://localhost:1411"}, REFUSED),
        ({"origin": "http://localhost:1412"}, REFUSED),
        ({"origin": "http://localhost:1411.evil.example"}, REFUSED),
        ({"rp_id": "evil.example"}, REFUSED),
        ({"client_data_type": "webauthn.get"}, REFUSED),
        ({"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, REFUSED),
        ({"user_present": False}, REFUSED),
        ({"user_verified": False}, (400, "passkey_user_verification_required")),
        ({"cross_origin": True}, REFUSED),
        ({"top_origin": "https://evil.example"}, REFUSED),
        ({"backed_up": True}, REFUSED),
        ({"credential_id": b"x" * 1024}, UNREADABLE),
    ],
    ids=str,
)
def test_a_lie_of_the_browser_or_the_key_makes_no_passkey(
    at_home: Browser, person: Person, key: Authenticator, lie: dict[str, Any], answer: tuple[int, str]
) -> None:
    for name, value in lie.items():
        setattr(key, name, value)
    response = at_home.add_passkey(key)
    assert (response.status_code, response.json()["code"]) == answer
    assert person.user.passkeys.count() == 1


def test_a_credential_id_of_1023_bytes_is_the_longest(at_home: Browser, key: Authenticator) -> None:
    key.credential_id = b"x" * 1023
    assert at_home.add_passkey(key).status_code == 200
    assert Browser().try_to_sign_in(key).status_code == 200


def test_whether_a_passkey_is_synced_is_recorded(at_home: Browser, key: Authenticator) -> None:
    key.backup_eligible = key.backed_up = True
    made = at_home.add_passkey(key).json()
    assert (made["backupEligible"], made["backupState"]) == (True, True)


def test_a_device_that_has_a_passkey_already_says_so(at_home: Browser, person: Person) -> None:
    with pytest.raises(CeremonyRefused, match="InvalidStateError"):
        person.device.create(at_home.registration_options())


# Challenges


def test_a_challenge_makes_one_passkey(at_home: Browser, key: Authenticator) -> None:
    options = at_home.registration_options()
    cookies = at_home.copy()
    first, second = key.create(options), key.create(options)
    assert at_home.send("/api/webauthn/register/finish", first).status_code == 200
    assert refusal(cookies.send("/api/webauthn/register/finish", second)) == (400, "invalid_webauthn_session")


def test_a_challenge_ends_after_five_minutes(at_home: Browser, key: Authenticator) -> None:
    options = at_home.registration_options()
    with time_machine.travel(timedelta_from_now(minutes=5, seconds=1)):
        assert refusal(at_home.send("/api/webauthn/register/finish", key.create(options))) == (
            400,
            "invalid_webauthn_session",
        )


def test_a_challenge_belongs_to_the_session_it_was_given_to(at_home: Browser, key: Authenticator) -> None:
    eve = a_person("eve")
    other = Browser()
    other.sign_in(eve)
    options = at_home.registration_options()
    other.cookies[settings.CEREMONY_COOKIE_NAME] = at_home.cookies[settings.CEREMONY_COOKIE_NAME].value
    assert refusal(other.send("/api/webauthn/register/finish", key.create(options))) == (
        400,
        "invalid_webauthn_session",
    )
    assert eve.user.passkeys.count() == 1


def test_a_challenge_for_signing_in_registers_nothing(at_home: Browser, key: Authenticator) -> None:
    challenge = at_home.login_options()["challenge"]
    key.challenge = challenge
    at_home_cookie = at_home.cookies[settings.CEREMONY_COOKIE_NAME].value
    options = at_home.registration_options()
    at_home.cookies[settings.CEREMONY_COOKIE_NAME] = at_home_cookie
    assert refusal(at_home.send("/api/webauthn/register/finish", key.create(options))) == (
        400,
        "invalid_webauthn_session",
    )


def test_without_the_ceremony_cookie_nothing_is_registered(at_home: Browser, key: Authenticator) -> None:
    options = at_home.registration_options()
    del at_home.cookies[settings.CEREMONY_COOKIE_NAME]
    assert refusal(at_home.send("/api/webauthn/register/finish", key.create(options))) == (400, "missing_session_id")


def test_a_failed_answer_uses_the_challenge_up(at_home: Browser, key: Authenticator) -> None:
    options = at_home.registration_options()
    key.origin = "https://evil.example"
    assert refusal(at_home.send("/api/webauthn/register/finish", key.create(options))) == REFUSED
    key.origin = settings.APP_URL
    assert refusal(at_home.send("/api/webauthn/register/finish", key.create(options))) == (
        400,
        "invalid_webauthn_session",
    )


def test_only_its_hash_is_kept_and_the_cookie_goes_nowhere_else(at_home: Browser) -> None:
    at_home.registration_options()
    morsel = at_home.cookies[settings.CEREMONY_COOKIE_NAME]
    assert not Ceremony.objects.filter(key_hash=morsel.value).exists()
    assert (morsel["path"], morsel["samesite"], bool(morsel["httponly"]), bool(morsel["secure"])) == (
        "/api/webauthn",
        "Lax",
        True,
        True,
    )
    assert 0 < int(morsel["max-age"]) <= 300


# What the browser would enforce and the server enforces too


def test_a_key_of_an_algorithm_that_was_not_offered_is_refused(
    at_home: Browser, person: Person, key: Authenticator
) -> None:
    def sha1(cose: dict[int, Any]) -> dict[int, Any]:
        return {1: 3, 3: -65535, -1: b"\x80" + b"\x01" * 255, -2: b"\x01\x00\x01"}

    assert (
        refusal(
            at_home.send("/api/webauthn/register/finish", with_key(key.create(at_home.registration_options()), sha1))
        )
        == REFUSED
    )
    assert person.user.passkeys.count() == 1


def test_a_passkey_that_is_somebody_elses_is_refused_and_stays_theirs(at_home: Browser, key: Authenticator) -> None:
    mallory = a_person("mallory")
    other = Browser()
    other.sign_in(mallory)
    key.credential_id = b"the same id for two people"
    assert at_home.add_passkey(key).status_code == 200
    owner, public_key = Passkey.objects.values_list("user__username", "public_key").get(
        credential_id=bytes_to_base64url(key.credential_id)
    )
    assert refusal(other.add_passkey(Authenticator(settings.APP_URL, credential_id=key.credential_id))) == (
        409,
        "already_in_use",
    )
    assert Passkey.objects.values_list("user__username", "public_key").get(
        credential_id=bytes_to_base64url(key.credential_id)
    ) == (owner, public_key)


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def with_key(answer: dict[str, Any], change: Callable[[dict[int, Any]], dict[int, Any]]) -> dict[str, Any]:
    """The same attestation with another public key; ``none`` attestation is not signed."""
    attestation = cbor2.loads(base64url_to_bytes(answer["response"]["attestationObject"]))
    data = attestation["authData"]
    start = 55 + int.from_bytes(data[53:55], "big")
    attestation["authData"] = data[:start] + cbor2.dumps(change(cbor2.loads(data[start:])))
    return json.loads(json.dumps(answer)) | {
        "response": answer["response"] | {"attestationObject": bytes_to_base64url(cbor2.dumps(attestation))}
    }


def timedelta_from_now(**kwargs: int):
    from django.utils import timezone

    return timezone.now() + timedelta(**kwargs)
