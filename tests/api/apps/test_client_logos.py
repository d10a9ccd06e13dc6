"""Logos of clients: which files are taken, and how they are served (contract section 4.1, pocketid-newer.md 2.6)."""

import struct
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from core.errors import AppError
from oidc import logos
from oidc.models import Client, ClientLogo
from tests.api.apps.local_server import LocalServer
from tests.api.apps.rest import NOBODY, Rest

pytestmark = pytest.mark.postgres


def png(width: int = 8, height: int = 8) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x20\x60\xc0" * 8) * 8)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


SVG = b'<?xml version="1.0"?>\n<!-- a logo -->\n<!DOCTYPE svg [<!ENTITY x "y">]><svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
JPEG = b"\xff\xd8\xff\xe0\x00\x04AB\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 8, 8) + b"\x01\x01\x11\x00" + b"\xff\xd9"
OTHERS = {"gif": (b"GIF89a" + bytes(20), "image/gif"), "webp": (b"RIFF\x10\0\0\0WEBPVP8 " + bytes(8), "image/webp"), "ico": (b"\0\0\1\0\1\0" + bytes(16), "image/x-icon"),
          "avif": (b"\0\0\0\x1cftypavif" + bytes(16), "image/avif"), "heic": (b"\0\0\0\x18ftypheic" + bytes(16), "image/heic")}  # fmt: skip


@pytest.fixture
def path(rest: Rest) -> str:
    return f"/oidc/clients/{rest.client(id='wiki')['id']}/logo"


def flags(rest: Rest) -> tuple[bool, bool]:
    client = rest.get("/oidc/clients/wiki").json
    return client["hasLogo"], client["hasDarkLogo"]


def test_a_logo_is_served_byte_for_byte_to_everybody(rest: Rest, as_nobody: Rest, path: str) -> None:
    assert rest.upload(path, "logo.png", png()).status == 204
    answer = as_nobody.get(path)
    assert answer.status == 200
    assert answer.response.content == png()
    assert answer.response["Content-Type"] == "image/png"
    assert answer.response["Cache-Control"] == "public, max-age=900, stale-while-revalidate=43200"
    assert answer.response["X-Content-Type-Options"] == "nosniff"
    assert as_nobody.get(path + "?skipCache=1").response["Cache-Control"] == "private, no-store"
    again = as_nobody.get(path, headers={"If-None-Match": answer.response["ETag"]})
    assert (again.status, again.response.content) == (304, b"")
    rest.upload(path, "logo.svg", SVG)
    assert as_nobody.get(path, headers={"If-None-Match": answer.response["ETag"]}).response.content == SVG


@pytest.mark.spec("attacks.md", "F12")
def test_a_picture_with_a_script_in_it_can_do_nothing(rest: Rest, as_nobody: Rest, path: str) -> None:
    hostile = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    rest.upload(path, "logo.svg", hostile)
    answer = as_nobody.get(path)
    assert answer.response.content == hostile
    assert answer.response["Content-Type"] == "image/svg+xml"
    assert answer.response["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def test_the_flags_follow_at_once_and_updates_leave_logos_alone(rest: Rest, path: str) -> None:
    assert flags(rest) == (False, False)
    rest.upload(path, "l.png", png())
    assert flags(rest) == (True, False)
    rest.upload(path + "?light=false", "d.png", png())
    assert flags(rest) == (True, True)
    rest.put("/oidc/clients/wiki", {"name": "Wiki", "hasLogo": False, "hasDarkLogo": False})
    assert flags(rest) == (True, True)
    assert rest.delete(path).status == 204
    assert flags(rest) == (False, True)
    assert rest.delete(path + "?light=false").status == 204
    assert flags(rest) == (False, False)
    assert not ClientLogo.objects.exists()


def test_dark_pages_take_the_light_logo_but_not_the_other_way_round(rest: Rest, as_nobody: Rest, path: str) -> None:
    assert as_nobody.get(path).json["code"] == "image_not_found"
    rest.upload(path, "l.png", png())
    assert as_nobody.get(path + "?light=false").response.content == png()
    rest.upload(path + "?light=false", "d.svg", SVG)
    assert as_nobody.get(path + "?light=false").response.content == SVG
    rest.delete(path)
    answer = as_nobody.get(path + "?light=true")
    assert (answer.status, answer.json["code"]) == (404, "image_not_found")
    assert rest.delete(path).json["code"] == "image_not_found"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.png", png(), "image/png"),
        ("a.SVG", SVG, "image/svg+xml"),
        ("a.jpg", JPEG, "image/jpeg"),
        ("a.jpeg", JPEG, "image/jpeg"),
        ("wrong.png", SVG, "image/svg+xml"),
        ("a.ico", png(), "image/png"),
        ("a.svg", b"\xef\xbb\xbf <svg:svg/>", "image/svg+xml"),
        *[(f"a.{name}", *rest) for name, rest in OTHERS.items()],
    ],
)
def test_each_type_is_known_by_its_content(
    rest: Rest, as_nobody: Rest, path: str, name: str, content: bytes, kind: str
) -> None:
    assert rest.upload(path, name, content).status == 204
    answer = as_nobody.get(path)
    assert (answer.response.content, answer.response["Content-Type"]) == (content, kind)


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("a.txt", b"x", 415, "file_type_not_supported"),
        ("a.html", b"<svg/>", 415, "file_type_not_supported"),
        ("png", png(), 415, "file_type_not_supported"),
        ("a.png", b"not an image", 400, "invalid_image"),
        ("a.png", b"", 400, "invalid_image"),
        ("a.svg", b"<html><svg/></html>", 400, "invalid_image"),
        ("a.svg", b"<!-- <svg/> -->", 400, "invalid_image"),
        ("a.svg", b"<?xml", 400, "invalid_image"),
        ("a.png", png()[:20], 400, "invalid_image"),
        ("a.png", png(0, 8), 400, "invalid_image"),
        ("a.png", png(4001, 4000), 400, "invalid_image"),
        ("a.jpg", JPEG[:12], 400, "invalid_image"),
        ("a.jpg", b"\xff\xd8\xff" + bytes(100), 400, "invalid_image"),
        ("a.png", png() + bytes(3 << 20), 413, "file_too_large"),
    ],
)
def test_what_is_no_picture_is_refused(
    rest: Rest, path: str, name: str, content: bytes, status: int, code: str
) -> None:
    answer = rest.upload(path, name, content)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert flags(rest) == (False, False)


