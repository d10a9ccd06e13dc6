"""Signing keys are exchanged without an outage (attacks.md J1)."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from oidc import key_rotation, signing_keys
from oidc.models import SigningKey
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, http

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
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        signing_keys.forget_published()
        assert retired not in kids()
    # An old ID token still says who wants to sign out.
    assert signing_keys.verify(before["id_token"])[1]["sub"] == person.subject


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


def test_private_parts_are_never_published_and_never_in_clear(db: None) -> None:
    assert not any({"d", "p", "q", "dp", "dq", "qi"} & set(key.as_dict(private=False)) for key in published().keys)
    assert "PRIVATE" not in "".join(SigningKey.objects.values_list("private_key", flat=True))
