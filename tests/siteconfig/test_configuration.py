"""The one row of settings, and what pages make of it."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from siteconfig import guilloche
from siteconfig.context_processors import text_on
from siteconfig.models import SiteConfiguration, current
from tests.accounts.browser import Browser
from tests.accounts.people import Person

pytestmark = pytest.mark.postgres


def test_there_is_one_row_and_never_another(db: None) -> None:
    assert current().pk == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        SiteConfiguration.objects.create(pk=2)
    SiteConfiguration.objects.all().delete()
    assert current().app_name == "Pocket ID"


@pytest.mark.parametrize(
    "wrong",
    [
        {"app_name": "x" * 31},
        {"app_name": ""},
        {"accent_color": "red"},
        {"accent_color": "#12345"},
        {"session_duration": 0},
        {"session_duration": 43201},
    ],
    ids=str,
)
def test_what_is_out_of_range_is_refused(db: None, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SiteConfiguration(pk=1, **wrong).clean_fields()


def test_its_name_and_colour_are_on_every_page(person: Person) -> None:
    SiteConfiguration.objects.update(app_name="Example Org", accent_color="#aa3300")
    page = Browser().get("/login")
    assert "Example Org" in page.text
    assert "#aa3300" in page.text
    assert "style=" not in page.text.split("<body")[1]


@pytest.mark.spec("WCAG 2.2", "1.4.3")
@pytest.mark.parametrize(
    "colour", ["#000000", "#ffffff", "#3454d1", "#ffdd00", "#777777", "#00ff00", "#ff0000", "#808080"]
)
def test_text_on_the_accent_can_be_read(colour: str) -> None:
    def luminance(hexadecimal: str) -> float:
        parts = [int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    one, other = sorted((luminance(colour), luminance(text_on(colour))))
    assert (other + 0.05) / (one + 0.05) >= 4.1


def test_the_drawing_belongs_to_the_installation_and_tells_nothing_of_it() -> None:
    ours = guilloche.svg("https://id.example.org")
    assert ours == guilloche.svg("https://id.example.org") != guilloche.svg("https://id.example.com")
    assert "example" not in ours
    assert "script" not in ours
    assert len(ours) < 8 * 1024


def test_the_pages_are_in_the_language_of_the_browser(person: Person) -> None:
    from django.conf import settings

    if not (settings.LOCALE_PATHS[0] / "zh_Hans" / "LC_MESSAGES" / "django.mo").exists():
        pytest.skip("the translations are not compiled")
    page = Browser().get("/login", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert 'lang="zh-hans"' in page.text
    assert page["Content-Language"] == "zh-hans"
