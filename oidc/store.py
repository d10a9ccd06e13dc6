"""The few SQL statements of the hot path: look up, issue, redeem; the same on SQLite and PostgreSQL.

An ORM statement costs 75 to 150 microseconds of building and a cursor 10 to 25, which is why these are by hand and
nothing else is. Each request reads once, with everything it needs joined, and writes in one short transaction
in which nothing is signed or hashed.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from core.secrets import hash_token
from oidc.appearance import Appearance
from oidc.claims import Person


class LostRace(Exception):
    """Another request used the code or the refresh token between our look and our write."""


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


@dataclass(frozen=True)
class Presented:
    """What one read tells about a token request: the client that speaks, and what it holds."""

    client: ClientRow
    secret_hashes: list[str]
    grant: GrantRow | None = None
    person: Person | None = None
    denied: bool = False  # the client is restricted to groups the person is not in
    refresh: "RefreshRow | None" = None
    device: "DeviceRow | None" = None


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
    denied: bool
    consent_id: int | None
    consented_scope: str | None


# SQL that every statement shares. {array} makes a JSON array of the rows, {pair} one of two texts.

_CLIENT = """c.id, c.client_id, c.name, c.client_type, c.redirect_uris, c.algorithm,
 (SELECT kid FROM oidc_signingkey k WHERE k.algorithm = c.algorithm AND k.state = 'current'),
 c.pkce_required, c.refresh_tokens, c.claims_in_id_token, c.access_token_minutes, c.refresh_token_minutes"""
_SECRETS = "(SELECT {array}(s.secret_hash) FROM oidc_clientsecret s WHERE s.client_id = c.id AND (s.expires_at IS NULL OR s.expires_at > %s))"
_GRANT = "g.id, g.application_id, g.expires, g.redirect_uri, g.redirect_uri_given, g.scope, g.code_challenge, g.nonce, g.sid, g.auth_time, g.amr, g.used_at IS NOT NULL, g.revoked_at IS NOT NULL, g.claims"
_PERSON = """u.id, u.username, u.email, u.email_verified, u.first_name, u.last_name, u.display_name, u.disabled,
 (SELECT {array}(gr.name) FROM accounts_user_groups m JOIN accounts_group gr ON gr.id = m.group_id WHERE m.user_id = u.id),
 (SELECT {array}({pair}(cc.key, cc.value)) FROM accounts_user_groups m JOIN accounts_customclaim cc ON cc.group_id = m.group_id WHERE m.user_id = u.id),
 (SELECT {array}({pair}(cc.key, cc.value)) FROM accounts_customclaim cc WHERE cc.user_id = u.id)"""
_DENIED = """(c.is_group_restricted AND NOT EXISTS (SELECT 1 FROM oidc_client_allowed_groups a JOIN accounts_user_groups m ON m.group_id = a.group_id
 WHERE a.client_id = c.id AND m.user_id = {user}))"""

_STATEMENTS = {
    "client": f"SELECT {_CLIENT}, {_SECRETS} FROM oidc_client c WHERE c.client_id = %s",
    "code": f"""SELECT {_CLIENT}, {_SECRETS}, {_GRANT}, {_PERSON}, {_DENIED.replace("{user}", "u.id")} FROM oidc_client c
 LEFT JOIN oidc_grant g ON g.code = %s LEFT JOIN accounts_user u ON u.id = g.user_id WHERE c.client_id = %s""",
    "refresh": f"""SELECT {_CLIENT}, {_SECRETS}, {_GRANT}, {_PERSON}, {_DENIED.replace("{user}", "u.id")}, r.id, r.expires, r.rotated_at,
 (SELECT n.rotated_at IS NOT NULL FROM oidc_refreshtoken n WHERE n.token_checksum = %s) FROM oidc_client c
 LEFT JOIN oidc_refreshtoken r ON r.token_checksum = %s LEFT JOIN oidc_grant g ON g.id = r.grant_id LEFT JOIN accounts_user u ON u.id = g.user_id WHERE c.client_id = %s""",
    "device": f"""SELECT {_CLIENT}, {_SECRETS}, d.id, d.status, d.interval, d.last_polled_at, d.application_id, d.expires, d.scope, d.nonce,
 d.sid, d.auth_time, d.amr, {_PERSON}, {_DENIED.replace("{user}", "u.id")} FROM oidc_client c
 LEFT JOIN oidc_devicegrant d ON d.device_code = %s LEFT JOIN accounts_user u ON u.id = d.user_id WHERE c.client_id = %s""",
    "authorizing": f"""SELECT {_CLIENT}, c.skip_authorization, c.reauthentication_required, {_DENIED.replace("{user}", "%s")}, o.id, o.scope FROM oidc_client c
 LEFT JOIN oidc_consent o ON o.client_id = c.id AND o.user_id = %s WHERE c.client_id = %s""",
    "access": f"""SELECT t.scope, t.expires, t.resource, c.client_id, g.claims, {_PERSON} FROM oidc_accesstoken t JOIN oidc_client c ON c.id = t.application_id
 LEFT JOIN oidc_grant g ON g.id = t.grant_id LEFT JOIN oidc_refreshtoken r ON r.id = t.refresh_token_id LEFT JOIN accounts_user u ON u.id = g.user_id
 WHERE t.token_checksum = %s AND t.expires > %s AND g.revoked_at IS NULL AND r.rotated_at IS NULL""",
    "token": f"""SELECT {_CLIENT}, {_SECRETS}, t.id, t.application_id, t.grant_id, t.scope, t.expires, t.created, t.resource,
 tg.revoked_at IS NULL AND tr.rotated_at IS NULL, r.id, g.application_id, r.grant_id, g.scope, r.expires, r.created, '[]',
 g.revoked_at IS NULL AND r.rotated_at IS NULL, u.id, u.disabled FROM oidc_client c
 LEFT JOIN oidc_accesstoken t ON t.token_checksum = %s LEFT JOIN oidc_grant tg ON tg.id = t.grant_id
 LEFT JOIN oidc_refreshtoken tr ON tr.id = t.refresh_token_id LEFT JOIN oidc_refreshtoken r ON r.token_checksum = %s
 LEFT JOIN oidc_grant g ON g.id = r.grant_id LEFT JOIN accounts_user u ON u.id = COALESCE(tg.user_id, g.user_id)
 WHERE c.client_id = %s""",
    "delete access": "DELETE FROM oidc_accesstoken WHERE id = %s",
    "poll device": "UPDATE oidc_devicegrant SET last_polled_at = %s, interval = %s WHERE id = %s",
    "use device": "DELETE FROM oidc_devicegrant WHERE id = %s AND status = 'authorized'",
    "use code": "UPDATE oidc_grant SET used_at = %s WHERE id = %s AND used_at IS NULL AND revoked_at IS NULL",
    "rotate": """UPDATE oidc_refreshtoken SET rotated_at = %s WHERE id = %s AND rotated_at IS NULL
 AND EXISTS (SELECT 1 FROM oidc_grant g WHERE g.id = oidc_refreshtoken.grant_id AND g.revoked_at IS NULL)""",
    "insert refresh": "INSERT INTO oidc_refreshtoken (token_checksum, grant_id, expires, rotated_at, created) VALUES (%s, %s, %s, NULL, %s) RETURNING id",
    "insert access": "INSERT INTO oidc_accesstoken (token_checksum, application_id, grant_id, refresh_token_id, expires, scope, resource, created) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
    "insert access beside": """INSERT INTO oidc_accesstoken (token_checksum, application_id, grant_id, refresh_token_id, expires, scope, resource, created)
 SELECT %s, %s, r.grant_id, r.id, %s, %s, %s, %s FROM oidc_refreshtoken r JOIN oidc_grant g ON g.id = r.grant_id WHERE r.token_checksum = %s AND r.rotated_at IS NULL AND g.revoked_at IS NULL""",
    "insert grant": """INSERT INTO oidc_grant (code, user_id, application_id, expires, redirect_uri, redirect_uri_given, scope, code_challenge, code_challenge_method, nonce, claims, resource,
 sid, auth_time, amr, created) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
    "insert used grant": """INSERT INTO oidc_grant (code, user_id, application_id, expires, redirect_uri, redirect_uri_given, scope, code_challenge,
 code_challenge_method, nonce, claims, resource, sid, auth_time, amr, created, used_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id""",
    "touch consent": "UPDATE oidc_consent SET last_used_at = %s WHERE id = %s",
    "revoke": "UPDATE oidc_grant SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL",
}
_DIALECTS = {
    "sqlite": {"array": "json_group_array", "pair": "json_array"},
    "postgresql": {"array": "json_agg", "pair": "json_build_array"},
}


