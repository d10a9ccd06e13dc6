"""Signing keys are exchanged without an outage (attacks.md J1)."""

import base64
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import load_der_private_key
from django.db import connection
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from audit.models import Entry
from core.secrets import CannotDecrypt, decrypt
from oidc import key_rotation, signing_keys
from oidc.models import Client, SigningKey
from siteconfig import configure
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, answer, http

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def _fresh_key_set(db: None):
    """What a process has published is read from the database of this test, and forgotten after it."""
    signing_keys.forget_published()
    yield
    signing_keys.forget_published()


def published() -> KeySet:
    return KeySet.import_key_set(http().get("/.well-known/jwks.json").json())


def kids() -> list[str]:
    return [key.kid for key in published().keys]


@pytest.mark.spec("OIDC Core", "10.1.1")
def test_the_next_key_is_published_before_it_signs(db: None) -> None:
    key_rotation.prepare("RS256")
    current, following = (
        SigningKey.objects.get(algorithm="RS256", state=state)
        for state in (SigningKey.State.CURRENT, SigningKey.State.NEXT)
    )
    assert kids()[:2] == [current.kid, following.kid]
    with pytest.raises(key_rotation.TooSoon):
        key_rotation.rotate("RS256")
    with time_machine.travel(timezone.now() + key_rotation.PUBLISHED_BEFORE_USE):
        assert key_rotation.rotate("RS256").kid == following.kid


@pytest.mark.spec("OIDC Core", "10.1.1")
def test_tokens_of_both_keys_verify_and_the_old_one_goes_when_its_last_token_has_ended(
    browser: Browser, person: Person, client_app: App
) -> None:
    browser.sign_in(person)
    before = client_app.tokens(browser)
    retired = jwt.decode(before["id_token"], published()).header["kid"]
    key_rotation.rotate("RS256", at_once=True)
    after = client_app.tokens(browser)
    for tokens in (before, after):
        assert jwt.decode(tokens["id_token"], published()).claims["sub"] == person.subject
    assert jwt.decode(after["id_token"], published()).header["kid"] != retired
    with time_machine.travel(timezone.now() + timedelta(minutes=62)):
        signing_keys.forget_published()
        assert retired not in kids()
    # An old ID token still says who wants to sign out.
    assert signing_keys.verify(before["id_token"])[1]["sub"] == person.subject


@pytest.mark.spec("OIDC Core", "10.1.1")
def test_a_retired_key_is_published_until_the_last_token_of_a_client_whose_lifetime_was_shortened(
    browser: Browser, person: Person, client_app: App
) -> None:
    Client.objects.filter(pk=client_app.client.pk).update(access_token_minutes=600)
    browser.sign_in(person)
    token = client_app.tokens(browser)["access_token"]
    Client.objects.filter(pk=client_app.client.pk).update(access_token_minutes=5)
    key_rotation.rotate("RS256", at_once=True)
    with time_machine.travel(timezone.now() + timedelta(minutes=590)):
        signing_keys.forget_published()
        assert jwt.decode(token, published()).claims["sub"] == person.subject
    with time_machine.travel(timezone.now() + timedelta(minutes=610)):
        signing_keys.forget_published()
        assert unverified_kid(token) not in kids()


@pytest.mark.spec("OIDC Core", "10.1.1")
@pytest.mark.spec("attacks.md", "J1")
def test_also_at_once_no_key_signs_before_every_process_publishes_it(db: None) -> None:
    """The algorithm of an app that was just added has no next key yet; after that there is one that needs no wait."""
    moment = timedelta(seconds=signing_keys.JWKS_SECONDS)
    signing_keys.ensure("ES256")
    made_now = key_rotation.rotate("ES256", at_once=True)
    assert made_now.activated_at - made_now.created_at >= moment
    SigningKey.objects.filter(state=SigningKey.State.NEXT).update(created_at=timezone.now() - moment)
    began = timezone.now()
    key_rotation.rotate("ES256", at_once=True)
    assert timezone.now() - began < moment


@pytest.mark.spec("OIDC Core", "3.1.2.2")
@pytest.mark.spec("OIDC RP-Initiated Logout", "2")
@pytest.mark.parametrize("algorithm", Client.Algorithm.values)
def test_an_id_token_of_a_retired_key_is_still_a_hint(
    browser: Browser, person: Person, client_app: App, algorithm: str
) -> None:
    Client.objects.filter(pk=client_app.client.pk).update(algorithm=algorithm)
    browser.sign_in(person)
    hint = client_app.tokens(browser)["id_token"]
    for _rotation in range(2):
        key_rotation.rotate(algorithm, at_once=True)
    assert unverified_kid(hint) != unverified_kid(client_app.tokens(browser)["id_token"])
    assert "code" in answer(client_app.ask(browser, prompt="none", id_token_hint=hint))
    goodbye = "https://app.example.org/goodbye"
    asked = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": goodbye})
    assert browser.get(f"/api/oidc/end-session?{asked}")["Location"] == goodbye


