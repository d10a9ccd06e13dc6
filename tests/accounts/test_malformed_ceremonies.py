"""Answers no browser would send: refused, whatever they are, and never with an error of ours."""

import json
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from accounts.models import Passkey, Session
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.accounts.test_registration import refusal
from tests.support.authenticator import Authenticator

pytestmark = pytest.mark.postgres

FIXTURES_STAY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
ANY_TEXT = st.text(max_size=60) | st.sampled_from(
    ["", "=", "A", "AA", "\x00", "%%", "e30", "AAAA" * 500, "\ud800", "ü"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
MEMBERS = ["id", "rawId", "type", "response", "clientExtensionResults", "authenticatorAttachment"]


@FIXTURES_STAY
@given(body=st.dictionaries(st.sampled_from(MEMBERS) | ANY_TEXT, JSON))
def test_any_json_is_refused_at_sign_in(browser: Browser, person: Person, body: dict[str, Any]) -> None:
    browser.login_options()
    answer = browser.post("/api/webauthn/login/finish", json.dumps(body), content_type="application/json")
    assert refusal(answer)[1] in ("invalid_webauthn_response", "invalid_request_body")


@FIXTURES_STAY
@given(member=st.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle"]), value=JSON)
def test_any_member_of_an_assertion_may_be_broken(browser: Browser, person: Person, member: str, value: object) -> None:
    answer = person.device.get(browser.login_options())
    if answer["response"].get(member) == value:
        return
    answer["response"][member] = value
    response = browser.post("/api/webauthn/login/finish", json.dumps(answer), content_type="application/json")
    assert 400 <= response.status_code < 404, response.content
    assert not Session.objects.exists()


@FIXTURES_STAY
@given(member=st.sampled_from(["id", "rawId", "type"]), value=JSON)
def test_any_outer_member_may_be_broken(browser: Browser, person: Person, member: str, value: object) -> None:
    answer = person.device.get(browser.login_options()) | {member: value}
    response = browser.post("/api/webauthn/login/finish", json.dumps(answer), content_type="application/json")
    assert 400 <= response.status_code < 404, response.content


@FIXTURES_STAY
@given(
    member=st.sampled_from(["clientDataJSON", "attestationObject"]),
    value=JSON | st.binary(max_size=200).map(bytes_to_base64url),
)
def test_any_member_of_a_registration_may_be_broken(
    browser: Browser, person: Person, member: str, value: object
) -> None:
    if not Session.objects.exists():
        browser.sign_in(person)
    answer = Authenticator("http://localhost:1411").create(browser.registration_options())
    answer["response"][member] = value
    response = browser.post("/api/webauthn/register/finish", json.dumps(answer), content_type="application/json")
    assert 400 <= response.status_code < 404, response.content
    assert Passkey.objects.count() == 1


CBOR = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.binary(max_size=40) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.integers(-5, 5) | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=8,
)


@FIXTURES_STAY
@given(
    format_=st.sampled_from(["none", "packed", "tpm", "fido-u2f", "apple", "android-key", "android-safetynet", ""]),
    statement=CBOR,
    cose=CBOR,
)
def test_any_attestation_and_any_key_may_be_broken(
    browser: Browser, person: Person, format_: str, statement: object, cose: object
) -> None:
    if not Session.objects.exists():
        browser.sign_in(person)
    answer = Authenticator("http://localhost:1411").create(browser.registration_options())
    attestation = cbor2.loads(base64url_to_bytes(answer["response"]["attestationObject"]))
    start = 55 + int.from_bytes(attestation["authData"][53:55], "big")
    attestation |= {
        "fmt": format_,
        "attStmt": statement,
        "authData": attestation["authData"][:start] + cbor2.dumps(cose),
    }
    answer["response"]["attestationObject"] = bytes_to_base64url(cbor2.dumps(attestation))
    response = browser.post("/api/webauthn/register/finish", json.dumps(answer), content_type="application/json")
    assert 400 <= response.status_code < 404, response.content
    assert Passkey.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"id": "\\u0000"}', "application/json"),
        (b'{"id": "\\ud800"}', "application/json"),
        (b'{"id": NaN', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"a":' * 50_000, "application/json"),
        (b'{"id": "' + b"x" * 300_000 + b'"}', "application/json"),
        (b"{}", "text/plain"),
        (b"{}", "application/x-www-form-urlencoded"),
        (b"{}", ""),
        (b"a=b", "multipart/form-data; boundary=x"),
        (b"9" * 5000, "application/json"),
        (b'{"id": ' + b"9" * 5000 + b"}", "application/json"),
    ],
    ids=lambda value: str(value[:20]),
)
@pytest.mark.parametrize("path", ["/api/webauthn/login/finish", "/api/signup/setup"])
def test_a_body_that_is_no_json_object_is_refused(browser: Browser, path: str, body: bytes, content_type: str) -> None:
    browser.login_options()
    assert refusal(browser.post(path, body, content_type=content_type)) == (400, "invalid_request_body")


def test_any_json_media_type_will_do(browser: Browser, person: Person) -> None:
    for kind in ("application/json", "application/json; charset=utf-8", "application/vnd.api+json", "Application/JSON"):
        answer = json.dumps(person.device.get(browser.login_options()))
        assert browser.post("/api/webauthn/login/finish", answer, content_type=kind).status_code == 200
