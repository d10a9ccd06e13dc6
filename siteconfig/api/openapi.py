"""Settings, pictures and versions: what the operations of :mod:`siteconfig.api` do, in the words of OpenAPI."""

from typing import Any

from rest_framework.views import APIView

from core.errors import FileTooLarge, FileTypeNotSupported, ImageNotFound, InvalidImage
from core.mail import MailNotConfigured, MailNotSent
from core.openapi import EXAMPLES, SKIP_CACHE, Operation, Picture, Raw, Upload, describe, old, query
from core.openapi_fields import field_schema, text
from siteconfig import images as pictures
from siteconfig.api import configuration, fields, images, version
from siteconfig.configure import UiConfigDisabled, UserEmailNotSet
from siteconfig.models import SiteConfiguration

SETTINGS, PICTURES, VERSIONS = "Settings", "Pictures", "Versions"

# Every value is a text (contract section 7.3).
field_schema(fields.TrueOrFalse, {"type": "string", "enum": ["true", "false"]})
field_schema(fields.OneOf, lambda field: {"type": "string", "enum": list(field.words)})


def _number(field: Any) -> dict[str, Any]:  # noqa: ANN401 - a Number
    words = f"A whole number from {field.low} to {field.high}, as text"
    optional = "?" if field.allow_blank else ""
    return {
        "type": "string",
        "pattern": f"^([1-9][0-9]{{0,4}}){optional}$",
        "description": words,
        "examples": [str(field.low)],
    }


_JSON_TEXT = {
    fields.JsonTexts: ("A JSON array of texts, as text", '["https://*.example.org/**"]'),
    fields.JsonClaims: (
        "A JSON array of objects with `key` and `value`, as text",
        '[{"key": "role", "value": "guest"}]',
    ),
}
field_schema(fields.Number, _number)
field_schema(fields.Address, lambda field: text(field) | {"pattern": r"^(/$|/[^/\\]|https?://)"})
for kind, (words, example) in _JSON_TEXT.items():
    field_schema(
        kind,
        lambda field, words=words, example=example: text(field) | {"description": words, "examples": [example]},  # type: ignore[misc] # bound now
    )

EXAMPLES[configuration.ConfigurationSerializer] = {
    name: text for name, text in configuration.values(SiteConfiguration(), in_clear=False).items() if text
}


def _values(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    own = {"key": {"type": "string"}, "type": {"type": "string"}, "value": {"type": "string"}} | members
    return {"type": "array", "items": {"type": "object", "properties": own, "required": sorted(own)}}


_PUBLIC = Raw(_values(), [{"key": "appName", "type": "", "value": "Pocket ID"}])
_ALL = Raw(
    _values(isPublic={"type": "boolean"}), [{"key": "appName", "type": "", "value": "Pocket ID", "isPublic": False}]
)
describe(
    SETTINGS,
    configuration.PublicConfiguration,
    get=Operation("getPublicConfiguration", "Show what everybody may know", {200: _PUBLIC}),
    put=Operation(
        "updateConfiguration",
        "Change the settings",
        {200: _ALL},
        "Optional keys that are left out stay as they are; an empty text is the default. A masked password changes nothing. "
        "Whoever is not shown the passwords names one again together with another server, port or encryption for it.",
        configuration.ConfigurationSerializer,
        errors=(UiConfigDisabled,),
    ),
)
describe(
    SETTINGS,
    configuration.Configuration,
    get=Operation(
        "getConfiguration",
        "Show all settings",
        {200: _ALL},
        f"Passwords are `{configuration.MASK}` except for an API key that may do everything.",
    ),
)
describe(
    SETTINGS,
    configuration.TestEmail,
    post=Operation(
        "sendTestEmail",
        "Mail oneself a test",
        {204: None},
        "To whoever asks.",
        errors=(UserEmailNotSet, MailNotConfigured, MailNotSent),
    ),
)
describe(
    SETTINGS,
    configuration.SyncLdap,
    post=Operation("syncLdap", "Sync with LDAP", {204: None}, errors=(configuration.LdapDisabled,)),
)

# Pictures

_LIGHT = query(
    "light", {"type": "string", "default": "true", "examples": ["false"]}, "`false` is the form for dark pages."
)
_DEFAULT = query(
    "default",
    {"type": "string", "default": "true", "examples": ["false"]},
    "`false`: not the picture that comes with the program.",
)
_WORDS = {
    pictures.Name.LOGO: "logo",
    pictures.Name.EMAIL: "logo in e-mails",
    pictures.Name.BACKGROUND: "background",
    pictures.Name.FAVICON: "favicon",
    pictures.Name.DEFAULT_PROFILE_PICTURE: "default profile picture",
}
_ERRORS = (InvalidImage, FileTooLarge, FileTypeNotSupported)


def _for_name(verb: str) -> Any:  # noqa: ANN401 - what ``describe`` takes
    """One view serves all pictures: what it does depends on which, and on how old its address is."""

    def operation(view: APIView) -> Operation | None:
        name: pictures.Name = view.name  # type: ignore[attr-defined] # the address sets it
        form = (_LIGHT,) if name == pictures.Name.LOGO else ()
        word = "".join(part.title() for part in str(name).split("-"))
        if verb == "get":
            types = Picture(tuple(sorted(set(pictures.TYPES.values()))))
            found = Operation(
                f"get{word}Image",
                f"The {_WORDS[name]}",
                {200: types},
                errors=(ImageNotFound,),
                parameters=(*form, _DEFAULT, SKIP_CACHE),
            )
        elif verb == "put":
            found = Operation(
                f"set{word}Image", f"Set the {_WORDS[name]}", {204: None}, body=Upload, errors=_ERRORS, parameters=form
            )
        elif name in images.ALWAYS_THERE:
            return None
        else:
            found = Operation(
                f"delete{word}Image",
                f"Take the {_WORDS[name]} away",
                {204: None},
                errors=(ImageNotFound,),
                parameters=form,
            )
        if "application-configuration" in view.request.path:
            return old(found, id=f"{found.id}Old", description="The address up to version 1.11.")
        return found

    return operation


describe(PICTURES, images.ApplicationImage, get=_for_name("get"), put=_for_name("put"), delete=_for_name("delete"))

# Versions


def _text(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": sorted(names)}


describe(
    VERSIONS,
    version.CurrentVersion,
    get=Operation(
        "getCurrentVersion",
        "Which version of Pocket ID's API this is",
        {
            200: Raw(
                _text("currentVersion", "pocketidVersion"),
                {"currentVersion": version.POCKET_ID, "pocketidVersion": "0.1.0"},
            )
        },
        "`pocketidVersion` is the version of this program.",
    ),
)
describe(
    VERSIONS,
    version.LatestVersion,
    get=Operation(
        "getLatestVersion",
        "The newest version",
        {200: Raw(_text("latestVersion"), {"latestVersion": version.POCKET_ID})},
    ),
)
describe(
    VERSIONS,
    version.SqliteWarning,
    get=Operation(
        "getSqliteWarning",
        "Whether SQLite's file lies where it is not safe",
        {
            200: Raw(
                {"type": "object", "properties": {"showWarning": {"type": "boolean"}}, "required": ["showWarning"]},
                {"showWarning": False},
            )
        },
        "On a file system of another machine, where locks do not hold.",
    ),
)
