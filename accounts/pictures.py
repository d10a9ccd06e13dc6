"""People's pictures: the one somebody uploaded, the installation's default, or the initials."""

import hashlib
import io

import PIL.Image
from PIL import ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from accounts.models import ProfilePicture, User
from core.errors import ImageNotFound, InvalidImage
from siteconfig import images

SIZE = 300
MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 16_000_000

# Dark enough for white letters (WCAG 2.2: at least 4.5 to 1).
COLOURS = ("#3454d1", "#7a3db8", "#a8326e", "#b0372a", "#8a5a00", "#2f6f3e", "#0f6b75", "#475569")


def of(user: User) -> bytes:
    """The picture as PNG, 300 by 300; the same bytes until something about it changes."""
    found = ProfilePicture.objects.filter(pk=user.pk).first()
    if found is not None:
        return bytes(found.png)
    try:
        default = images.find(images.Name.DEFAULT_PROFILE_PICTURE)
        return square(default.content)
    except (ImageNotFound, InvalidImage):
        return initials(user)


def keep(user: User, content: bytes) -> None:
    """Show what is in ``content`` from now on; raise ``InvalidImage``."""
    ProfilePicture.objects.update_or_create(user=user, defaults={"png": square(content)})


def remove(user: User) -> None:
    """Back to the default; nothing to do when there is no picture."""
    ProfilePicture.objects.filter(pk=user.pk).delete()


def square(content: bytes) -> bytes:
    """The middle of a picture as PNG of our size, without what cameras write into files; raise ``InvalidImage``."""
    try:
        with PIL.Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise InvalidImage
            upright = ImageOps.exif_transpose(image)
            fitted = ImageOps.fit(upright.convert("RGBA"), (SIZE, SIZE), PIL.Image.Resampling.LANCZOS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        raise InvalidImage from None
    return _png(fitted)


def initials(user: User) -> bytes:
    """One or two letters on a colour of the person's own; a silhouette where our typeface has no such letters."""
    colour = COLOURS[hashlib.sha256(user.pk.bytes).digest()[0] % len(COLOURS)]
    image = PIL.Image.new("RGB", (SIZE, SIZE), colour)
    draw, letters = ImageDraw.Draw(image), _letters(user)
    if letters:
        draw.text((SIZE / 2, SIZE / 2), letters, font=ImageFont.load_default(size=128), fill="white", anchor="mm")
    else:
        draw.ellipse((100, 62, 200, 162), fill="white")
        draw.pieslice((50, 186, 250, 386), 180, 360, fill="white")
    return _png(image)


def _letters(user: User) -> str:
    words = [user.first_name, user.last_name] if user.first_name or user.last_name else user.display_name.split()[:2]
    letters = "".join(word.strip()[:1] for word in words) or user.username[:2]
    return letters.upper() if letters.isascii() and letters.isalnum() else ""


def _png(image: PIL.Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
