"""The few SQL statements of the hot path: look up, issue, redeem; the same on SQLite and PostgreSQL.

An ORM statement costs 75 to 150 microseconds of building and a cursor 10 to 25, which is why these are by hand and
nothing else is. Each request reads once, with everything it needs joined, and writes in one short transaction
in which nothing is signed or hashed.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core.rows import as_aware, stored_uuid, to_time, to_uuid
from core.secrets import hash_token
from oidc import former_tokens
from oidc.claims import Person
from oidc.store.rows import (
    CLIENT,
    PERSON,
    AuthorizingClient,
    ClientRow,
    DeviceRow,
    GrantRow,
    LiveToken,
    NewTokens,
    Presented,
    RefreshRow,
    SecretRow,
    StoredToken,
    as_client,
    as_list,
    as_person,
    as_presented,
    as_secrets,
    as_stored_token,
)
from oidc.store.statements import fetch, run

__all__ = (
    "AuthorizingClient",
    "ClientRow",
    "DeviceRow",
    "GrantRow",
    "LiveToken",
    "NewTokens",
    "Presented",
    "RefreshRow",
    "SecretRow",
    "StoredToken",
)


class LostRace(Exception):
    """Another request used the code or the refresh token between our look and our write."""


# Reading


def find_client(client_id: str) -> Presented | None:
    """A client that presents nothing but itself."""
    row = fetch("client", to_time(timezone.now()), client_id)
    return Presented(as_client(row), as_secrets(row[CLIENT])) if row else None


def find_code(client_id: str, code: str) -> Presented | None:
    """The client, and the grant of ``code`` whoever it was given to, with its person."""
    row = fetch("code", to_time(timezone.now()), hash_token(code), client_id)
    return as_presented(row)[0] if row is not None else None


def find_refresh_token(client_id: str, token: str, *, successor: str) -> Presented | None:
    """The client, and the refresh token whoever it was given to; ``successor`` is what it was or would be rotated to."""
    row = fetch("refresh", to_time(timezone.now()), hash_token(successor), hash_token(token), client_id)
    if row is None:
        return None
    found, (key, expires, rotated_at, successor_rotated) = as_presented(row)
    if key is None:
        return found
    rotated = as_aware(rotated_at) if rotated_at is not None else None
    return replace(found, refresh=RefreshRow(key, as_aware(expires), rotated, bool(successor_rotated)))


def find_device(client_id: str, device_code: str) -> Presented | None:
    """The client, and the device whoever's it is; its grant has no row yet."""
    row = fetch("device", to_time(timezone.now()), hash_token(device_code), client_id)
    if row is None:
        return None
    client, secrets, row = as_client(row), as_secrets(row[CLIENT]), row[CLIENT + 1 :]
    if row[0] is None:
        return Presented(client, secrets)
    device = DeviceRow(row[0], row[1], row[2], as_aware(row[3]) if row[3] is not None else None)
    grant = GrantRow(
        id=0,
        client=row[4],
        expires=as_aware(row[5]),
        redirect_uri="",
        redirect_uri_given=False,
        scope=row[6],
        code_challenge="",
        nonce=row[7],
        sid=stored_uuid(row[8]) if row[8] else None,
        auth_time=as_aware(row[9]) if row[9] is not None else timezone.now(),
        amr=row[10],
        used=False,
        revoked=False,
        resource=next(iter(as_list(row[11])), ""),
    )
    person, denied = as_person(row[12 : 12 + PERSON]), bool(row[12 + PERSON])
    return Presented(client, secrets, grant, person, denied, device=device)


def find_for_authorization(client_id: str, user_id: UUID | None) -> AuthorizingClient | None:
    """The client, what the person consented to before, and whether its groups keep them out."""
    user = to_uuid(user_id) if user_id is not None else None
    row = fetch("authorizing", user, user, client_id)
    if row is None:
        return None
    skip_consent, reauthenticate, par_required, pkce_supported, logo_hash, denied, *consent = row[CLIENT:]
    return AuthorizingClient(
        row=as_client(row, logo_hash),
        skip_consent=bool(skip_consent),
        reauthentication_required=bool(reauthenticate),
        par_required=bool(par_required),
        pkce_supported=bool(pkce_supported),
        denied=bool(denied) and user is not None,
        consent_id=consent[0],
        consented_scope=consent[1],
        consent_used_at=as_aware(consent[2]) if consent[2] is not None else None,
    )


def find_token(client_id: str, token: str) -> tuple[Presented, StoredToken | None] | None:
    """The client that asks about a token, and the token, whoever's and whether alive or not."""
    checksum = hash_token(former_tokens.stored_as(token))
    row = fetch("token", to_time(timezone.now()), hash_token(token), checksum, client_id)
    if row is None:
        return None
    tokens = row[CLIENT + 1 :]
    access, refresh, (user_id, disabled) = tokens[:8], tokens[8:16], tokens[16:18]
    stored = as_stored_token(access, False, user_id, disabled) or as_stored_token(refresh, True, user_id, disabled)
    return Presented(as_client(row), as_secrets(row[CLIENT])), stored


