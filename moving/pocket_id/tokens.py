"""Refresh tokens, so that apps stay signed in. How the old texts are recognised: ``oidc.former_tokens``."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, groupby, islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from core.secrets import hash_token
from moving.pocket_id import encryption
from moving.pocket_id.arrival import Arrival
from moving.pocket_id.rows import EPOCH, Row, as_moment, as_uuid
from moving.writing import writing
from oidc import former_tokens
from oidc.models import Grant, RefreshToken

# What else is in oauth2_sessions ends within minutes.
BATCH = 500  # families
SHORT_LIVED = ("authorize_code", "pkce", "openid", "par", "device_code", "user_code")


class _Family:
    """The tokens of one sign-in, as a grant and its refresh tokens."""

    def __init__(self, name: str, client: int, user: UUID, **grant: Any) -> None:  # noqa: ANN401 - columns
        self.code = hash_token(f"pocket-id {name}")  # a code that nobody has, the same at each import
        self.columns = {"application_id": client, "user_id": user, "resource": []} | grant
        self.tokens: list[dict[str, Any]] = []


def bring(arrival: Arrival) -> None:
    families = chain(_since_2_12(arrival), _until_2_11(arrival))
    while batch := list(islice(families, BATCH)):
        _write(arrival, batch)
    if any(row.text("kind") == "refresh_token" for row in arrival.source.rows("oauth2_sessions")):
        former_tokens.remember(encryption.opaque_token_secret(arrival.encryption_key))


def _write(arrival: Arrival, families: list[_Family]) -> None:
    here = set(Grant.objects.filter(code__in=[family.code for family in families]).values_list("code", flat=True))
    new = [family for family in families if family.code not in here]
    arrival.report.already_there["refresh tokens"] += len(families) - len(new)
    with writing(Grant) as writer:
        for family in new:
            created = family.tokens[0]["created"]
            writer.add(
                code=family.code,
                expires=created,
                created=created,
                used_at=created,
                redirect_uri="",
                redirect_uri_given=False,
                code_challenge="",
                code_challenge_method="",
                claims="",
                nonce="",
                sid=None,
                **family.columns,
            )
    keys = dict(Grant.objects.filter(code__in=[family.code for family in new]).values_list("code", "pk"))
    with writing(RefreshToken) as writer:
        for family in new:
            for token in family.tokens:
                writer.add(grant_id=keys[family.code], **token)
    arrival.report.came["refresh tokens"] += len(new)


# Since 2.12: rows of fosite, one for each token, a request id for each family


def _since_2_12(arrival: Arrival) -> Iterator[_Family]:
    now, live = timezone.now(), 0
    for row in arrival.source.rows("oauth2_sessions"):
        if row.text("kind") == "access_token" and row.flag("active") and row.when("expires_at") > now:
            live += 1
        elif row.text("kind") in SHORT_LIVED and row.flag("active") and row.when("expires_at") > now:
            arrival.report.tally("waiting", "short lived")
    if live:
        arrival.report.leave_out("access tokens", "access token", count=live)
    refresh = (
        row
        for row in arrival.rows("oauth2_sessions", "request_id", "created_at")
        if row.text("kind") == "refresh_token"
    )
    for request_id, rows in groupby(refresh, key=lambda row: row.text("request_id")):
        if family := _fosite_family(arrival, request_id, list(rows), now):
            yield family


def _fosite_family(arrival: Arrival, request_id: str, rows: list[Row], now: datetime) -> _Family | None:
    report = arrival.report
    live = [row for row in rows if row.flag("active")]
    if not live:
        report.tally("refresh tokens", "family ended")
        return None
    newest = live[-1]
    if newest.when("expires_at") <= now:
        report.tally("refresh tokens", "expired")
        return None
    client_id, request = newest.text("client_id"), newest.json("request_data") or {}
    session = request.get("session") or {}
    claims = session.get("id_token_claims") or {}
    user = _user(session.get("subject") or claims.get("sub"))
    client = arrival.clients.get(client_id)
    if client is None or user not in arrival.people:
        report.leave_out("refresh tokens", "owner missing", client_id)
        return None
    # One API at most: a client names one, and is its own audience otherwise.
    resource = set(request.get("granted_audience") or []) - {client_id, settings.APP_URL, _issuer(session)}
    if len(resource) > 1 or not resource <= arrival.audiences:
        report.leave_out("refresh tokens", "other resource", client_id)
        return None
    family = _Family(
        request_id,
        client,
        user,
        scope=" ".join(request.get("granted_scope") or []),
        resource=list(resource),
        auth_time=_moment(claims.get("auth_time")) or newest.when(),
        amr=" ".join(claims.get("amr") or [])[:64],
    )
    for row in rows:
        rotated = None if row is newest else (row.moment("rotated_at") or row.when())
        checksum = hash_token(former_tokens.opaque(row.text("key")))
        family.tokens.append(_token(checksum, row, rotated))
    return family


def _issuer(session: dict[str, Any]) -> str:
    return str((session.get("jwt_claims") or {}).get("Issuer") or "")


# Until 2.11: a table, the tokens are JWTs around the text whose hash is kept


def _until_2_11(arrival: Arrival) -> Iterator[_Family]:
    now = timezone.now()
    for row in arrival.rows("oidc_refresh_tokens", "created_at"):
        client_id, user = row.text("client_id"), row.uuid("user_id")
        client = arrival.clients.get(client_id)
        if client is None or user not in arrival.people:
            arrival.report.leave_out("refresh tokens", "owner missing", client_id)
        elif row.when("expires_at") <= now:
            arrival.report.tally("refresh tokens", "expired")
        else:
            family = _Family(
                row.text("id"),
                client,
                user,
                scope=" ".join(row.scopes("scope")),
                # When the person signed in is not kept there; they had when the token was made.
                auth_time=row.when(),
                amr=row.text("authentication_method")[:64],
            )
            family.tokens.append(_token(row.text("token"), row, None))
            yield family


def _token(checksum: str, row: Row, rotated: datetime | None) -> dict[str, Any]:
    return {
        "token_checksum": checksum,
        "created": row.when(),
        "expires": row.when("expires_at"),
        "rotated_at": rotated,
    }


def _user(value: object) -> UUID | None:
    try:
        return as_uuid(value)
    except (ValueError, TypeError, AttributeError):
        return None


def _moment(value: object) -> datetime | None:
    """Go writes the year 1 for no time at all."""
    try:
        found = as_moment(value) if value else EPOCH
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found > EPOCH else None


def last_issuer(rows: Iterable[Row]) -> str:
    """The address as which the old server signed last, from rows in the order of their time; empty if they do not say.

    It keeps its own address nowhere else, and until 2.11 nowhere at all.
    """
    last = ""
    for row in rows:
        if row.text("kind") in ("access_token", "refresh_token"):
            last = _issuer((row.json("request_data") or {}).get("session") or {}) or last
    return last.rstrip("/").lower()
