"""Settings that are JSON inside a text."""

import json

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.claim_names import RESERVED_CLAIMS

TEXTS_RULE = "must be a JSON array of strings"
CLAIMS_RULE = "must be a JSON array of objects with key and value"


def texts(value: str) -> list[str]:
    """The strings of a JSON array; none if the text is something else."""
    found = _loaded(value)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def claims(value: str) -> list[tuple[str, str]]:
    """Key and value of each claim; none if the text is something else."""
    found = _loaded(value)
    return [(item["key"], item["value"]) for item in found if _is_claim(item)] if isinstance(found, list) else []


def check_texts(value: str) -> None:
    found = _loaded(value)
    if not isinstance(found, list) or len(texts(value)) != len(found):
        raise ValidationError(TEXTS_RULE)


def check_claims(value: str) -> None:
    """With what could not be given to anybody no account could be made at all."""
    found, kept = _loaded(value), claims(value)
    if not isinstance(found, list) or len(kept) != len(found):
        raise ValidationError(CLAIMS_RULE)
    seen: set[str] = set()
    for key, _value in kept:
        if key in RESERVED_CLAIMS:
            raise ValidationError(_("Claim %(key)s is reserved and can't be used"), "reserved", {"key": key})
        if key in seen:
            raise ValidationError(_("Claim %(key)s is listed more than once"), "duplicate", {"key": key})
        seen.add(key)


def _is_claim(item: object) -> bool:
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(name), str) and item[name] for name in ("key", "value"))
        and len(item["key"]) <= 255
    )


def _loaded(value: str) -> object:
    try:
        found: object = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return found
