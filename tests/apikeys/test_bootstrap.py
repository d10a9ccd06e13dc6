"""The first key without a browser: where it is written, and when that is over. The command is in tests/automation."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from accounts import lifecycle
from accounts.errors import SetupNotAvailable, UserNotFound
from accounts.models import Session, User
from apikeys.bootstrap import make_key
from apikeys.models import ApiKey
from audit.models import Entry
from siteconfig.models import SiteConfiguration
from tests.accounts.people import Person
from tests.api.people.script import Script

pytestmark = pytest.mark.postgres

DAY = timedelta(days=1)


@pytest.fixture
def untouched(db: None):
    """At the end nothing has changed."""
    yield
    assert not User.objects.exists()
    assert not ApiKey.objects.exists()
    assert not Entry.objects.exists()
    assert SiteConfiguration.objects.get().setup_completed_at is None


def test_the_key_is_in_the_file_alone(db: None, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "key"
    key = make_key(path, lifetime=DAY)
    secret = path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Script(key=secret).read("/api/users").status_code == 200
    assert secret.startswith(key.prefix)
    assert secret not in str(list(ApiKey.objects.values())) + str(list(Entry.objects.values())) + caplog.text
    assert [entry.event for entry in Entry.objects.order_by("pk")] == ["SETUP_COMPLETED", "API_KEY_CREATED"]


def test_it_goes_on_where_set_up_was_begun_and_ends_its_sessions(db: None, tmp_path: Path) -> None:
    begun = Script().make("/api/one-time-access-token/setup")
    key = make_key(tmp_path / "key", lifetime=DAY)
    assert str(key.user.pk) == begun.json()["id"]
    assert not Session.objects.exists()


def test_it_is_over_once_it_has_done_its_work(db: None, tmp_path: Path) -> None:
    make_key(tmp_path / "first", lifetime=DAY)
    with pytest.raises(SetupNotAvailable):
        make_key(tmp_path / "second", lifetime=DAY)
    assert not (tmp_path / "second").exists()
    assert ApiKey.objects.count() == 1


def test_it_is_over_where_there_are_people(person: Person, tmp_path: Path) -> None:
    with pytest.raises(SetupNotAvailable):
        make_key(tmp_path / "key", lifetime=DAY)
    assert not (tmp_path / "key").exists()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "no folder", "folder"])
def test_nothing_is_overwritten_and_nothing_used_up(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "key", tmp_path / "other"
    match kind:
        case "file":
            path.write_text("precious")
        case "link":
            other.write_text("precious")
            path.symlink_to(other)
        case "dangling link":
            path.symlink_to(other)
        case "no folder":
            path = tmp_path / "nowhere" / "key"
        case "folder":
            path.mkdir()
    with pytest.raises(OSError, match=r"File exists|No such file"):
        make_key(path, lifetime=DAY)
    assert kind not in ("file", "link") or path.read_text() == "precious"
    assert kind != "dangling link" or not other.exists()


@pytest.mark.usefixtures("untouched")
def test_a_disk_that_is_full_leaves_neither_key_nor_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("apikeys.bootstrap.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        make_key(tmp_path / "key", lifetime=DAY)
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("name", ["bob", "BOB", "bob@example.org", "Bob@Example.Org"])
def test_people_are_found_by_username_and_address(person: Person, name: str) -> None:
    assert lifecycle.named(name) == person.user


def test_a_username_counts_before_somebody_elses_address(person: Person) -> None:
    other = lifecycle.create({"username": "bob@example.org"})
    assert lifecycle.named("bob@example.org") == other
    with pytest.raises(UserNotFound):
        lifecycle.named("nobody")
