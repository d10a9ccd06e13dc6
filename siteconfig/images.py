"""The installation's own pictures: which files are pictures, keeping them, and those that come with the program."""

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

import PIL.Image
from django.http import HttpRequest
from PIL import ImageDraw, UnidentifiedImageError

from core.errors import FileTypeNotSupported, ImageNotFound, InvalidImage
from siteconfig.models import Image
from siteconfig.signals import image_changed

Name = Image.Name

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 16_000_000

# Extension to the type that is served.
TYPES = {
    "avif": "image/avif",
    "gif": "image/gif",
    "heic": "image/heic",
    "ico": "image/x-icon",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
# Where not every type will do: the extensions, and the words of the refusal.
ONLY = {
    Name.EMAIL: (frozenset(("png", "jpg", "jpeg")), "PNG or JPEG"),
    Name.FAVICON: (frozenset(("svg", "png", "ico")), "SVG, PNG, or ICO"),
}
_MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect fill="{tile}" width="32" height="32" rx="9"/>'
    '<path fill="none" stroke="{line}" stroke-width="2.2" stroke-linejoin="round" '
    'd="M8 9.5Q8 8.5 9 8.5h14q1 0 1 1V15q0 6.5-8 9.5-8-3-8-9.500z"/><circle fill="{line}" cx="16" cy="14" r="2.3"/>'
    '<path stroke="{line}" stroke-width="2.2" stroke-linecap="round" d="M16 15v3.8"/></svg>'
)
DARK, LIGHT = "#1d1d1f", "#f7f6f3"


@dataclass(frozen=True)
class Picture:
    content: bytes
    content_type: str


def find(name: Image.Name, *, bundled: bool = True) -> Picture:
    """The picture to show; raise ``ImageNotFound``. A dark logo that is missing is the light one."""
    found = Image.objects.filter(pk=name).first()
    if found is not None and found.content:
        return Picture(bytes(found.content), found.content_type)
    if found is not None or not bundled:  # somebody wanted none at all
        raise ImageNotFound
    if name == Name.LOGO_DARK:
        light = Image.objects.filter(pk=Name.LOGO).first()
        return Picture(bytes(light.content), light.content_type) if light and light.content else _bundled(name)
    return _bundled(name)


def keep(name: Image.Name, file_name: str, content: bytes, *, request: HttpRequest | None = None) -> None:
    """Serve ``content`` from now on, byte for byte; raise ``FileTypeNotSupported`` or ``InvalidImage``."""
    extension = PurePosixPath(file_name).suffix.lower().removeprefix(".")
    allowed, words = ONLY.get(name, (TYPES.keys(), ""))
    if extension not in allowed:
        raise FileTypeNotSupported(words)
    check(content, extension)
    Image.objects.update_or_create(pk=name, defaults={"content": content, "content_type": TYPES[extension]})
    image_changed.send(sender=Image, request=request, name=str(name))


def remove(name: Image.Name, *, request: HttpRequest | None = None) -> None:
    """Go back to none, or for the logo to the one that comes with the program; raise ``ImageNotFound``."""
    find(name, bundled=name == Name.BACKGROUND)
    if name == Name.BACKGROUND:
        Image.objects.update_or_create(pk=name, defaults={"content": b"", "content_type": ""})
    else:
        Image.objects.filter(pk=name).delete()
    image_changed.send(sender=Image, request=request, name=str(name))


def address(name: Image.Name, version: int) -> str:
    """Where the picture is; with the time it was uploaded, so that no browser shows the one before."""
    is_dark = name == Name.LOGO_DARK
    path = "logo?light=false&" if is_dark else f"{name}?"
    return f"/api/application-images/{path}v={version}"


def own() -> dict[str, str]:
    """The addresses of the pictures that were uploaded, by their name with underscores, as templates spell it."""
    rows = Image.objects.exclude(content_type="").values_list("name", "updated_at")
    return {name.replace("-", "_"): address(Name(name), int(changed.timestamp())) for name, changed in rows}


def check(content: bytes, extension: str) -> None:
    """Raise ``InvalidImage`` unless the bytes are what the extension says, and not too many pixels."""
    if extension == "svg":
        if not re.match(rb"\s*(<\?xml|<!--|<!DOCTYPE svg|<svg)", content.removeprefix(b"\xef\xbb\xbf")[:512]):
            raise InvalidImage
        if b"<svg" not in content:
            raise InvalidImage
        return
    if extension == "heic":  # Pillow cannot read it; browsers of Apple can
        if content[4:8] != b"ftyp":
            raise InvalidImage
        return
    try:
        with PIL.Image.open(io.BytesIO(content)) as image:
            is_type = PIL.Image.MIME.get(image.format or "") in (
                TYPES[extension],
                "image/x-icon",
                "image/vnd.microsoft.icon",
            )
            width, height = image.size
            if not is_type or width * height > MAX_PIXELS:
                raise InvalidImage
            image.verify()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        raise InvalidImage from None


# What comes with the program


@lru_cache(maxsize=8)
def _bundled(name: Image.Name) -> Picture:
    match name:
        case Name.LOGO:
            return Picture(_MARK.format(tile=DARK, line=LIGHT).encode(), "image/svg+xml")
        case Name.LOGO_DARK:
            return Picture(_MARK.format(tile="#ececee", line="#131416").encode(), "image/svg+xml")
        case Name.EMAIL:
            return Picture(_saved(_mark(96), "PNG"), "image/png")
        case Name.FAVICON:
            return Picture(_saved(_mark(48), "ICO"), "image/x-icon")
        case Name.BACKGROUND:
            return Picture(_saved(_paper(1280, 800), "WEBP"), "image/webp")
    raise ImageNotFound


def _mark(size: int) -> PIL.Image.Image:
    """The mark of the SVG above in pixels, drawn four times as large and scaled down to smooth its edges."""
    scale = size * 4 / 32
    image = PIL.Image.new("RGBA", (size * 4, size * 4))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, size * 4 - 1, size * 4 - 1), radius=9 * scale, fill=DARK)
    shield = [(8, 8.5), (24, 8.5), (24, 15), (22.6, 19.6), (19.6, 22.8), (16, 24.5), (12.4, 22.8), (9.4, 19.6), (8, 15)]
    points = [(x * scale, y * scale) for x, y in shield]
    draw.line([*points, points[0], points[1]], fill=LIGHT, width=round(2.2 * scale), joint="curve")
    draw.ellipse([part * scale for part in (13.7, 11.7, 18.3, 16.3)], fill=LIGHT)
    draw.line([16 * scale, 15 * scale, 16 * scale, 18.8 * scale], fill=LIGHT, width=round(2.2 * scale))
    return image.resize((size, size), PIL.Image.Resampling.LANCZOS)


def _paper(width: int, height: int) -> PIL.Image.Image:
    """Plain paper that is a little darker at its foot."""
    gradient = PIL.Image.linear_gradient("L").resize((width, height)).point(lambda level: level // 12)
    image = PIL.Image.new("RGB", (width, height), LIGHT)
    image.paste(PIL.Image.new("RGB", (width, height), "#d9d6cf"), mask=gradient)
    return image


def _saved(image: PIL.Image.Image, format_name: str) -> bytes:
    out = io.BytesIO()
    image.save(out, format_name)
    return out.getvalue()
