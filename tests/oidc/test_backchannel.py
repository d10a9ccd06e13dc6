"""Apps are told that somebody has signed out (OIDC Back-Channel Logout 1.0); a real listener, real requests."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from oidc import backchannel, deliveries
from oidc.models import LogoutDelivery
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, http
from tests.oidc.listener import Listener, listening

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.spec("Back-Channel Logout", "2"),
]


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening(Listener()) as server:
        yield server


@pytest.fixture
def app(transactional_db: None, listener: Listener) -> App:
    return an_app("Chat", backchannel_logout_url=listener.url)


def signed_in(browser: Browser, person: Person, app: App) -> dict[str, object]:
    browser.sign_in(person)
    keys = KeySet.import_key_set(http().get("/.well-known/jwks.json").json())
    return jwt.decode(app.tokens(browser)["id_token"], keys).claims


@pytest.mark.spec("OIDC Back-Channel Logout", "2.4")
def test_signing_out_sends_one_signed_token_with_the_session(
    browser: Browser, person: Person, app: App, listener: Listener
) -> None:
    id_token = signed_in(browser, person, app)
    browser.press("sign-out", browser.get("/settings/account"))
    assert deliveries.deliver_due() == 1
    [token] = listener.heard
    decoded = jwt.decode(token, KeySet.import_key_set(http().get("/.well-known/jwks.json").json()))
    assert decoded.header["typ"] == "logout+jwt"
    claims = decoded.claims
    assert (claims["sub"], claims["sid"], claims["aud"]) == (id_token["sub"], id_token["sid"], [app.client.client_id])
    assert claims["events"] == {backchannel.EVENT: {}}
    assert "nonce" not in claims
    assert claims["exp"] - claims["iat"] == 120
    assert deliveries.deliver_due() == 0  # not twice


@pytest.mark.spec("OIDC Back-Channel Logout", "2.8")
def test_an_app_that_does_not_answer_well_is_told_again_later(
    browser: Browser, person: Person, app: App, listener: Listener
) -> None:
    signed_in(browser, person, app)
    listener.status = 500
    browser.press("sign-out", browser.get("/settings/account"))
    assert deliveries.deliver_due() == 0
    delivery = LogoutDelivery.objects.get()
    assert (delivery.attempts, delivery.last_error) == (1, "the app answered 500")
    assert delivery.next_attempt_at > timezone.now()
    listener.status = 204
    LogoutDelivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert deliveries.deliver_due() == 1
    delivery.refresh_from_db()
    assert delivery.delivered_at is not None
    assert delivery.next_attempt_at is None


@pytest.mark.spec("OIDC Back-Channel Logout", "2.8")
def test_it_is_given_up_after_five_attempts(browser: Browser, person: Person, app: App, listener: Listener) -> None:
    signed_in(browser, person, app)
    listener.status = 302
    browser.press("sign-out", browser.get("/settings/account"))
    for _attempt in range(7):
        LogoutDelivery.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=timezone.now())
        deliveries.deliver_due()
    assert len(listener.heard) == LogoutDelivery.objects.get().attempts == 5


@pytest.mark.spec("attacks.md", "F8")
def test_addresses_where_clouds_keep_credentials_are_never_called(browser: Browser, person: Person, app: App) -> None:
    app.client.backchannel_logout_url = "http://169.254.169.254/latest"
    app.client.save()
    signed_in(browser, person, app)
    browser.press("sign-out", browser.get("/settings/account"))
    assert deliveries.deliver_due() == 0
    assert "169.254.169.254" in LogoutDelivery.objects.get().last_error
