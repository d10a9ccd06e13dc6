"""Country and city of audit entries, from a file that the operator has put there."""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from audit import log, places
from audit.models import Entry, Event
from oidc.models import DeviceGrant
from tests.accounts.browser import FIREFOX, Browser
from tests.accounts.people import Person
from tests.oidc.app import App
from tests.oidc.test_devices import begin
from tests.support.mmdb import database

HARARE = {
    "41.57.64.0/18": ("Zimbabwe", "Harare"),
    "2c0f:f5c0::/32": ("Kenya", "Nairobi"),
    "8.8.8.0/24": ("United States", ""),
}

Use = Callable[[Path | None], None]


@pytest.fixture(autouse=True)
def as_at_the_start(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(places, "_database", places.Database())
    places._of.cache_clear()
    yield
    places._of.cache_clear()


@pytest.fixture
def use(settings: Any) -> Use:
    def file(path: Path | None) -> None:
        settings.ENVIRONMENT = dataclasses.replace(settings.ENVIRONMENT, geolite_db_path=path)

    return file


@pytest.fixture
def file(tmp_path: Path, use: Use) -> Path:
    path = tmp_path / "places.mmdb"
    path.write_bytes(database(HARARE))
    use(path)
    return path


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("41.57.64.1", ("Zimbabwe", "Harare")),
        ("2c0f:f5c0::1", ("Kenya", "Nairobi")),
        ("8.8.8.8", ("United States", "")),
        ("9.9.9.9", ("", "")),
        ("2001:4860::1", ("", "")),
        ("10.1.2.3", ("Internal Network", "LAN")),
        ("100.100.1.1", ("Internal Network", "Tailscale")),
        ("", ("", "")),
        (None, ("", "")),
        ("nonsense", ("", "")),
    ],
)
def test_a_place_is_found_in_the_file(file: Path, address: str | None, place: tuple[str, str]) -> None:
    assert places.of(address) == place


@pytest.mark.usefixtures("file", "db")
def test_the_entry_of_a_sign_in_says_where_it_came_from(person: Person, admin: Person) -> None:
    log.record(Event.SIGN_IN, user=person.user, request=a_request("41.57.64.1"))
    entry = Entry.objects.get(username="bob")
    assert (entry.country, entry.city, entry.ip_address) == ("Zimbabwe", "Harare", "41.57.64.1")
    console = Browser()
    console.sign_in(admin)
    assert "41.57.64.1 (Harare, Zimbabwe)" in console.get("/admin/audit/entry/").text
    told = console.get("/api/audit-logs/all?filters[location]=external").json()["data"]
    assert [(each["country"], each["city"]) for each in told] == [("Zimbabwe", "Harare")]


def a_request(address: str):
    from django.test import RequestFactory

    return RequestFactory().get("/", REMOTE_ADDR=address)


def test_without_a_file_nothing_is_known_and_nothing_is_said(use: Use, caplog: pytest.LogCaptureFixture) -> None:
    use(None)
    with caplog.at_level(logging.INFO, "pocketid.audit"):
        assert places.of("41.57.64.1") == ("", "")
    assert caplog.records == []


def broken(kind: str, path: Path) -> None:
    whole = database(HARARE)
    match kind:
        case "nothing":
            return
        case "empty":
            path.write_bytes(b"")
        case "other":
            path.write_bytes(b"This is no database. " * 100)
        case "cut off":
            path.write_bytes(whole[: len(whole) // 2])
        case "folder":
            path.mkdir()
        case "damaged":
            # Sound facts at its end, and a tree that leads nowhere.
            end = whole.index(b"\xab\xcd\xefMaxMind.com")
            path.write_bytes(b"\xff" * end + whole[end:])


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["nothing", "empty", "other", "cut off", "folder", "damaged"])
def test_a_broken_file_stops_no_sign_in_and_is_said_once(
    tmp_path: Path, use: Use, person: Person, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    path = tmp_path / "places.mmdb"
    broken(kind, path)
    use(path)
    with caplog.at_level(logging.WARNING, "pocketid.audit"):
        for last in range(3):
            places._database._looked_at = 0
            log.record(Event.SIGN_IN, user=person.user, request=a_request(f"41.57.64.{last}"))
    assert Entry.objects.filter(country="", city="").count() == 3
    assert len([each for each in caplog.records if each.levelno == logging.WARNING]) == 1
    assert "GEOLITE_DB_PATH" in caplog.text


def test_a_file_that_is_replaced_is_read_anew(file: Path) -> None:
    assert places.of("41.57.64.1") == ("Zimbabwe", "Harare")
    newer = file.with_suffix(".new")
    newer.write_bytes(database({"41.57.64.0/18": ("Zimbabwe", "Bulawayo")}))
    newer.replace(file)
    assert places.of("41.57.64.1") == ("Zimbabwe", "Harare"), "it is not looked at with every entry"
    places._database._looked_at = 0
    assert places.of("41.57.64.1") == ("Zimbabwe", "Bulawayo")
    file.unlink()
    places._database._looked_at = 0
    assert places.of("41.57.64.1") == ("", "")


@pytest.mark.spec("attacks.md", "I4")
@pytest.mark.usefixtures("file")
def test_who_lets_a_device_in_sees_which_app_device_and_place_that_is(
    browser: Browser, person: Person, client_app: App
) -> None:
    browser.sign_in(person)
    code = begin(client_app)["user_code"]
    for address, place in (("41.57.64.1", "Harare, Zimbabwe"), ("8.8.8.8", "United States"), ("9.9.9.9", "")):
        DeviceGrant.objects.update(ip_address=address, user_agent=FIREFOX)
        page = browser.get("/device", {"user_code": code}).text
        for words in (client_app.client.name, "Firefox on Linux", f"<bdi>{address}</bdi>"):
            assert words in page
        assert f"ago{' · ' + place if place else ''}</span>" in page