@cache
def _sql(name: str, vendor: str) -> str:
    text = _STATEMENTS[name]
    for word, function in _DIALECTS[vendor].items():
        text = text.replace("{" + word + "}", function)
    return text


# Reading


def find_client(client_id: str) -> Presented | None:
    """A client that presents nothing but itself."""
    row = _row("client", _time(timezone.now()), client_id)
    return Presented(_client(row), _json(row[12])) if row else None


def find_code(client_id: str, code: str) -> Presented | None:
    """The client, and the grant of ``code`` whoever it was given to, with its person."""
    row = _row("code", _time(timezone.now()), hash_token(code), client_id)
    return _presented(row)[0] if row is not None else None


def find_refresh_token(client_id: str, token: str, *, successor: str) -> Presented | None:
    """The client, and the refresh token whoever it was given to; ``successor`` is what it was or would be rotated to."""
    row = _row("refresh", _time(timezone.now()), hash_token(successor), hash_token(token), client_id)
    if row is None:
        return None
    found, (key, expires, rotated_at, successor_rotated) = _presented(row)
    if key is None:
        return found
    rotated = _aware(rotated_at) if rotated_at is not None else None
    return replace(found, refresh=RefreshRow(key, _aware(expires), rotated, bool(successor_rotated)))


def find_device(client_id: str, device_code: str) -> Presented | None:
    """The client, and the device whoever's it is; its grant has no row yet."""
    row = _row("device", _time(timezone.now()), hash_token(device_code), client_id)
    if row is None:
        return None
    client, hashes = _client(row), _json(row[12])
    if row[13] is None:
        return Presented(client, hashes)
    device = DeviceRow(row[13], row[14], row[15], _aware(row[16]) if row[16] is not None else None)
    grant = GrantRow(
        id=0,
        client=row[17],
        expires=_aware(row[18]),
        redirect_uri="",
        redirect_uri_given=False,
        scope=row[19],
        code_challenge="",
        nonce=row[20],
        sid=_as_uuid(row[21]) if row[21] else None,
        auth_time=_aware(row[22]) if row[22] is not None else timezone.now(),
        amr=row[23],
        used=False,
        revoked=False,
    )
    return Presented(client, hashes, grant, _person(row[24:35]), bool(row[35]), device=device)


