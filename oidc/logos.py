"""A client's pictures, one for light and one for dark pages: which files are pictures, keeping them, and fetching them."""

import hashlib
import struct
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import fetch
from core.errors import AppError, FileTooLarge, FileTypeNotSupported, ImageNotFound, InvalidImage
from oidc.models import Client, ClientLogo

MAX_BYTES = 2 * 1024 * 1024
MAX_PIXELS = 16_000_000
TIMEOUT = 15.0  # seconds
EXTENSIONS = frozenset(("avif", "gif", "heic", "ico", "jpeg", "jpg", "png", "svg", "webp"))


class LogoDownloadFailed(AppError):
    code = "logo_download_failed"
    status = 422
    message = _("The logo could not be downloaded")


class LogoTypeNotSupported(AppError):
    code = "logo_type_not_supported"
    status = 422
    message = _("The address of the logo does not hold an image of a supported type")


class LogoTooLarge(AppError):
    code = "logo_too_large"
    status = 422

    def __init__(self) -> None:
        super().__init__(f"The logo must not exceed {MAX_BYTES / 1024 / 1024:.2f} MB")


@dataclass(frozen=True)
class Picture:
    """A file that is an image, with the type that its content has, whatever it was called."""

    content: bytes
    content_type: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read(name: str, content: bytes) -> Picture:
    """An uploaded file as a picture, byte for byte; raise ``FileTypeNotSupported``, ``FileTooLarge`` or ``InvalidImage``."""
    if PurePosixPath(name).suffix.lower().removeprefix(".") not in EXTENSIONS:
        raise FileTypeNotSupported
    if len(content) > MAX_BYTES:
        raise FileTooLarge(MAX_BYTES)
    return _picture(content)


def download(url: str, *, allowed: Collection[str] = ()) -> Picture:
    """The picture at an address that somebody else may have chosen: fetched from public addresses, or ``allowed`` ones."""
    try:
        answer = fetch.fetch(url, headers={"Accept": "image/*"}, allowed=allowed, max_bytes=MAX_BYTES, timeout=TIMEOUT)
    except fetch.AnswerTooLarge:
        raise LogoTooLarge from None
    except fetch.FetchFailed as problem:
        raise LogoDownloadFailed(causes=[(_("Reason"), str(problem))]) from None
    if answer.status != 200:
        raise LogoDownloadFailed(causes=[(_("Reason"), f"{url}: status {answer.status}")])
    try:
        return _picture(answer.body)
    except InvalidImage:
        raise LogoTypeNotSupported from None


def find(client: Client, *, is_dark: bool) -> ClientLogo:
    """The logo for such pages; dark pages take the light one when there is no other. Raise ``ImageNotFound``."""
    found: ClientLogo | None = client.logos.filter(is_dark__in=(False, is_dark)).order_by("-is_dark").first()
    if found is None:
        raise ImageNotFound
    return found


def put(client: Client, picture: Picture, *, is_dark: bool) -> None:
    with transaction.atomic():
        ClientLogo.objects.update_or_create(
            client=client,
            is_dark=is_dark,
            defaults={"content": picture.content, "content_type": picture.content_type},
        )
        _remember(client, picture.hash, is_dark=is_dark)


def remove(client: Client, *, is_dark: bool) -> None:
    """Take away this one of the two; raise ``ImageNotFound`` when it is not there."""
    with transaction.atomic():
        if not client.logos.filter(is_dark=is_dark).delete()[0]:
            raise ImageNotFound
        _remember(client, "", is_dark=is_dark)


def _remember(client: Client, value: str, *, is_dark: bool) -> None:
    column = "dark_logo_hash" if is_dark else "logo_hash"
    setattr(client, column, value)
    client.save(update_fields=[column])


# What a file is


def _picture(content: bytes) -> Picture:
    content_type = _type(content)
    if content_type is None:
        raise InvalidImage
    size = _png_size(content) if content_type == "image/png" else None
    size = _jpeg_size(content) if content_type == "image/jpeg" else size
    if content_type in ("image/png", "image/jpeg") and (size is None or not 0 < size[0] * size[1] <= MAX_PIXELS):
        raise InvalidImage
    return Picture(content, content_type)


def _type(content: bytes) -> str | None:
    """By the first bytes: names and headers say what somebody wants us to believe."""
    head = content[:16]
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"\x00\x00\x01\x00"):
        return "image/x-icon"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"avif", b"avis"):
            return "image/avif"
        return "image/heic" if brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1") else None
    return "image/svg+xml" if _is_svg(content) else None


def _is_svg(content: bytes) -> bool:
    """Whether the first element is ``svg``, after a declaration, comments and a document type."""
    try:
        text = content[:16384].decode("utf-8", "ignore" if len(content) > 16384 else "strict").lstrip("\ufeff \t\r\n")
    except UnicodeDecodeError:
        return False
    while text.startswith(("<?", "<!")):
        end = "-->" if text.startswith("<!--") else "?>" if text.startswith("<?") else ">"
        if end == ">" and 0 <= text.find("[") < text.find(">"):
            text = text[text.find("]") + 1 :] if "]" in text else ""
        _before, found, text = text.partition(end)
        if not found:
            return False
        text = text.lstrip()
    name = text[1:64].replace("/", " ").replace(">", " ").split()
    return text.startswith("<") and bool(name) and name[0].rpartition(":")[2] == "svg"


def _png_size(content: bytes) -> tuple[int, int] | None:
    if len(content) < 33 or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """From the first start-of-frame segment (ITU-T T.81 annex B)."""
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return width, height
        if marker == 0xFF or 0xD0 <= marker <= 0xD8:
            place += 1 if marker == 0xFF else 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return None
