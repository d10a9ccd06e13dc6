"""The installation's own pictures in the console, and on the pages they are for."""

import io

import PIL.Image
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Entry, Event
from siteconfig import images
from siteconfig.models import Image
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.console.forms import notes

pytestmark = pytest.mark.postgres

IMAGES = "/admin/siteconfig/image/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8H0z"/></svg>'


@pytest.fixture
def console(browser: Browser, admin: Person) -> Browser:
    browser.sign_in(admin)
    return browser


def a_png(colour: str = "#3454d1") -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (64, 64), colour).save(out, "PNG")
    return out.getvalue()


def replace(console: Browser, name: str, file_name: str, content: bytes):
    token = console.get(IMAGES).context["csrf_token"]
    file = SimpleUploadedFile(file_name, content)
    return console.post(f"{IMAGES}{name}/replace/", {"csrfmiddlewaretoken": token, "file": file})


@pytest.mark.parametrize("name", images.Name.values)
def test_every_picture_is_replaced_served_and_reset(console: Browser, name: str) -> None:
    address = {"logo-dark": "/api/application-images/logo?light=false"}.get(name, f"/api/application-images/{name}")
    before = console.get(address)
    assert replace(console, name, "Mine.PNG", a_png()).status_code == 302
    assert (console.get(address).content, console.get(address)["Content-Type"]) == (a_png(), "image/png")
    assert str(images.Name(name).label) in notes(console, IMAGES)
    assert f"image-reset-{name}" in console.get(IMAGES).text
    assert Entry.objects.get(event=Event.SETTINGS_CHANGED).data["image"] == name

    assert console.press(f"image-reset-{name}", console.get(IMAGES)).status_code == 302
    assert f"image-reset-{name}" not in console.get(IMAGES).text
    after = console.get(address)
    # Over REST, to take the background away means to want none.
    assert after.status_code == (404 if name == "background" else before.status_code)
    assert after.status_code == 404 or after.content == before.content


@pytest.mark.parametrize(
    ("name", "file_name", "content", "words"),
    [
        ("email", "logo.svg", SVG, "Choose a file of another kind: PNG, JPEG."),
        ("favicon", "icon.webp", b"x", "Choose a file of another kind: SVG, PNG, ICO."),
        ("logo", "logo.pdf", b"%PDF", "Choose a file of another kind: PNG, JPEG"),
        ("logo", "logo.png", b"no picture", "This file is no picture of the kind"),
        ("logo", "logo.png", SVG, "This file is no picture of the kind"),
        ("background", "empty.png", b"", "This file is no picture of the kind"),
    ],
)
def test_what_is_no_picture_is_said_beside_the_place_it_was_meant_for(
    console: Browser, name: str, file_name: str, content: bytes, words: str
) -> None:
    page = replace(console, name, file_name, content)
    assert page.status_code == 200
    told = page.text.partition(f'id="{name}-problem"')[2].partition("</p>")[0]
    assert words in told
    assert not Image.objects.exists()


def test_a_file_that_is_too_large_is_refused(console: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 1024 * 1024)
    page = replace(console, "logo", "logo.svg", SVG + b" " * 1024 * 1024)
    assert "This file is too large: at most 1.00 MB." in page.text
    assert not Image.objects.exists()


def test_a_form_without_a_file_changes_nothing(console: Browser) -> None:
    assert "Choose a file first." in console.press("image-replace-logo", console.get(IMAGES), file="").text


def test_to_reset_twice_is_no_mistake(console: Browser) -> None:
    replace(console, "background", "mine.png", a_png())
    page = console.get(IMAGES)
    for _press in range(2):
        assert console.press("image-reset-background", page).status_code == 302


def test_uploaded_pictures_are_on_the_pages(console: Browser) -> None:
    stranger = Browser()
    assert "application-images" not in stranger.get("/login").text
    for name in ("logo", "logo-dark", "background", "favicon"):
        replace(console, name, "mine.png", a_png())
    page = stranger.get("/login").text
    for address in ("logo?v=", "logo?light=false&amp;v=", "background?v=", "favicon?v="):
        assert f"/api/application-images/{address}" in page
    assert 'class="guilloche' not in page
    assert "/api/application-images/logo?v=" in console.get("/admin/").text


def test_only_administrators_see_or_change_them(person: Person) -> None:
    bobs = Browser()
    bobs.sign_in(person)
    assert bobs.get(IMAGES, follow=True).status_code == 403
    token = bobs.get("/settings/account").context["csrf_token"]
    for step in ("replace", "reset"):
        assert bobs.post(f"{IMAGES}logo/{step}/", {"csrfmiddlewaretoken": token}).status_code in (302, 403)
    assert Browser().get(IMAGES).status_code == 302


def test_what_is_no_picture_of_ours_is_not_found(console: Browser) -> None:
    assert console.get(f"{IMAGES}banner/replace/", follow=True).status_code == 404
    assert console.get(f"{IMAGES}logo/replace/").status_code == 302
