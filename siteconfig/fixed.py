"""UI_CONFIG_DISABLED: the settings come from variables, and what the database has is neither read nor changed (contract section 9.1)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from rest_framework.exceptions import ValidationError

    from siteconfig.api.configuration import FixedSerializer

# Columns that are no settings: they tell what has happened.
_FACTS = frozenset(("id", "setup_completed_at", "bootstrap_finished_at"))
_SECRETS = ("SMTP_PASSWORD", "LDAP_BIND_PASSWORD")


class InvalidSetting(Exception):
    """A variable that stops the start; its text is the one line the operator sees."""


def columns() -> Mapping[str, Any]:
    """Every column of the settings with its value: what no variable says is the default. Empty when nothing is fixed.

    Raise ``InvalidSetting``.
    """
    return {} if settings.FIXED_SETTINGS is None else _columns(settings.FIXED_SETTINGS)


def variable(key: str) -> str:
    """The name of the variable for a key of the REST API: ``APP_NAME`` for ``appName``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key.replace("IDs", "Ids")).upper()


@lru_cache(maxsize=4)
def _columns(given: tuple[tuple[str, str], ...]) -> Mapping[str, Any]:
    # Here, because models are made from this module, and a server whose settings are its own needs nothing of it.
    from rest_framework.exceptions import ValidationError

    from siteconfig.api.configuration import FixedSerializer
    from siteconfig.models import SiteConfiguration

    keys = {variable(key): key for key in dict(FixedSerializer().fields)}
    serializer = FixedSerializer(data={keys[name]: _folded(text) for name, text in given}, partial=True)
    try:
        serializer.is_valid(raise_exception=True)
    except ValidationError as wrong:
        raise InvalidSetting(_words(wrong, serializer, dict(given))) from None
    row = SiteConfiguration()
    for name, value in serializer.validated_data.items():
        setattr(row, name, value)
    if row.ldap_enabled:
        raise InvalidSetting("LDAP_ENABLED is 'true', but this version has no LDAP: unset it.")
    return {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name not in _FACTS
    }


def _words(wrong: "ValidationError", serializer: "FixedSerializer", texts: Mapping[str, str]) -> str:
    """The first variable that is wrong, what it was, and what it must be."""
    from core.rest import as_app_error
    from siteconfig.api.fields import OneOf

    refused = as_app_error(wrong)
    problem: Any = refused.details["fields"][0] if refused is not None else {}  # type: ignore[index] # as all refusals of fields
    name, field = variable(problem["field"]), serializer.fields[problem["field"]]
    rule = f"must be one of {', '.join(field.words)}" if isinstance(field, OneOf) else problem["message"]
    was = "has a value that is not shown" if name in _SECRETS else f"is {texts[name]!r}"
    return f"{name} {was}; it {rule}."


def _folded(text: str) -> str:
    """Truth values are read in any case, as in other variables."""
    return text.lower() if text.lower() in ("true", "false") else text