def find_for_authorization(client_id: str, user_id: UUID | None) -> AuthorizingClient | None:
    """The client, what the person consented to before, and whether its groups keep them out."""
    user = _uuid(user_id) if user_id is not None else None
    row = _row("authorizing", user, user, client_id)
    return (
        AuthorizingClient(
            _client(row), bool(row[12]), bool(row[13]), bool(row[14]) and user is not None, row[15], row[16]
        )
        if row
        else None
    )


def find_token(client_id: str, token: str) -> tuple[Presented, StoredToken | None] | None:
    """The client that asks about a token, and the token, whoever's and whether alive or not."""
    digest = hash_token(token)
    row = _row("token", _time(timezone.now()), digest, digest, client_id)
    if row is None:
        return None
    access, refresh, (user_id, disabled) = row[13:21], row[21:29], row[29:31]
    stored = _stored(access, False, user_id, disabled) or _stored(refresh, True, user_id, disabled)
    return Presented(_client(row), _json(row[12])), stored


def live_access_token(token: str) -> LiveToken | None:
    """The access token if it has not expired, been revoked or been replaced; its person may be disabled."""
    row = _row("access", hash_token(token), _time(timezone.now()))
    if row is None:
        return None
    scope, expires, audience, client_id, claims, *person = row
    return LiveToken(scope, _aware(expires), _json(audience), client_id, claims or "", _person(person))


