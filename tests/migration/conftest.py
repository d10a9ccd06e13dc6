"""Imports in this process, into the database of the tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.migration.former import Former


@pytest.fixture
def take(db: None, settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """``take(source, former)`` imports, as the command does; options of ``importing.Options`` by name."""
    from moving import importing
    from moving.report import Report
    from oidc import signing_keys
    from pocketid import encryption

    def run(source: Path | str, former: Former, **options) -> Report:
        settings.APP_URL = options.pop("app_url", former.app_url)
        keys = options.pop("keys", (former.encryption_key,))
        return importing.run(
            importing.Options(source=str(source), encryption_keys=keys, **options),
            lambda _text: None,
            lambda old, new: encryption.reencrypt(old, new).unreadable,
        )

    yield run
    signing_keys.forget_published()


@pytest.fixture
def nothing_came(db: None) -> Callable[[], bool]:
    """Whether the server is as empty as before, apart from what it makes for itself."""
    from moving import archive, importing

    def tables() -> dict[str, int]:
        return {model._meta.label: model._default_manager.count() for model in archive.models()}

    before = tables()
    return lambda: importing.is_empty() and tables() == before
