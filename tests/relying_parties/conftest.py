"""What apps of every kind need: somebody who registers them."""

from collections.abc import Iterator

import pytest

from tests.relying_parties.registration import Registrar
from tests.support.fixtures import Site
from tests.support.http_browser import HttpBrowser


@pytest.fixture(scope="session")
def registrar(site: Site) -> Iterator[Registrar]:
    """The administrator of ``site``, who registers apps over REST."""
    browser = HttpBrowser(site.server.base_url)
    browser.sign_in(site.authenticator).raise_for_status()
    yield Registrar(browser)
    browser.session.close()
