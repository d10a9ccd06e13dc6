"""Attacks on passkeys (attacks.md E); the whole list of lies is in tests/accounts."""

import html
from datetime import timedelta
from typing import Any

import cbor2
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from django.conf import settings
from django.utils import timezone
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from accounts.models import Ceremony, Passkey, Session
from tests.accounts.browser import Browser
from tests.accounts.people import Person, a_person
from tests.accounts.test_registration import REFUSED, refusal, with_key
from tests.support.authenticator import Authenticator
from tests.support.credential import ES256

FINISH_LOGIN, FINISH_REGISTRATION = "/api/webauthn/login/finish", "/api/webauthn/register/finish"


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.mark.spec("attacks.md", "E1")
def test_e1_a_challenge_is_gone_when_it_was_read_once(browser: Browser, person: Person) -> None:
    answer = person.device.get(browser.login_options())
    broken = answer | {"response": answer["response"] | {"signature": "AAAA"}}
    copies = browser.copy()
    assert refusal(browser.send(FINISH_LOGIN, broken)) == REFUSED
    assert refusal(copies.send(FINISH_LOGIN, answer)) == (400, "invalid_webauthn_session")
    assert not Ceremony.objects.exists()


@pytest.mark.spec("attacks.md", "E2")
@pytest.mark.parametrize(
    "origin",
    [
        "https://badexample.com",
        "http://localhost:1411.evil.example",
        "http://localhost.evil",
        "https://localhost:1411",
        "http://localhost:1410",
        "http://localhost",
        "http://LOCALHOST:1411",
        "http://localhost:1411/",
        "",
        "android:apk-key-hash:x",
    ],
)
def test_e2_an_answer_made_on_another_page_is_refused(browser: Browser, person: Person, origin: str) -> None:
    person.device.origin = origin
    assert refusal(browser.try_to_sign_in(person.device)) == REFUSED


@pytest.mark.spec("attacks.md", "E4")
def test_e4_an_answer_for_one_ceremony_is_none_for_the_other(at_home: Browser, person: Person) -> None:
    registration = at_home.registration_options()
    assertion = person.device.get({"challenge": registration["challenge"], "rpId": "localhost"})
    assert at_home.send(FINISH_REGISTRATION, assertion).status_code in (400, 401)
    login = at_home.login_options()
    made = Authenticator(settings.APP_URL).create(registration | {"challenge": login["challenge"]})
    assert at_home.send(FINISH_LOGIN, made).status_code in (400, 401)
    assert Passkey.objects.count() == 1


@pytest.mark.spec("attacks.md", "E5")
def test_e5_an_answer_made_in_a_frame_is_refused(browser: Browser, person: Person) -> None:
    person.device.cross_origin = True
    assert refusal(browser.try_to_sign_in(person.device)) == REFUSED
    person.device.cross_origin, person.device.top_origin = False, settings.APP_URL
    assert refusal(browser.try_to_sign_in(person.device)) == REFUSED


@pytest.mark.spec("attacks.md", "E6")
def test_e6_presence_and_verification_are_both_needed(at_home: Browser, person: Person) -> None:
    for present, verified in ((False, True), (True, False), (False, False)):
        person.device.user_present, person.device.user_verified = present, verified
        assert Browser().try_to_sign_in(person.device).status_code in (400, 401)
        assert at_home.add_passkey(
            Authenticator(settings.APP_URL, user_present=present, user_verified=verified)
        ).status_code in (400, 401)
    assert Passkey.objects.count() == 1


@pytest.mark.spec("attacks.md", "E10")
def test_e10_somebody_elses_credential_is_neither_taken_over_nor_changed(at_home: Browser, person: Person) -> None:
    victim = a_person("victim")
    before = Passkey.objects.filter(user=victim.user).values().get()
    thief = Authenticator(settings.APP_URL, credential_id=victim.device.credentials[0].id)
    assert refusal(at_home.add_passkey(thief)) == (409, "already_in_use")
    assert Passkey.objects.filter(user=victim.user).values().get() == before
    assert Browser().sign_in(victim)


@pytest.mark.spec("attacks.md", "E12")
@pytest.mark.parametrize(("eligible", "backed_up"), [(False, True), (True, False), (True, True)])
def test_e12_the_backup_flags_must_be_possible_and_eligibility_never_changes(
    browser: Browser, person: Person, eligible: bool, backed_up: bool
) -> None:
    person.device.backup_eligible, person.device.backed_up = eligible, backed_up
    assert refusal(browser.try_to_sign_in(person.device)) == REFUSED


@pytest.mark.spec("attacks.md", "E12")
def test_e12_flags_are_read_from_what_was_signed_alone(browser: Browser, person: Person) -> None:
    person.device.backup_eligible = person.device.backed_up = True
    answer = person.device.get(browser.login_options())
    honest = Authenticator(settings.APP_URL).create(
        {"rp": {"id": "localhost"}, "user": {"id": "AAAA"}, "challenge": "AAAA", "pubKeyCredParams": [{"alg": ES256}]}
    )
    answer["response"]["attestationObject"] = honest["response"]["attestationObject"]
    assert refusal(browser.send(FINISH_LOGIN, answer)) == REFUSED


@pytest.mark.spec("attacks.md", "E13")
def test_e13_an_old_session_changes_no_passkeys(at_home: Browser, person: Person) -> None:
    at_home.add_passkey(Authenticator(settings.APP_URL))
    started = at_home.registration_options()
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        for response in (
            at_home.get("/api/webauthn/register/start"),
            at_home.delete(f"/api/webauthn/credentials/{person.user.passkeys.last().pk}"),
        ):
            assert refusal(response) == (401, "reauthentication_required")
        assert at_home.send(FINISH_REGISTRATION, Authenticator(settings.APP_URL).create(started)).status_code == 400
    assert person.user.passkeys.count() == 2


