"""Logos to choose from: Pocket ID 2.18's list, from files of our own (pocketid-newer.md 1.3)."""

from xml.etree import ElementTree

import pytest
from django.test import Client as Browser

from oidc import logo_presets, logos
from oidc.models import Client
from tests.api.apps.rest import Rest

PATH = "/oidc/logo-presets"


def names(rest: Rest, search: str) -> list[str]:
    answer = rest.get(f"{PATH}?search={search}")
    assert answer.status == 200
    return [preset["name"] for preset in answer.json]


def test_without_a_search_the_first_thirty_are_listed_by_name(rest: Rest) -> None:
    found = rest.get(PATH).json
    assert len(found) == 30
    assert [preset["name"] for preset in found] == sorted((preset["name"] for preset in found), key=str.casefold)
    assert all(set(preset) == {"name", "reference", "logoUrl", "darkLogoUrl"} for preset in found)


def test_the_best_comes_first(rest: Rest) -> None:
    assert names(rest, "NextCloud") == ["Nextcloud"]
    assert names(rest, "ma")[:3] == ["Mastodon", "Matrix", "Mattermost"]  # which begin so, before those that are mail
    assert "Roundcube" in names(rest, "ma")
    assert names(rest, "wiki")[0] == "Wiki.js"
    assert "BookStack" in names(rest, "wiki")
    assert names(rest, "no such app") == []


@pytest.mark.parametrize("preset", logo_presets.PRESETS, ids=lambda preset: preset.reference)
def test_each_preset_is_a_picture_that_the_server_has(preset: logo_presets.Preset) -> None:
    for url in filter(None, (preset.logo_url, preset.dark_logo_url)):
        picture = logo_presets.picture_at(url)
        assert picture is not None
        assert logos.read("x.svg", picture.content) == picture
        root = ElementTree.fromstring(picture.content)
        assert {element.tag.rpartition("}")[2] for element in root.iter()} == {"svg", "title", "path"}


def test_presets_are_in_the_order_of_their_names() -> None:
    found = [preset.name.casefold() for preset in logo_presets.PRESETS]
    assert found == sorted(set(found))


def test_a_client_takes_a_preset_without_a_request_to_anybody(rest: Rest, as_nobody: Rest) -> None:
    """Though logos from addresses in our own network are refused (attacks.md F8)."""
    preset = next(preset for preset in rest.get(f"{PATH}?search=actual").json if preset["darkLogoUrl"])
    made = rest.client(id="budget", logoUrl=preset["logoUrl"], darkLogoUrl=preset["darkLogoUrl"])
    assert (made["hasLogo"], made["hasDarkLogo"]) == (True, True)
    for query, url in (("", preset["logoUrl"]), ("?light=false", preset["darkLogoUrl"])):
        shown = as_nobody.get("/oidc/clients/budget/logo" + query).response
        picture = logo_presets.picture_at(url)
        assert picture is not None
        assert (shown.content, shown["Content-Type"]) == (picture.content, "image/svg+xml")


@pytest.mark.spec("attacks.md", "F8")
@pytest.mark.parametrize(
    "name", ["../css/pocketid.css", "..%2f..%2fpyproject.toml", "nosuchapp.svg", "", "nextcloud.svg?x"]
)
def test_nothing_else_is_read_from_the_disk(rest: Rest, settings: object, name: str) -> None:
    url = f"{settings.APP_URL}/static/logos/{name}"  # type: ignore[attr-defined]
    assert logo_presets.picture_at(url) is None
    assert rest.post("/oidc/clients", {"name": "Wiki", "logoUrl": url}).json["code"] == "logo_download_failed"
    assert not Client.objects.exists()


def test_the_picture_is_at_its_address_too(rest: Rest) -> None:
    """Whoever shows the list shows the pictures with it."""
    from django.contrib.staticfiles import finders

    address = rest.get(f"{PATH}?search=nextcloud").json[0]["logoUrl"]
    assert finders.find(address.partition("/static/")[2])
    assert Browser().get("/api/oidc/logo-presets").status_code == 401
