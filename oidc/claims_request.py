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
    """The names of known claims; whether they are essential changes nothing, as nothing is held back that is known."""

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()

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
        return cls(_names(given, "id_token"), _names(given, "userinfo"))

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


def _names(given: Mapping[str, Any], place: str) -> tuple[str, ...]:
    wanted = given.get(place)
    return tuple(name for name in wanted if name in _KNOWN) if isinstance(wanted, dict) else ()