# Writing


def insert_grant(
    *,
    code: str,
    user_id: UUID,
    client: ClientRow,
    expires: datetime,
    redirect_uri: str,
    redirect_uri_given: bool,
    scope: str,
    code_challenge: str,
    nonce: str,
    claims: str,
    sid: UUID,
    auth_time: datetime,
    amr: str,
) -> None:
    _execute(
        "insert grant",
        hash_token(code),
        _uuid(user_id),
        client.id,
        _time(expires),
        redirect_uri,
        redirect_uri_given,
        scope,
        code_challenge,
        "S256" if code_challenge else "",
        nonce,
        claims,
        "[]",
        _uuid(sid),
        _time(auth_time),
        amr,
        _time(timezone.now()),
    )


def touch_consent(consent_id: int) -> None:
    _execute("touch consent", _time(timezone.now()), consent_id)


def redeem_code(grant: GrantRow, new: NewTokens) -> None:
    """Use up the code and keep what it gave, or nothing at all; raise ``LostRace``."""
    now = _time(timezone.now())
    with transaction.atomic():
        # The update decides: of simultaneous requests only one changes the row.
        if _execute("use code", now, grant.id) != 1:
            raise LostRace
        _insert_tokens(grant, new, now)


def redeem_device(device: DeviceRow, grant: GrantRow, person: Person, new: NewTokens) -> None:
    """Use up the device code and keep what it gave, or nothing at all; raise ``LostRace``."""
    now = _time(timezone.now())
    with transaction.atomic():
        if _execute("use device", device.id) != 1:
            raise LostRace
        family = _row(
            "insert used grant",
            hash_token(new.access_hash),
            _uuid(person.id),
            grant.client,
            now,
            "",
            False,
            grant.scope,
            "",
            "",
            grant.nonce,
            "",
            "[]",
            _uuid(grant.sid) if grant.sid else None,
            _time(grant.auth_time),
            grant.amr,
            now,
            now,
        )
        _insert_tokens(replace(grant, id=family[0]), new, now)  # type: ignore[index] # RETURNING gives a row or an error


def device_polls_too_fast(device: DeviceRow) -> bool:
    """Note that the device has asked; whether it came too soon, which makes it wait longer from now on (RFC 8628 section 3.5)."""
    now = timezone.now()
    early = device.last_polled_at is not None and now - device.last_polled_at < timedelta(seconds=device.interval - 1)
    _execute("poll device", _time(now), device.interval + 5 * early, device.id)
    return early


def rotate(refresh: RefreshRow, grant: GrantRow, new: NewTokens) -> None:
    """Put the new refresh token in the place of the old one, which also ends the access token given beside it."""
    now = _time(timezone.now())
    with transaction.atomic():
        if _execute("rotate", now, refresh.id) != 1:
            raise LostRace
        _insert_tokens(grant, new, now)


def issue_again(grant: GrantRow, new: NewTokens) -> None:
    """Another access token beside the successor that was lost on its way; raise ``LostRace`` if that is used or revoked."""
    now = _time(timezone.now())
    if (
        _execute(
            "insert access beside",
            new.access_hash,
            grant.client,
            _time(new.access_expires),
            new.scope,
            json.dumps(new.audience),
            now,
            new.refresh_hash,
        )
        != 1
    ):
        raise LostRace