@pytest.mark.spec("OIDC Core", "10.1.1")
@pytest.mark.parametrize("algorithm", Client.Algorithm.values)
def test_every_algorithm_is_rotated_and_both_keys_verify(
    browser: Browser, person: Person, client_app: App, algorithm: str
) -> None:
    Client.objects.filter(pk=client_app.client.pk).update(algorithm=algorithm)
    browser.sign_in(person)
    before = client_app.tokens(browser)
    key_rotation.rotate(algorithm, at_once=True)
    after = client_app.tokens(browser)
    assert unverified_kid(before["id_token"]) != unverified_kid(after["id_token"])
    for tokens in (before, after):
        for kind in ("id_token", "access_token"):
            decoded = jwt.decode(tokens[kind], published(), algorithms=[algorithm])
            assert decoded.claims["sub"] == person.subject


def test_a_rotation_that_somebody_else_has_done_is_not_done_again(db: None) -> None:
    key_rotation.prepare("RS256")
    old = SigningKey.objects.get(algorithm="RS256", state=SigningKey.State.CURRENT)
    key_rotation.rotate("RS256", at_once=True, instead_of=old.kid)
    with pytest.raises(key_rotation.AlreadyRotated):
        key_rotation.rotate("RS256", at_once=True, instead_of=old.kid)


def test_the_schedule_is_the_operators(db: None) -> None:
    a_month = timedelta(days=31)
    for algorithm in Client.Algorithm.values:
        key_rotation.prepare(algorithm)
    SigningKey.objects.update(created_at=timezone.now() - a_month, activated_at=timezone.now() - a_month)
    assert key_rotation.rotate_scheduled() == 0  # off until somebody asks for it
    configure.change({"signing_key_days": 30})
    assert key_rotation.rotate_scheduled() == len(Client.Algorithm.values)
    assert key_rotation.rotate_scheduled() == 0
    assert Entry.objects.filter(event="SIGNING_KEY_ROTATED", username="").exists()


@pytest.mark.spec("OIDC Core", "10.1.1")
def test_keys_are_rotated_on_schedule_and_forgotten_at_last(db: None) -> None:
    key_rotation.prepare("ES256")
    SigningKey.objects.filter(algorithm="ES256").update(
        created_at=timezone.now() - timedelta(days=31), activated_at=timezone.now() - timedelta(days=31)
    )
    old = SigningKey.objects.get(algorithm="ES256", state=SigningKey.State.CURRENT)
    rotated = key_rotation.rotate_due(timedelta(days=30))
    assert [key.algorithm for key in rotated] == ["ES256"]
    SigningKey.objects.filter(pk=old.pk).update(retired_at=timezone.now() - key_rotation.KEPT_AFTER_RETIRING)
    assert key_rotation.delete_forgotten() == 1


@pytest.mark.spec("RFC 7517", "9.2")
def test_private_parts_are_never_published_and_never_in_clear(db: None) -> None:
    assert not any({"d", "p", "q", "dp", "dq", "qi"} & set(key.as_dict(private=False)) for key in published().keys)
    for algorithm in Client.Algorithm.values:
        key_rotation.prepare(algorithm)
    with connection.cursor() as cursor:  # what is in the table, whatever the model makes of it
        cursor.execute("SELECT kid, private_key, public_jwk FROM oidc_signingkey")
        rows = cursor.fetchall()
    assert len(rows) == 2 * len(Client.Algorithm.values)
    for kid, stored, public in rows:
        sealed = base64.urlsafe_b64decode(stored.partition(".")[2])
        private = decrypt(stored, place=f"oidc_signingkey.private_key.{kid}")
        load_der_private_key(private, None)  # it is one
        assert private not in sealed
        assert private[-24:] not in sealed
        assert "PRIVATE" not in stored
        assert not {"d", "p", "q"} & set(public if isinstance(public, dict) else json.loads(public))
        with pytest.raises(CannotDecrypt):
            decrypt(stored, place="oidc_signingkey.private_key.another")


def unverified_kid(token: str) -> str:
    head = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
