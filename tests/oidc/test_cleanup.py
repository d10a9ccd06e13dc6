"""What has expired is deleted, and what still means something is not."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import sessions
from accounts.models import Session
from oidc import cleanup
from oidc.models import AccessToken, Grant, LogoutDelivery, RefreshToken
from siteconfig.models import SiteConfiguration
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app

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


@pytest.mark.spec("OIDC Back-Channel Logout", "2.5")
def test_an_app_that_wants_to_be_told_is_remembered_while_the_session_lasts(browser: Browser, person: Person) -> None:
    SiteConfiguration.objects.update(session_duration=7 * 24 * 60)
    browser.sign_in(person)
    told = an_app("Told", backchannel_logout_url="https://app.example.org/backchannel")
    for app in (told, an_app("Not told")):
        app.tokens(browser, scope="openid")
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        cleanup.delete_expired()
        assert [grant.application for grant in Grant.objects.all()] == [told.client]
        for session in Session.objects.all():
            sessions.end(session)
        assert LogoutDelivery.objects.get().client_id == told.client.client_id
        cleanup.delete_expired()
        assert Grant.objects.count() == 0