def insert_client_token(client: ClientRow, new: NewTokens) -> None:
    """Keep an access token that belongs to a client and to no person."""
    now = _time(timezone.now())
    audience = json.dumps(new.audience)
    _execute(
        "insert access", new.access_hash, client.id, None, None, _time(new.access_expires), new.scope, audience, now
    )


def revoke(grant: int) -> bool:
    """End the whole family of tokens; whether it was alive until now."""
    return _execute("revoke", _time(timezone.now()), grant) == 1


def delete_access_token(token: StoredToken) -> None:
    """End one access token; the refresh token beside it lives on."""
    _execute("delete access", token.id)


def _insert_tokens(grant: GrantRow, new: NewTokens, now: Any) -> None:  # noqa: ANN401 - a moment as the database takes it
    refresh_id = None
    if new.refresh_hash is not None and new.refresh_expires is not None:
        refresh_id = _row("insert refresh", new.refresh_hash, grant.id, _time(new.refresh_expires), now)[0]  # type: ignore[index] # RETURNING gives a row or an error
    _execute(
        "insert access",
        new.access_hash,
        grant.client,
        grant.id,
        refresh_id,
        _time(new.access_expires),
        new.scope,
        json.dumps(new.audience),
        now,
    )


# Rows to types


def _row(name: str, *parameters: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - SQL parameters and columns
    with connection.cursor() as cursor:
        cursor.execute(_sql(name, connection.vendor), parameters)
        found: tuple[Any, ...] | None = cursor.fetchone()
        return found


def _execute(name: str, *parameters: Any) -> int:  # noqa: ANN401 - SQL parameters
    with connection.cursor() as cursor:
        cursor.execute(_sql(name, connection.vendor), parameters)
        changed: int = cursor.rowcount
        return changed


def _presented(row: Sequence[Any]) -> tuple[Presented, Sequence[Any]]:
    """A row of _CLIENT, _SECRETS, _GRANT, _PERSON and _DENIED, and what comes after them."""
    return Presented(_client(row), _json(row[12]), _grant(row[13:27]), _person(row[27:38]), bool(row[38])), row[39:]


def _client(row: Sequence[Any]) -> ClientRow:
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
    )


def _grant(row: Sequence[Any]) -> GrantRow | None:
    if row[0] is None:
        return None
    return GrantRow(
        row[0],
        row[1],
        _aware(row[2]),
        row[3],
        bool(row[4]),
        row[5],
        row[6],
        row[7],
        _as_uuid(row[8]) if row[8] else None,
        _aware(row[9]),
        row[10],
        bool(row[11]),
        bool(row[12]),
        row[13],
    )


def _person(row: Sequence[Any]) -> Person | None:
    if row[0] is None:
        return None
    claims = [(key, value) for key, value in (*_json(row[9]), *_json(row[10]))]
    return Person(
        _as_uuid(row[0]), row[1], row[2], bool(row[3]), row[4], row[5], row[6], bool(row[7]), _json(row[8]), claims
    )


def _stored(
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
        expires=_aware(row[4]),
        created=_aware(row[5]),
        audience=_json(row[6]),
        alive=bool(row[7]) and not disabled,
        user_id=_as_uuid(user_id) if user_id is not None else None,
    )


def _json(value: str | list[Any] | None) -> list[Any]:
    return json.loads(value) if isinstance(value, str) else value or []


def _uuid(value: UUID) -> UUID | str:
    return value if connection.features.has_native_uuid_field else value.hex


def _as_uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _time(value: datetime) -> Any:  # noqa: ANN401 - text on SQLite, a datetime on PostgreSQL
    return connection.ops.adapt_datetimefield_value(value)


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)
