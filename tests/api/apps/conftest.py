"""Imports stand inside: this file is read before Django is set up."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.accounts.people import Person
    from tests.api.apps.rest import Rest


@pytest.fixture
def rest(admin: "Person") -> "Rest":
    """The API, asked by an administrator."""
    return _signed_in(admin)


@pytest.fixture
def as_bob(person: "Person") -> "Rest":
    """The API, asked by somebody without rights."""
    return _signed_in(person)


@pytest.fixture
def as_nobody(db: None) -> "Rest":
    from tests.accounts.browser import Browser
    from tests.api.apps.rest import Rest

    return Rest(Browser())


def _signed_in(person: "Person") -> "Rest":
    from tests.accounts.browser import Browser
    from tests.api.apps.rest import Rest

    browser = Browser()
    browser.sign_in(person)
    return Rest(browser)
