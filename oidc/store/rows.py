"""What the statements of the hot path read and write, as types."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.rows import as_aware, stored_uuid
from oidc.appearance import Appearance
from oidc.claims import Person


@dataclass(frozen=True)
class ClientRow(Appearance):
    """A client as the protocol needs it."""

    id: int
    client_id: str
    name: str
    is_public: bool
    redirect_uris: str
    algorithm: str
    signing_kid: str
    pkce_required: bool
    refresh_tokens: str
    claims_in_id_token: bool
    access_token_minutes: int
    refresh_token_minutes: int
    id_token_minutes: int
    refresh_token_absolute_minutes: int  # 0: as long as it is used
    logo_hash: str = ""


@dataclass(frozen=True)
class GrantRow:
    """What was allowed to which client, by whom and how they had signed in."""

    id: int
    client: int
    expires: datetime
    redirect_uri: str
    redirect_uri_given: bool
    scope: str
    code_challenge: str
    nonce: str
    sid: UUID | None
    auth_time: datetime
    amr: str
    used: bool
    revoked: bool
    claims: str = ""  # those asked for by name, as oidc.claims_request keeps them
    resource: str = ""  # the API it is for (RFC 8707)
    created: datetime | None = None  # None: it has no row yet


@dataclass(frozen=True)
class Presented:
    """What one read tells about a token request: the client that speaks, and what it holds."""

    client: ClientRow
    secrets: list["SecretRow"]
    grant: GrantRow | None = None
    person: Person | None = None
    denied: bool = False  # the client is restricted to groups the person is not in
    refresh: "RefreshRow | None" = None
    device: "DeviceRow | None" = None


@dataclass(frozen=True)
class SecretRow:
    hash: str
    last_used_on: str  # the day, such as 2027-01-31, in UTC; empty when it never was


@dataclass(frozen=True)
class RefreshRow:
    id: int
    expires: datetime
    rotated_at: datetime | None
    successor_rotated: bool


@dataclass(frozen=True)
class DeviceRow:
    id: int
    status: str
    interval: int
    last_polled_at: datetime | None


@dataclass(frozen=True)
class LiveToken:
    """A live access token, with its person unless an app holds it for itself."""

    scope: str
    expires: datetime
    audience: list[str]
    client_id: str
    claims: str
    person: Person | None


@dataclass(frozen=True)
class StoredToken:
    """An access or refresh token as introspection and revocation need it."""

    is_refresh: bool
    id: int
    client: int
    grant: int | None
    scope: str
    expires: datetime
    created: datetime
    audience: list[str]
    alive: bool  # neither revoked nor replaced, and its person not disabled; it may have expired
    user_id: UUID | None


@dataclass(frozen=True)
class NewTokens:
    """What a grant gave, as hashes, ready to be written."""

    access_hash: str
    access_expires: datetime
    scope: str
    audience: list[str]
    refresh_hash: str | None = None
    refresh_expires: datetime | None = None


@dataclass(frozen=True)
class AuthorizingClient:
    """A client at the authorization endpoint, and what the signed-in person has to do with it."""

    row: ClientRow
    skip_consent: bool
    reauthentication_required: bool
    par_required: bool
    pkce_supported: bool
    denied: bool
    consent_id: int | None
    consented_scope: str | None
    consent_used_at: datetime | None

    @property
    def is_new(self) -> bool:
        """Whether the person has never been brought to this app."""
        return self.consent_used_at is None


# From columns to types, and back


# How many columns each part of the statements has.
CLIENT, GRANT, PERSON = 14, 16, 13


def as_presented(row: Sequence[Any]) -> tuple[Presented, Sequence[Any]]:
    """A row of _CLIENT, _SECRETS, _GRANT, _PERSON and _DENIED, and what comes after them."""
    grant, person = CLIENT + 1, CLIENT + 1 + GRANT
    denied = person + PERSON
    presented = Presented(
        as_client(row),
        as_secrets(row[CLIENT]),
        as_grant(row[grant:person]),
        as_person(row[person:denied]),
        bool(row[denied]),
    )
    return presented, row[denied + 1 :]


def as_secrets(value: str | list[Any] | None) -> list[SecretRow]:
    return [SecretRow(encoded, (used or "")[:10]) for encoded, used in as_list(value)]


def as_client(row: Sequence[Any], logo_hash: str = "") -> ClientRow:
    return ClientRow(
        row[0],
        row[1],
        row[2],
        row[3] == "public",
        row[4],
        row[5],
        row[6] or "",
        bool(row[7]),
        row[8],
        bool(row[9]),
        row[10],
        row[11],
        row[12],
        row[13],
        logo_hash,
    )


def as_grant(row: Sequence[Any]) -> GrantRow | None:
    if row[0] is None:
        return None
    return GrantRow(
        row[0],
        row[1],
        as_aware(row[2]),
        row[3],
        bool(row[4]),
        row[5],
        row[6],
        row[7],
        stored_uuid(row[8]) if row[8] else None,
        as_aware(row[9]),
        row[10],
        bool(row[11]),
        bool(row[12]),
        row[13],
        next(iter(as_list(row[14])), ""),
        as_aware(row[15]),
    )


def as_person(row: Sequence[Any]) -> Person | None:
    if row[0] is None:
        return None
    claims = [(key, value) for key, value in (*as_list(row[11]), *as_list(row[12]))]
    return Person(
        stored_uuid(row[0]),
        row[1],
        row[2],
        bool(row[3]),
        row[4],
        row[5],
        row[6],
        bool(row[7]),
        row[8] or "",
        as_aware(row[9]),
        as_list(row[10]),
        claims,
    )


def as_stored_token(
    row: Sequence[Any], is_refresh: bool, user_id: UUID | str | None, disabled: bool | None
) -> StoredToken | None:
    if row[0] is None:
        return None
    return StoredToken(
        is_refresh=is_refresh,
        id=row[0],
        client=row[1],
        grant=row[2],
        scope=row[3],
        expires=as_aware(row[4]),
        created=as_aware(row[5]),
        audience=as_list(row[6]),
        alive=bool(row[7]) and not disabled,
        user_id=stored_uuid(user_id) if user_id is not None else None,
    )


def as_list(value: str | list[Any] | None) -> list[Any]:
    return json.loads(value) if isinstance(value, str) else value or []
