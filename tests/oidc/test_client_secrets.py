"""Secrets of clients: when they were last used, and what each refusal says (issue 4, item 4)."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from oidc import client_secrets
from oidc.models import ClientSecret
from tests.oidc.app import App, an_app
from tests.oidc.test_token import INVALID_CLIENT, refusal

pytestmark = pytest.mark.postgres


def call(app: App, authentication: str = "basic"):
    return app.token(authentication=authentication, grant_type="client_credentials")


def test_when_it_was_last_used_is_kept_to_the_day(client_app: App, django_assert_num_queries) -> None:
    other, _text = client_secrets.create(client_app.client)
    assert call(client_app).status_code == 200
    used = ClientSecret.objects.exclude(pk=other.pk).get()
    assert timezone.now() - used.last_used_at < timedelta(minutes=1)
    with django_assert_num_queries(2):  # the client and its new token; nothing is written about the secret
        call(client_app)
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        call(client_app)
    again = ClientSecret.objects.get(pk=used.pk)
    assert again.last_used_at - used.last_used_at >= timedelta(hours=23)
    other.refresh_from_db()
    assert other.last_used_at is None


def test_a_refused_one_counts_as_no_use(client_app: App) -> None:
    client_app.secret += "x"
    assert refusal(call(client_app)) == INVALID_CLIENT
    assert ClientSecret.objects.get().last_used_at is None


@pytest.mark.spec("issue 4", "item 4")
@pytest.mark.parametrize("authentication", ["basic", "post"])
@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "empty"),
        ("wrong", "is wrong"),
        (" {own}", "blank before or after"),
        ("{own} ", "blank before or after"),
        ("{own}\t", "blank before or after"),
        ("{own}\r\n", "blank before or after"),
        (" \n", "empty"),
        ("{other}", "that of another client"),
        (" {other}", "that of another client"),
        ("{expired}", "has expired"),
    ],
)
def test_each_refusal_says_which_it_was_and_so_does_the_log(
    client_app: App, caplog: pytest.LogCaptureFixture, authentication: str, secret: str, said: str
) -> None:
    other = an_app("Other")
    _row, expired = client_secrets.create(client_app.client, expires_at=timezone.now() - timedelta(days=1))
    known = {"own": client_app.secret, "other": other.secret, "expired": expired}
    client_app.secret = secret.format(**known)
    with caplog.at_level(logging.WARNING, logger="pocketid.oidc"):
        response = call(client_app, authentication)
    assert refusal(response) == INVALID_CLIENT
    description = response.json()["error_description"]
    assert said in description
    assert client_app.client.client_id in caplog.text
    assert said in caplog.text
    for text in known.values():
        assert text not in description + caplog.text


def test_a_missing_one_is_called_missing(client_app: App) -> None:
    response = call(client_app, "none")
    assert refusal(response) == INVALID_CLIENT
    assert "missing" in response.json()["error_description"]