def test_the_limit_is_named(rest: Rest, path: str) -> None:
    answer = rest.upload(path, "a.png", png() + bytes(3 << 20))
    assert answer.json["error"] == "File must not exceed 2.00 MB"
    assert answer.json["details"] == {"max_size": "2.00 MB"}


def test_an_upload_without_the_file_says_so(rest: Rest, path: str) -> None:
    answer = rest.upload(path, "a.png", png(), part="picture")
    assert (answer.status, answer.fields) == (400, [("file", "required")])


def test_an_unknown_client_has_no_logo(rest: Rest, as_nobody: Rest) -> None:
    assert as_nobody.get(f"/oidc/clients/{NOBODY}/logo").status == 404
    assert rest.upload(f"/oidc/clients/{NOBODY}/logo", "a.png", png()).status == 404


# Logos from an address


class Pictures(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = {
            "/logo.svg": SVG,
            "/dark.png": png(),
            "/page.html": b"<html></html>",
            "/huge.png": png() + bytes(3 << 20),
        }.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Type", "text/plain")  # lies do not matter
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def pictures() -> Iterator[str]:
    with LocalServer(Pictures) as server:
        yield server.url


@pytest.mark.spec("attacks.md", "F8")
@pytest.mark.parametrize("name", ["logoUrl", "darkLogoUrl"])
def test_a_logo_in_our_own_network_is_not_fetched_and_nothing_is_written(rest: Rest, pictures: str, name: str) -> None:
    for address in (
        f"{pictures}/logo.svg",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/x",
        "file:///etc/passwd",
        "nope",
    ):
        answer = rest.post("/oidc/clients", {"name": "Wiki", name: address})
        assert (answer.status, answer.json["code"]) == (422, "logo_download_failed")
        assert "127.0.0.1" not in str(answer.json)  # what is inside is not told
    assert not Client.objects.exists()


def test_logos_are_fetched_when_a_client_is_made_or_changed(
    rest: Rest, as_nobody: Rest, pictures: str, settings: object
) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS_CLIENT_LOGO = ("loopback",)  # type: ignore[attr-defined]
    made = rest.client(logoUrl=f"{pictures}/logo.svg", darkLogoUrl=None)
    assert (made["hasLogo"], made["hasDarkLogo"]) == (True, False)
    path = f"/oidc/clients/{made['id']}"
    changed = rest.put(path, {"name": "Wiki", "darkLogoUrl": f"{pictures}/dark.png", "logoUrl": ""})
    assert (changed.json["hasLogo"], changed.json["hasDarkLogo"]) == (True, True)
    assert as_nobody.get(path + "/logo").response.content == SVG
    assert as_nobody.get(path + "/logo?light=false").response.content == png()
    for address, code in (
        ("/page.html", "logo_type_not_supported"),
        ("/huge.png", "logo_too_large"),
        ("/missing.png", "logo_download_failed"),
    ):
        refused = rest.put(path, {"name": "Changed", "logoUrl": pictures + address})
        assert (refused.status, refused.json["code"]) == (422, code)
    assert rest.get(path).json["name"] == "Wiki"


def test_every_refusal_of_a_download_is_the_clients_fault(pictures: str) -> None:
    with pytest.raises(AppError) as refused:
        logos.download(f"{pictures}/logo.svg")
    assert refused.value.status == 422
