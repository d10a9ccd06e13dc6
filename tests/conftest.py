"""The environment of every test, and the fixtures that all of them share.

``pytest --postgres`` runs the tests marked ``postgres`` again, on a private PostgreSQL that lasts as long as the run.
Settings are read here and not by pytest-django, which would do it before these lines.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings as hypothesis
from pytest_django.plugin import blocking_manager_key

if TYPE_CHECKING:
    from django.db.models import Model

os.environ |= {
    "APP_URL": "http://localhost:1411",
    "INTERNAL_APP_URL": "",
    "LOG_LEVEL": "error",
    "ENCRYPTION_KEY": "the key of the tests, 32 bytes..",
    "SETUP_TOKEN": "",
    "DISABLE_RATE_LIMITING": "true",
}
os.environ["DATA_PATH"] = DATA = tempfile.mkdtemp(prefix="pocketid-tests-")
os.environ["DJANGO_SETTINGS_MODULE"] = "pocketid.settings"
atexit.register(shutil.rmtree, DATA, ignore_errors=True)

pytest_plugins = ["tests.support.fixtures"]

# The same examples every time, so that a red build stays red; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.register_profile("same", deadline=None, derandomize=True, database=None, max_examples=60)
hypothesis.register_profile("explore", deadline=None, database=None, max_examples=2000)
hypothesis.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

POSTGRES_URL = "POCKETID_TESTS_POSTGRES"
FIRST_ROWS: list["Model"] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="run the tests marked postgres on a private PostgreSQL")


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings

    # A worker of pytest-xdist reads them early, from the variables that its parent has set above.
    if settings.configured and not hasattr(config, "workerinput"):
        raise pytest.UsageError("Django's settings were read before tests/conftest.py: unset DJANGO_SETTINGS_MODULE")
    if config.getoption("--postgres"):
        if not hasattr(config, "workerinput"):  # pytest-xdist: the workers use the one that was started for all
            from tests.support.postgres import Postgres

            running = Postgres()
            config.add_cleanup(running.stop)
            running.start()
            os.environ[POSTGRES_URL] = running.connection_string
        asked_for = config.option.markexpr
        config.option.markexpr = f"postgres and ({asked_for})" if asked_for else "postgres"
        os.environ["DB_CONNECTION_STRING"] = os.environ[POSTGRES_URL]
    else:
        os.environ.pop("DB_CONNECTION_STRING", None)
    import django

    django.setup()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, as in production: in memory it has neither WAL nor the locks that matter."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(Path(DATA) / f"test-{os.getpid()}.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> None:
    """One signing key of each algorithm for all tests: making an RSA key takes longer than a test."""
    from oidc import signing_keys
    from oidc.models import Client
    from siteconfig.models import SiteConfiguration

    with django_db_blocker.unblock():
        keys = [signing_keys.ensure(algorithm) for algorithm in Client.Algorithm.values]
        FIRST_ROWS[:] = [*keys, *SiteConfiguration.objects.all()]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A test with transactions of its own ends with empty tables: what every test finds in them is put back."""
    yield
    if nextitem is None:  # with the last test the database itself has gone
        return
    marker = item.get_closest_marker("django_db")
    if "transactional_db" in getattr(item, "fixturenames", ()) or (marker and marker.kwargs.get("transaction")):
        with item.config.stash[blocking_manager_key].unblock():
            for row in FIRST_ROWS:
                type(row)._base_manager.bulk_create([row], ignore_conflicts=True)


@pytest.fixture
def browser(db: None):
    """A browser in which nobody is signed in."""
    from tests.accounts.browser import Browser

    return Browser()


@pytest.fixture
def admin(db: None):
    from tests.accounts.people import a_person
    from tests.support.credential import ES256

    return a_person("alice", is_admin=True, algorithm=ES256)


@pytest.fixture
def person(db: None):
    from tests.accounts.people import a_person

    return a_person("bob")


@pytest.fixture
def client_app(db: None):
    """A confidential client with a secret, as most are."""
    from tests.oidc.app import an_app

    return an_app("Wiki")


@pytest.fixture
def public_app(db: None):
    from tests.oidc.app import an_app

    return an_app("Phone", client_type="public")


@contextmanager
def a_live_database(config: pytest.Config) -> Iterator[str]:
    """A database for a server process of a test's own: its connection string, empty for SQLite."""
    if not config.getoption("--postgres"):
        yield ""
        return
    import psycopg

    name = f"live_{uuid4().hex}"
    with psycopg.connect(os.environ[POSTGRES_URL], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield os.environ[POSTGRES_URL].rpartition("/")[0] + "/" + name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def live_database(pytestconfig: pytest.Config) -> Iterator[str]:
    with a_live_database(pytestconfig) as connection_string:
        yield connection_string


@pytest.fixture(scope="module")
def live_database_of_module(pytestconfig: pytest.Config) -> Iterator[str]:
    with a_live_database(pytestconfig) as connection_string:
        yield connection_string
