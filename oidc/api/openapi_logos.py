"""Logos of apps and the presets to choose from, in the words of OpenAPI."""

from core.errors import FileTooLarge, FileTypeNotSupported, ImageNotFound, InvalidImage
from core.openapi import EXAMPLES, SKIP_CACHE, Many, Operation, Picture, Upload, describe, query
from oidc.api import client_logos
from oidc.api.openapi import CLIENT, CLIENTS

EXAMPLES[client_logos.LogoPresetSerializer] = {
    "name": "Nextcloud",
    "reference": "nextcloud",
    "logoUrl": "https://id.example.org/static/logos/nextcloud.svg",
    "darkLogoUrl": None,
}
_LIGHT = query(
    "light", {"type": "string", "default": "true", "examples": ["false"]}, "`false` is the one for dark pages."
)
describe(
    CLIENTS,
    client_logos.ClientLogos,
    get=Operation(
        "getClientLogo",
        "An app's logo",
        {
            200: Picture(
                (
                    "image/avif",
                    "image/gif",
                    "image/heic",
                    "image/jpeg",
                    "image/png",
                    "image/svg+xml",
                    "image/webp",
                    "image/x-icon",
                )
            )
        },
        "For everybody. A dark one that is missing is the light one.",
        errors=(ImageNotFound,),
        missing=(CLIENT,),
        parameters=(_LIGHT, SKIP_CACHE),
    ),
    post=Operation(
        "setClientLogo",
        "Set an app's logo",
        {204: None},
        "The type is that of the content, whatever the file is called.",
        Upload,
        errors=(InvalidImage, FileTooLarge, FileTypeNotSupported),
        missing=(CLIENT,),
        parameters=(_LIGHT,),
    ),
    delete=Operation(
        "deleteClientLogo",
        "Take an app's logo away",
        {204: None},
        "This one of the two.",
        errors=(ImageNotFound,),
        missing=(CLIENT,),
        parameters=(_LIGHT,),
    ),
)
describe(
    CLIENTS,
    client_logos.LogoPresets,
    get=Operation(
        "listLogoPresets",
        "Search logos to choose from",
        {200: Many(client_logos.LogoPresetSerializer)},
        "At most thirty, the best first. A client takes one by its address in `logoUrl` or `darkLogoUrl`.",
        parameters=(query("search", {"type": "string"}, "Part of a name, or what the app is for."),),
    ),
)
