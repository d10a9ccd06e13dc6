"""The ``claims`` parameter (OIDC Core section 5.5): single claims, wanted in the ID token or at userinfo."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from oidc.claims import CLAIMS_OF_SCOPE
from oidc.errors import InvalidRequestError

# About the sign-in, not about the person: they need nobody's consent.
_ABOUT_THE_SIGN_IN = frozenset(("acr", "auth_time", "amr"))
_KNOWN = frozenset(name for names in CLAIMS_OF_SCOPE.values() for name in names) | _ABOUT_THE_SIGN_IN


@dataclass(frozen=True)
class ClaimsRequest:
    """The names of known claims; whether they are essential changes nothing, as nothing is held back that is known.

    Two may not be answered otherwise than demanded (section 5.5.1.1): ``subject`` is whom the app wants, and ``acr`` are
    the classes of sign-in of which it needs one; empty when it takes any.
    """

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    subject: str = ""
    acr: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the parameter; raise ``InvalidRequestError`` for what is no JSON object. Unknown claims mean nothing."""
        if not text:
            return cls()
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            raise InvalidRequestError(description="claims must be a JSON object.") from None
        if not isinstance(given, dict):
            raise InvalidRequestError(description="claims must be a JSON object.")
        return cls(_names(given, "id_token"), _names(given, "userinfo"), _subject(given), _acr(given))

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What ``dataclasses.asdict`` made, after a way through JSON."""
        return cls(
            tuple(stored["id_token"]),
            tuple(stored["userinfo"]),
            stored.get("subject", ""),
            tuple(stored.get("acr", ())),
        )

    @classmethod
    def stored(cls, text: str) -> Self:
        """What ``as_text`` wrote."""
        if not text:
            return cls()
        given = json.loads(text)
        return cls(tuple(given["id_token"]), tuple(given["userinfo"]))

    def as_text(self) -> str:
        """As a column keeps it; empty when nothing is asked for."""
        return (
            json.dumps({"id_token": self.id_token, "userinfo": self.userinfo}) if self.id_token or self.userinfo else ""
        )

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes whose consent covers what is asked for."""
        asked = {*self.id_token, *self.userinfo}
        return tuple(scope for scope, names in CLAIMS_OF_SCOPE.items() if asked.intersection(names))


def _member(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    wanted = given.get("id_token")
    found = wanted.get(name) if isinstance(wanted, dict) else None
    return found if isinstance(found, dict) else {}


def _subject(given: Mapping[str, Any]) -> str:
    value = _member(given, "sub").get("value", "")
    if not isinstance(value, str) or not value.isprintable():
        raise InvalidRequestError(description="The claim sub can only be asked for with one text as its value.")
    return value


def _acr(given: Mapping[str, Any]) -> tuple[str, ...]:
    asked = _member(given, "acr")
    values = asked.get("values", [asked["value"]] if "value" in asked else [])
    if asked.get("essential") is not True or not isinstance(values, list):
        return ()  # a wish, which may stay one
    texts = tuple(value for value in values if isinstance(value, str))
    if not all(text.isprintable() for text in texts):  # JSON can write what no database takes as text
        raise InvalidRequestError(description="The claim acr can only be asked for with printable texts.")
    return texts


def _names(given: Mapping[str, Any], place: str) -> tuple[str, ...]:
    wanted = given.get(place)
    return tuple(name for name in wanted if name in _KNOWN) if isinstance(wanted, dict) else ()
