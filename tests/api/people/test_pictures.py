"""People's pictures (contract section 5.1)."""

import io
import struct

import PIL.Image
import pytest

from accounts.models import User
from siteconfig import images
from tests.accounts.people import Person
from tests.api.people.script import Script, refusal, wrong_fields


def picture(width: int = 8, height: int = 8, kind: str = "PNG", colour: str = "red") -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


@pytest.fixture
def path(person: Person) -> str:
    return f"/api/users/{person.subject}/profile-picture"


def test_everybody_has_initials_which_do_not_change(stranger: Script, person: Person, path: str) -> None:
    answer = stranger.read(path + ".png")
    assert (answer.status_code, answer["Content-Type"], size(answer.content)) == (200, "image/png", (300, 300))
    assert answer["Cache-Control"] == "public, max-age=900, stale-while-revalidate=3600"
    assert stranger.read(path + ".png").content == answer.content
    assert stranger.read(path + ".png?skipCache=1")["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("names", [("莉", "王"), ("", ""), ("\u202eevil", "x"), ("<b>", ""), (" ", " ")])
def test_a_name_of_any_kind_has_a_picture(stranger: Script, names: tuple[str, str]) -> None:
    user = User.objects.create(username="x", first_name=names[0], last_name=names[1])
    assert size(stranger.read(f"/api/users/{user.pk}/profile-picture.png").content) == (300, 300)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_uploaded_picture_is_shown_as_a_square(script: Script, path: str, kind: str) -> None:
    assert script.upload(path, "a.bin", picture(40, 20, kind)).status_code == 204
    shown = script.read(path + ".png").content
    assert size(shown) == (300, 300)
    assert PIL.Image.open(io.BytesIO(shown)).convert("RGB").getpixel((150, 150))[0] > 240
    assert script.remove(path).status_code == 204
    assert script.read(path + ".png").content != shown
    assert script.remove(path).status_code == 204  # also when there is none


def bomb() -> bytes:
    """A PNG that says it is far larger than any screen."""
    small = picture()
    return small[:16] + struct.pack(">II", 60_000, 60_000) + small[24:]


@pytest.mark.spec("attacks.md", "G12")
@pytest.mark.parametrize(
    "content",
    [b"", b"text", picture()[:40], bomb(), b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture(4001, 4001)],
    ids=["empty", "text", "short", "bomb", "svg", "too many pixels"],
)
def test_what_is_no_picture_is_refused(script: Script, path: str, content: bytes) -> None:
    before = script.read(path + ".png").content
    assert refusal(script.upload(path, "a.png", content)) == (400, "invalid_image")
    assert script.read(path + ".png").content == before


def test_an_upload_needs_its_file(script: Script, path: str) -> None:
    assert wrong_fields(script.upload(path, "a.png", picture(), field="other")) == [("file", "required")]
    assert refusal(script.change(path, {})) == (400, "invalid_request_body")
    assert refusal(script.upload(path, "a.png", bytes(11 * 1024 * 1024))) == (413, "file_too_large")


def test_ones_own_picture(person: Person, path: str) -> None:
    own = Script(person.user)
    assert own.upload("/api/users/me/profile-picture", "a.png", picture()).status_code == 204
    assert refusal(own.upload(path, "a.png", picture())) == (403, "forbidden")
    assert own.remove("/api/users/me/profile-picture").status_code == 204


def test_the_default_picture_is_shown_to_those_who_have_none(script: Script, person: Person, path: str) -> None:
    images.keep(images.Name.DEFAULT_PROFILE_PICTURE, "a.png", picture(colour="blue"))
    shown = PIL.Image.open(io.BytesIO(script.read(path + ".png").content)).convert("RGB")
    assert shown.getpixel((10, 10)) == (0, 0, 255)


def test_pictures_of_nobody(stranger: Script) -> None:
    assert refusal(stranger.read("/api/users/00000000-0000-4000-8000-000000000000/profile-picture.png")) == (
        404,
        "user_not_found",
    )
    answer = stranger.read("/api/users/xyz/profile-picture.png")
    assert (wrong_fields(answer), answer.json()["error"]) == (
        [("userId", "invalid_format")],
        "Request validation failed",
    )
