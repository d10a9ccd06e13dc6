"""Uploads: the installation's images, people's pictures and clients' logos. All of them go into the database."""

import hashlib
import io
from collections.abc import Callable
from pathlib import PurePosixPath

import PIL.Image
from django.utils import timezone
from PIL import UnidentifiedImageError

from accounts import pictures
from accounts.models import ProfilePicture
from core.errors import AppError, InvalidImage
from moving.pocket_id.arrival import Arrival
from moving.pocket_id.rows import as_uuid
from moving.pocket_id.sources import File
from oidc import logos
from oidc.models import Client, ClientLogo
from siteconfig import images
from siteconfig.models import Image

# Their names there, without extension, and ours. 2.9 also has logo and logoEmail files it came with.
_IMAGES = {
    "logoLight": Image.Name.LOGO,
    "logoDark": Image.Name.LOGO_DARK,
    "logoEmail": Image.Name.EMAIL,
    "background": Image.Name.BACKGROUND,
    "favicon": Image.Name.FAVICON,
    "default-profile-picture": Image.Name.DEFAULT_PROFILE_PICTURE,
}
_DEFAULTS = "profile-pictures/defaults/"
_DARK = "-dark"


def bring(arrival: Arrival) -> None:
    kinds: dict[str, Callable[[Arrival, File], None]] = {
        "application-images": _image,
        "profile-pictures": _profile_picture,
        "oidc-client-images": _logo,
    }
    defaults = 0
    for file in arrival.source.files():
        folder, _, name = file.path.partition("/")
        if file.is_link:
            arrival.report.leave_out("files", "link", file.path)
        elif file.path.startswith(_DEFAULTS):
            defaults += 1
        elif name.startswith("."):
            continue  # a marker of the program's
        elif folder in kinds:
            kinds[folder](arrival, file)
        else:
            arrival.report.leave_out("files", "unknown", file.path)
    if defaults:
        arrival.report.leave_out("pictures", "derived", count=defaults)
    _missing_logos(arrival)


def _image(arrival: Arrival, file: File) -> None:
    path = PurePosixPath(file.path)
    name = _IMAGES.get(path.stem)
    if name is None:
        arrival.report.leave_out("images", "not used", path.name)
    elif Image.objects.filter(pk=name).exists():
        arrival.report.already_there["images"] += 1
    else:
        extension = path.suffix.lower().removeprefix(".")
        try:
            if extension not in images.TYPES:
                raise InvalidImage
            images.check(file.content, extension)
        except AppError:
            arrival.report.leave_out("images", "unusable image", path.name)
            return
        Image.objects.create(pk=name, content=file.content, content_type=images.TYPES[extension])
        arrival.report.came["images"] += 1


def _profile_picture(arrival: Arrival, file: File) -> None:
    try:
        user = as_uuid(PurePosixPath(file.path).stem)
    except ValueError:
        arrival.report.leave_out("files", "unknown", file.path)
        return
    owner = arrival.people.get(user)
    if owner is None:
        arrival.report.leave_out("pictures", "no such user", file.path)
    elif ProfilePicture.objects.filter(pk=user).exists():
        arrival.report.already_there["pictures"] += 1
    else:
        png = file.content
        try:
            if not _is_square_png(png):
                png = pictures.square(file.content)
                arrival.report.change("pictures", "re-encoded", owner)
        except InvalidImage:
            arrival.report.leave_out("pictures", "unusable image", owner)
            return
        ProfilePicture.objects.create(pk=user, png=png, updated_at=timezone.now())
        arrival.report.came["pictures"] += 1


def _is_square_png(content: bytes) -> bool:
    """Whether it is what we would make of it: then it stays byte for byte."""
    try:
        with PIL.Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            image.verify()
            return image.size == (pictures.SIZE, pictures.SIZE)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        return False


def _logo(arrival: Arrival, file: File) -> None:
    path = PurePosixPath(file.path)
    client_id, is_dark = _whose(arrival, path.stem)
    pk = arrival.clients.get(client_id)
    if pk is None:
        arrival.report.leave_out("logos", "no such client", path.name)
    elif ClientLogo.objects.filter(client_id=pk, is_dark=is_dark).exists():
        arrival.report.already_there["logos"] += 1
    else:
        try:
            picture = logos.read(path.name, file.content)
        except AppError:
            arrival.report.leave_out("logos", "unusable image", path.name)
            return
        ClientLogo.objects.create(
            client_id=pk, is_dark=is_dark, content=picture.content, content_type=picture.content_type
        )
        column = "dark_logo_hash" if is_dark else "logo_hash"
        Client.objects.filter(pk=pk).update(**{column: hashlib.sha256(picture.content).hexdigest()})
        arrival.report.came["logos"] += 1


def _whose(arrival: Arrival, stem: str) -> tuple[str, bool]:
    """A client may have an id that ends as the names of dark logos do."""
    if stem in arrival.clients or not stem.endswith(_DARK):
        return stem, False
    return stem.removesuffix(_DARK), True


def _missing_logos(arrival: Arrival) -> None:
    for row in arrival.source.rows("oidc_clients"):
        if row.text("id") in arrival.new_clients:
            light, dark = row.text("image_type"), row.text("dark_image_type")
            found = set(
                ClientLogo.objects.filter(client_id=arrival.clients[row.text("id")]).values_list("is_dark", flat=True)
            )
            if (light and False not in found) or (dark and True not in found):
                arrival.report.leave_out("logos", "no file", row.text("name"))
