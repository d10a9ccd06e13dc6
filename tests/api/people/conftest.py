import pytest


@pytest.fixture
def script(admin):
    """Has a key with every right of the administrator."""
    from tests.api.people.script import Script

    return Script(admin.user)


@pytest.fixture
def stranger(db: None):
    from tests.api.people.script import Script

    return Script()


@pytest.fixture
def configured(db: None):
    """Change settings: ``configured(allow_user_signups="open")``."""
    from siteconfig import configure

    return lambda **values: configure.change(values)