@pytest.mark.spec("attacks.md", "E14")
def test_e14_a_name_is_shown_as_text_and_has_an_end(at_home: Browser, person: Person, admin: Person) -> None:
    nasty = "<img src=x onerror=alert(1)>\"'\u202e"
    assert (
        at_home.patch(
            f"/api/webauthn/credentials/{person.passkey.pk}", {"name": nasty}, content_type="application/json"
        ).status_code
        == 200
    )
    for name in ("x" * 51, "x" * 10_000):
        assert (
            at_home.patch(
                f"/api/webauthn/credentials/{person.passkey.pk}", {"name": name}, content_type="application/json"
            ).status_code
            == 400
        )
    boss = Browser()
    boss.sign_in(admin)
    for browser, path in (
        (at_home, "/settings/account"),
        (boss, "/admin/accounts/passkey/"),
        (boss, f"/admin/accounts/passkey/{person.passkey.pk}/delete/"),
        (boss, f"/admin/accounts/user/{person.user.pk}/change/"),
    ):
        text = browser.get(path).text
        assert "<img src=x" not in text
        assert "<img src=x" in html.unescape(text)


# E16


def weak_keys() -> list[Any]:
    small_order = [
        bytes(32),
        b"\x01" + bytes(31),
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    ]
    return [
        *[
            pytest.param({1: 1, 3: -8, -1: 6, -2: point}, id=f"Ed25519 of small order {point[:4].hex()}")
            for point in small_order
        ],
        pytest.param({1: 3, 3: -257, -1: b"\x00" + b"\xff" * 256, -2: b"\x01"}, id="RSA with exponent 1"),
        pytest.param({1: 3, 3: -257, -1: b"\xc1" + b"\xff" * 63, -2: b"\x01\x00\x01"}, id="RSA with 512 bits"),
        pytest.param({1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x01" * 32}, id="a point that is not on P-256"),
        pytest.param({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}, id="the origin as a point"),
        pytest.param({1: 2, 3: -7, -1: 8, -2: b"\x01" * 32, -3: b"\x01" * 32}, id="ES256 on another curve"),
        pytest.param({1: 1, 3: -8, -1: 1, -2: b"\x01" * 32}, id="EdDSA on a curve of ECDSA"),
        pytest.param({1: 1, 3: -8, -1: 6, -2: b"\x01" * 31}, id="Ed25519 with a short key"),
        pytest.param({1: 4, 3: -7, -1: b"secret"}, id="a symmetric key"),
        pytest.param(
            {1: 2, 3: -257, -1: 1, -2: b"\x01" * 32, -3: b"\x01" * 32}, id="an algorithm of another kind of key"
        ),
    ]


@pytest.mark.spec("attacks.md", "E16")
@pytest.mark.parametrize("cose", weak_keys())
def test_e16_a_key_that_proves_nothing_is_not_registered(
    at_home: Browser, person: Person, cose: dict[int, Any]
) -> None:
    answer = with_key(Authenticator(settings.APP_URL).create(at_home.registration_options()), lambda _key: cose)
    assert at_home.send(FINISH_REGISTRATION, answer).status_code in (400, 401)
    assert Passkey.objects.count() == 1


@pytest.mark.spec("attacks.md", "E16")
def test_e16_a_signature_has_no_other_forms(browser: Browser) -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    person = a_person("carol", algorithm=ES256)
    for change in (
        lambda r, s: encode_dss_signature(r, s) + b"\x00",
        lambda r, s: encode_dss_signature(0, 0),
        lambda r, s: encode_dss_signature(r, s + order),
        lambda r, s: encode_dss_signature(r + order, s),
        lambda r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big"),
    ):
        answer = person.device.get(browser.login_options())
        r, s = decode_dss_signature(base64url_to_bytes(answer["response"]["signature"]))
        answer["response"]["signature"] = bytes_to_base64url(change(r, s))
        assert refusal(browser.send(FINISH_LOGIN, answer)) == REFUSED


@pytest.mark.spec("attacks.md", "E17")
def test_e17_a_hundred_open_registrations_are_one(at_home: Browser) -> None:
    for _start in range(100):
        at_home.registration_options()
    assert Ceremony.objects.count() == 1


@pytest.mark.spec("attacks.md", "E16")
def test_e16_the_order_of_ed25519_added_to_a_signature_is_refused(browser: Browser, person: Person) -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    answer = person.device.get(browser.login_options())
    signature = base64url_to_bytes(answer["response"]["signature"])
    changed = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    answer["response"]["signature"] = bytes_to_base64url(changed)
    assert refusal(browser.send(FINISH_LOGIN, answer)) == REFUSED


def test_attestation_statements_give_no_trust_and_no_trouble(at_home: Browser) -> None:
    answer = Authenticator(settings.APP_URL).create(at_home.registration_options())
    attestation = cbor2.loads(base64url_to_bytes(answer["response"]["attestationObject"]))
    answer["response"]["attestationObject"] = bytes_to_base64url(
        cbor2.dumps(attestation | {"attStmt": {"x5c": [b"x" * 5000]}})
    )
    assert at_home.send(FINISH_REGISTRATION, answer).status_code in (200, 400, 401)
    assert Session.objects.count() == 1
