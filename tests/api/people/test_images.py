"""The installation's own pictures (contract section 7.4)."""

import io
import struct

import PIL.Image
import pytest

from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields
from tests.api.people.test_pictures import bomb, picture

AT = "/api/application-images/"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def test_what_comes_with_the_program(stranger: Script) -> None:
    for name, kind in (
        ("logo", "image/svg+xml"),
        ("logo?light=false", "image/svg+xml"),
        ("email", "image/png"),
        ("background", "image/webp"),
        ("favicon", "image/x-icon"),
    ):
        answer = stranger.read(AT + name)
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert answer["Cache-Control"] == "public, max-age=900, stale-while-revalidate=86400"
        if kind != "image/svg+xml":
            PIL.Image.open(io.BytesIO(answer.content)).verify()
    assert refusal(stranger.read(AT + "logo?default=false")) == (404, "image_not_found")
    assert struct.unpack(">II", stranger.read(AT + "email").content[16:24]) == (96, 96)


@pytest.mark.parametrize(
    ("name", "file", "content"),
    [
        ("logo", "l.svg", SVG),
        ("logo?light=false", "l.png", picture()),
        ("background", "b.webp", picture(kind="WEBP")),
        ("email", "e.jpg", picture(kind="JPEG")),
        ("favicon", "f.ico", picture(kind="ICO")),
        ("favicon", "f.svg", SVG),
    ],
)
def test_an_upload_is_served_byte_for_byte(
    script: Script, stranger: Script, name: str, file: str, content: bytes
) -> None:
    assert script.upload(AT + name, file, content).status_code == 204
    answer = stranger.read(AT + name)
    assert answer.content == content
    # Opened as a page, an SVG neither runs scripts nor loads anything.
    assert "sandbox" in answer["Content-Security-Policy"]
    assert (
        stranger.read(AT + name + ("&" if "?" in name else "?") + "skipCache=1")["Cache-Control"] == "private, no-store"
    )


def test_a_dark_logo_that_is_missing_is_the_light_one(script: Script, stranger: Script) -> None:
    script.upload(AT + "logo", "l.png", picture())
    assert stranger.read(AT + "logo?light=false").content == picture()
    assert refusal(stranger.read(AT + "logo?light=false&default=false")) == (404, "image_not_found")


def test_going_back(script: Script, stranger: Script) -> None:
    bundled = stranger.read(AT + "logo").content
    script.upload(AT + "logo", "l.png", picture())
    assert script.remove(AT + "logo").status_code == 204
    assert stranger.read(AT + "logo").content == bundled
    assert refusal(script.remove(AT + "logo")) == (404, "image_not_found")
    assert script.remove(AT + "background").status_code == 204  # the bundled one is not wanted either
    assert refusal(stranger.read(AT + "background")) == (404, "image_not_found")
    assert refusal(script.remove(AT + "background")) == (404, "image_not_found")
    script.upload(AT + "background", "b.png", picture())
    assert stranger.read(AT + "background").content == picture()
    for name in ("email", "favicon"):
        assert (script.remove(AT + name).status_code, script.remove(AT + name).json()) == (
            404,
            {"error": "API endpoint not found"},
        )


def test_the_default_picture_is_for_administrators(script: Script, stranger: Script, person: Person) -> None:
    name = AT + "default-profile-picture"
    assert refusal(stranger.read(name)) == (401, "not_signed_in")
    assert refusal(Script(person.user).read(name)) == (403, "forbidden")
    assert refusal(script.read(name)) == refusal(script.remove(name)) == (404, "image_not_found")
    script.upload(name, "p.png", picture())
    assert script.read(name).content == picture()
    assert script.remove(name).status_code == 204


@pytest.mark.parametrize(
    ("name", "file", "expected"),
    [
        ("email", "i.svg", "PNG or JPEG"),
        ("favicon", "i.txt", "SVG, PNG, or ICO"),
        ("logo", "i.txt", None),
        ("logo", "svg", None),
    ],
)
def test_types_that_are_not_taken(script: Script, name: str, file: str, expected: str | None) -> None:
    answer = script.upload(AT + name, file, SVG)
    assert refusal(answer) == (415, "file_type_not_supported")
    assert answer.json().get("details", {}).get("expected_file_type") == expected


@pytest.mark.spec("attacks.md", "G12")
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("l.png", b"text"),
        ("l.png", b""),
        ("l.png", SVG),
        ("l.svg", b"<html><script>"),
        ("l.svg", picture()),
        ("l.png", bomb()),
        ("l.jpg", picture()),
        ("l.png", picture(4001, 4001)),
        ("l.heic", b"x"),
    ],
)
def test_what_is_not_what_it_says(script: Script, file: str, content: bytes) -> None:
    assert refusal(script.upload(AT + "logo", file, content)) == (400, "invalid_image")


def test_uploads_are_for_administrators(stranger: Script, person: Person, script: Script) -> None:
    assert refusal(stranger.upload(AT + "logo", "l.png", picture())) == (401, "not_signed_in")
    assert refusal(Script(person.user).upload(AT + "logo", "l.png", picture())) == (403, "forbidden")
    assert wrong_fields(script.upload(AT + "logo", "l.png", picture(), field="x")) == [("file", "required")]


def test_the_addresses_of_old_versions(script: Script, stranger: Script) -> None:
    script.upload("/api/application-configuration/background-image", "b.png", picture())
    assert stranger.read(AT + "background").content == picture()
    for name in ("logo", "favicon", "background-image"):
        assert stranger.read(f"/api/application-configuration/{name}").status_code == 200
    assert stranger.read(AT + "nonsense").json() == {"error": "API endpoint not found"}


def test_a_picture_that_is_always_there_does_not_offer_to_be_deleted(script):
    assert "DELETE" not in script.remove("/api/application-images/favicon")["Allow"]
    assert "DELETE" in script.call("OPTIONS", "/api/application-images/logo")["Allow"]
