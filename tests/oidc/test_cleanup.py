"""What has expired is deleted, and what still means something is not."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from oidc import cleanup
from oidc.models import AccessToken, Grant, RefreshToken
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App

pytestmark = pytest.mark.postgres


def test_only_what_is_over_goes(browser: Browser, person: Person, client_app: App) -> None:
    browser.sign_in(person)
    lasting = client_app.tokens(browser, scope="openid offline_access")
    client_app.tokens(browser, scope="openid")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert cleanup.delete_expired() == 3  # both access tokens, and the grant that has nothing left
        assert (Grant.objects.count(), RefreshToken.objects.count(), AccessToken.objects.count()) == (1, 1, 0)
        assert client_app.refresh(lasting["refresh_token"]).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=60)):
        cleanup.delete_expired()
        assert Grant.objects.count() == 0
