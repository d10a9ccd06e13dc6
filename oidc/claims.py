"""What is said about a person, by scope (contract section 8.3); the same for the ID token and userinfo."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from core.claim_names import RESERVED_CLAIMS

# Standard claims (OIDC Core section 5.1) that nobody but an administrator knows: custom claims of these names.
CUSTOM_STANDARD_CLAIMS = ("middle_name", "nickname", "profile", "website", "gender", "birthdate", "zoneinfo")
CLAIMS_OF_SCOPE = {
    "profile": (
        "name",
        "given_name",
        "family_name",
        "display_name",
        "preferred_username",
        "picture",
        "locale",
        "updated_at",
        *CUSTOM_STANDARD_CLAIMS,
    ),
    "email": ("email", "email_verified"),
    "groups": ("groups",),
}
# Texts, whatever they look like: a birthdate may be a year alone, and a number is none (OIDC Core section 5.1).
_TEXTS = frozenset((*CUSTOM_STANDARD_CLAIMS, "locale", "phone_number"))
DEFAULT_LOCALE = "en"
SCOPES = ("openid", "profile", "email", "groups", "offline_access")


@dataclass(frozen=True)
class Person:
    """The facts that claims are made of, as the hot path reads them."""

    id: UUID
    username: str
    email: str | None
    email_verified: bool
    first_name: str
    last_name: str
    display_name: str
    disabled: bool
    locale: str
    updated_at: datetime
    groups: list[str]
    custom_claims: list[tuple[str, str]]  # the group's first: the person's own win

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.display_name or self.username


def claims_for(person: Person, scopes: Collection[str], single: Collection[str] = ()) -> dict[str, Any]:
    """``sub``, the claims of ``scopes``, and the ``single`` ones that were asked for by name.

    Custom claims never replace standard ones.
    """
    claims = _of_scopes(person, scopes)
    if single:
        everything = _of_scopes(person, SCOPES)
        claims |= {name: everything[name] for name in single if name in everything}
    return claims | {"sub": str(person.id)}


def _of_scopes(person: Person, scopes: Collection[str]) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    if "profile" in scopes:
        # Reserved names again: rows that came from elsewhere may be older than the list (attacks.md C22).
        claims["locale"] = DEFAULT_LOCALE
        claims |= {
            key: text if key in _TEXTS else _value(text)
            for key, text in person.custom_claims
            if key not in RESERVED_CLAIMS and (text or key not in _TEXTS)
        }
        claims |= {
            "updated_at": int(person.updated_at.timestamp()),
            "name": person.name,
            "preferred_username": person.username,
            "picture": f"{settings.APP_URL}/api/users/{person.id}/profile-picture.png",
        }
        # What is unknown is left out: a claim is never empty (OIDC Core section 5.3.2).
        known = {
            "given_name": person.first_name,
            "family_name": person.last_name,
            "display_name": person.display_name,
            "locale": person.locale,
        }
        claims |= {name: value for name, value in known.items() if value}
    if "email" in scopes and person.email:
        claims |= {"email": person.email, "email_verified": person.email_verified}
    if "groups" in scopes:
        claims["groups"] = sorted(person.groups)
    return claims


def _value(text: str) -> Any:  # noqa: ANN401 - whatever JSON the administrator wrote
    """JSON as JSON, anything else as text; what Python alone takes for a number is text too (RFC 8259 section 6)."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return value