def live_access_token(token: str) -> LiveToken | None:
    """The access token if it has not expired, been revoked or been replaced; its person may be disabled."""
    row = fetch("access", hash_token(token), to_time(timezone.now()))
    if row is None:
        return None
    scope, expires, audience, client_id, claims, *person = row
    return LiveToken(scope, as_aware(expires), as_list(audience), client_id, claims or "", as_person(person))


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
    resource: str,
    sid: UUID,
    auth_time: datetime,
    amr: str,
) -> None:
    run(
        "insert grant",
        hash_token(code),
        to_uuid(user_id),
        client.id,
        to_time(expires),
        redirect_uri,
        redirect_uri_given,
        scope,
        code_challenge,
        "S256" if code_challenge else "",
        nonce,
        claims,
        _as_json(resource),
        to_uuid(sid),
        to_time(auth_time),
        amr,
        to_time(timezone.now()),
    )


def notice_pkce(client: ClientRow) -> None:
    """Remember that a client which need not use PKCE does."""
    run("notice pkce", client.id)


def touch_secret(client: ClientRow, secret: SecretRow) -> None:
    """Note that the secret was used; not more than once a day, or every token would cost a write more."""
    now = timezone.now()
    if secret.last_used_on < now.date().isoformat():
        run("touch secret", to_time(now), client.id, secret.hash)


def touch_consent(consent_id: int) -> None:
    run("touch consent", to_time(timezone.now()), consent_id)


def redeem_code(grant: GrantRow, new: NewTokens) -> None:
    """Use up the code and keep what it gave, or nothing at all; raise ``LostRace``."""
    now = to_time(timezone.now())
    with transaction.atomic():
        # The update decides: of simultaneous requests only one changes the row.
        if run("use code", now, grant.id) != 1:
            raise LostRace
        _insert_tokens(grant, new, now)


def redeem_device(device: DeviceRow, grant: GrantRow, person: Person, new: NewTokens) -> None:
    """Use up the device code and keep what it gave, or nothing at all; raise ``LostRace``."""
    now = to_time(timezone.now())
    with transaction.atomic():
        if run("use device", device.id) != 1:
            raise LostRace
        family = fetch(
            "insert used grant",
            hash_token(new.access_hash),
            to_uuid(person.id),
            grant.client,
            now,
            "",
            False,
            grant.scope,
            "",
            "",
            grant.nonce,
            "",
            _as_json(grant.resource),
            to_uuid(grant.sid) if grant.sid else None,
            to_time(grant.auth_time),
            grant.amr,
            now,
            now,
        )
        _insert_tokens(replace(grant, id=family[0]), new, now)  # type: ignore[index] # RETURNING gives a row or an error


def device_polls_too_fast(device: DeviceRow) -> bool:
    """Note that the device has asked; whether it came too soon, which makes it wait longer from now on (RFC 8628 section 3.5)."""
    now = timezone.now()
    early = device.last_polled_at is not None and now - device.last_polled_at < timedelta(seconds=device.interval - 1)
    run("poll device", to_time(now), device.interval + 5 * early, device.id)
    return early


def rotate(refresh: RefreshRow, grant: GrantRow, new: NewTokens) -> None:
    """Put the new refresh token in the place of the old one, which also ends the access token given beside it."""
    now = to_time(timezone.now())
    with transaction.atomic():
        if run("rotate", now, refresh.id) != 1:
            raise LostRace
        _insert_tokens(grant, new, now)


def issue_again(grant: GrantRow, new: NewTokens) -> None:
    """Another access token beside the successor that was lost on its way; raise ``LostRace`` if that is used or revoked."""
    now = to_time(timezone.now())
    if (
        run(
            "insert access beside",
            new.access_hash,
            grant.client,
            to_time(new.access_expires),
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
    now = to_time(timezone.now())
    audience = json.dumps(new.audience)
    run("insert access", new.access_hash, client.id, None, None, to_time(new.access_expires), new.scope, audience, now)


def revoke(grant: int) -> bool:
    """End the whole family of tokens; whether it was alive until now."""
    return run("revoke", to_time(timezone.now()), grant) == 1


def delete_access_token(token: StoredToken) -> None:
    """End one access token; the refresh token beside it lives on."""
    run("delete access", token.id)


def _as_json(resource: str) -> str:
    return json.dumps([resource] if resource else [])


def _insert_tokens(grant: GrantRow, new: NewTokens, now: Any) -> None:  # noqa: ANN401 - a moment as the database takes it
    refresh_id = None
    if new.refresh_hash is not None and new.refresh_expires is not None:
        refresh_id = fetch("insert refresh", new.refresh_hash, grant.id, to_time(new.refresh_expires), now)[0]  # type: ignore[index] # RETURNING gives a row or an error
    run(
        "insert access",
        new.access_hash,
        grant.client,
        grant.id,
        refresh_id,
        to_time(new.access_expires),
        new.scope,
        json.dumps(new.audience),
        now,
    )
