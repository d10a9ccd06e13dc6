import pytest


@pytest.fixture
def at_home(browser, admin):
    """The administrator's browser, signed in."""
    browser.sign_in(admin)
    return browser


@pytest.fixture
def stranger(db: None):
    from tests.api.people.script import Script

    return Script()
