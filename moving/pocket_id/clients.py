"""Clients with their secrets, groups, pictures' places and consents, and their SCIM providers."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.core.exceptions import ValidationError

from moving.pocket_id import encryption
from moving.pocket_id.arrival import Arrival
from moving.pocket_id.rows import EPOCH, Row, as_moment, as_uuid
from moving.writing import Writer, writing
from oidc import client_secrets, redirect_uris, registered_keys, web_addresses
from oidc.clients import DEFAULT_ACCESS_MINUTES, DEFAULT_REFRESH_MINUTES
from oidc.models import Client, ClientSecret, Consent, ScimProvider

MAX_MINUTES = 525_600  # a year, as the REST API allows it
METADATA = "cimd"  # Client ID Metadata Documents


def bring(arrival: Arrival) -> None:
    rows = [row for row in arrival.rows("oidc_clients", "created_at") if _is_usable(arrival, row)]
    _clients(arrival, rows)
    _secrets(arrival, rows)
    _allowed_groups(arrival)
    _consents(arrival)
    _scim_providers(arrival)


def _is_usable(arrival: Arrival, row: Row) -> bool:
    client_id, name = row.text("id"), row.text("name")
    if row.text("client_type") == METADATA:
        arrival.report.leave_out("clients", "metadata client", f"{name} ({client_id})")
        return False
    try:
        Client._meta.get_field("client_id").run_validators(client_id)
    except ValidationError:
        arrival.report.leave_out("clients", "unusable id", f"{name} ({client_id})")
        return False
    return True


def _clients(arrival: Arrival, rows: Iterable[Row]) -> None:
    here = dict(Client.objects.values_list("client_id", "pk"))
    with writing(Client) as writer:
        for row in rows:
            client_id = row.text("id")
            if client_id in here:
                arrival.report.already_there["clients"] += 1
                continue
            arrival.new_clients.add(client_id)
            writer.add(**_columns(arrival, row))
    arrival.report.came["clients"] += writer.count
    known = {row.text("id") for row in rows}
    arrival.clients = {
        client_id: pk for client_id, pk in Client.objects.values_list("client_id", "pk") if client_id in known
    }


def _columns(arrival: Arrival, row: Row) -> dict[str, Any]:
    name, is_public = row.text("name"), row.flag("is_public")

    def fitted(column: str, text: str) -> str:
        return arrival.fitted(Client, column, text, what="clients", name=name)

    created = row.when()
    return {
        "client_id": row.text("id"),
        "name": fitted("name", name),
        "description": fitted("description", row.text("description")),
        "client_type": Client.CLIENT_PUBLIC if is_public else Client.CLIENT_CONFIDENTIAL,
        "redirect_uris": _callbacks(arrival, row),
        "post_logout_redirect_uris": "\n".join(_patterns(arrival, row, "logout_callback_urls")),
        "launch_url": _address(arrival, row, "launch_url", web_addresses.check),
        "backchannel_logout_url": _address(
            arrival,
            row,
            "backchannel_logout_url",
            lambda address: web_addresses.check_listener(address, https_only=is_public),
        ),
        # Pocket ID tells no app that the time of a session is over.
        "backchannel_logout_on_session_expiry": False,
        "skip_authorization": row.flag("skip_consent"),
        "pkce_required": row.flag("pkce_enabled") or is_public,
        "pkce_supported": row.flag("pkce_supported"),
        "par_required": row.flag("requires_pushed_authorization_requests"),
        "reauthentication_required": row.flag("requires_reauthentication"),
        "is_group_restricted": row.flag("is_group_restricted"),
        "algorithm": arrival.algorithm,
        # Pocket ID gives a refresh token whether or not offline_access was asked for, and its apps rely on it.
        "refresh_tokens": Client.RefreshTokens.ALWAYS,
        "access_token_minutes": _minutes(arrival, row, "access_token_duration_minutes") or DEFAULT_ACCESS_MINUTES,
        "refresh_token_minutes": _minutes(arrival, row, "refresh_token_duration_minutes") or DEFAULT_REFRESH_MINUTES,
        "federated_identities": _identities(arrival, row),
        "created": created,
        "updated": created,
    }


def _callbacks(arrival: Arrival, row: Row) -> str:
    """A host alone stood for every path of it (relying-parties.md rule 21); here a pattern says so, which people can see."""
    patterns = _patterns(arrival, row, "callback_urls")
    for host in redirect_uris.without_path(patterns):
        if (everything := f"{host}/**") not in patterns and settings.ALLOW_CALLBACK_WILDCARDS:
            patterns.append(everything)
            arrival.report.change("callbacks", "every path", f"{row.text('name')}: {host}", everything)
    return "\n".join(patterns)


def _minutes(arrival: Arrival, row: Row, column: str) -> int:
    """How long tokens live, as far as is allowed here."""
    minutes = row.number(column)
    if minutes > MAX_MINUTES:
        arrival.report.change("clients", "lifetime", row.text("name"), str(MAX_MINUTES))
    return min(minutes, MAX_MINUTES)


def _patterns(arrival: Arrival, row: Row, column: str) -> list[str]:
    usable = []
    for pattern in row.json(column) or []:
        text = str(pattern)
        try:
            redirect_uris.check_pattern(text)  # which refuses white space too, our separator
            usable.append(text)
        except redirect_uris.UnusablePattern as wrong:
            arrival.report.leave_out("callbacks", "unusable callback", f"{row.text('name')}: {text}", str(wrong))
    return usable


def _address(arrival: Arrival, row: Row, column: str, check: Callable[[str], None]) -> str:
    address = row.text(column)
    try:
        if address:
            check(address)
    except web_addresses.UnusableAddress as wrong:
        arrival.report.leave_out("callbacks", "unusable address", f"{row.text('name')}: {address}", str(wrong))
        return ""
    return address


def _unusable(address: str) -> str:
    """Why this server will not call it; empty if it will."""
    try:
        web_addresses.check_called(address)
    except web_addresses.UnusableAddress as wrong:
        return str(wrong)
    return ""


def _identities(arrival: Arrival, row: Row) -> list[dict[str, Any]]:
    """As clients of the REST API write and read them: what is empty is left out, ``replayProtection`` never."""
    kept = []
    for identity in (row.json("credentials") or {}).get("federatedIdentities") or []:
        members = {name: identity.get(name) or "" for name in ("issuer", "subject", "audience", "jwks")}
        one: dict[str, Any] = {name: value for name, value in members.items() if value}
        try:
            keys = registered_keys.public_keys(identity.get("publicKeys") or [])
        except registered_keys.UnusableKey as wrong:
            arrival.report.leave_out("clients", "weak key", f"{row.text('name')}: {members['issuer']}", str(wrong))
            continue
        kept.append(
            one | ({"publicKeys": keys} if keys else {}) | {"replayProtection": bool(identity.get("replayProtection"))}
        )
    return kept


def _secrets(arrival: Arrival, rows: Iterable[Row]) -> None:
    here = set(ClientSecret.objects.values_list("pk", flat=True))
    with writing(ClientSecret) as writer:
        for row in rows:
            if row.flag("is_public"):
                continue
            for secret in (row.json("credentials") or {}).get("secrets") or []:
                _secret(arrival, row, secret, here, writer)
            # Until 2.13 there was one, in a column of its own.
            if row.text("secret"):
                only = {
                    "id": str(uuid5(NAMESPACE_URL, f"pocket-id/{row.text('id')}/secret")),
                    "alg": "bcrypt",
                    "hash": row.text("secret"),
                    "createdAt": row.when(),
                }
                _secret(arrival, row, only, here, writer)
    arrival.report.came["secrets"] += writer.count


def _secret(arrival: Arrival, row: Row, secret: dict[str, Any], here: set[UUID], writer: Writer) -> None:
    pk, name = as_uuid(secret["id"]), row.text("name")
    if pk in here:
        arrival.report.already_there["secrets"] += 1
        return
    try:
        encoded = client_secrets.foreign(secret.get("alg") or "", secret.get("hash") or "")
    except client_secrets.UnknownHash:
        arrival.report.leave_out("secrets", "unknown secret", name, str(secret.get("alg")))
        return
    if secret.get("alg") == "bcrypt":
        arrival.report.change("secrets", "hash exchanged", name)
    here.add(pk)
    writer.add(
        id=pk,
        client_id=arrival.clients[row.text("id")],
        secret_hash=encoded,
        prefix=str(secret.get("prefix") or "")[:4],
        created_at=as_moment(secret["createdAt"]) if secret.get("createdAt") else EPOCH,
        expires_at=as_moment(secret["expiresAt"]) if secret.get("expiresAt") else None,
    )


def _allowed_groups(arrival: Arrival) -> None:
    through = Client.allowed_groups.through
    here = set(through._default_manager.values_list("client_id", "group_id"))
    with writing(through) as writer:
        for row in arrival.rows("oidc_clients_allowed_user_groups"):
            client, group = arrival.clients.get(row.text("oidc_client_id")), row.uuid("user_group_id")
            if client is None or group not in arrival.groups:
                arrival.report.tally("allowed groups", "owner missing")
            elif (client, group) in here:
                arrival.report.already_there["allowed groups"] += 1
            else:
                writer.add(client_id=client, group_id=group)
    arrival.report.came["allowed groups"] += writer.count


def _consents(arrival: Arrival) -> None:
    here = set(Consent.objects.values_list("user_id", "client_id"))
    with writing(Consent) as writer:
        for row in arrival.rows("user_authorized_oidc_clients"):
            user, client = row.uuid("user_id"), arrival.clients.get(row.text("client_id"))
            if client is None or user not in arrival.people:
                arrival.report.tally("consents", "owner missing")
            elif (user, client) in here:
                arrival.report.already_there["consents"] += 1
            else:
                used = row.moment("last_used_at")
                scope = " ".join(dict.fromkeys(row.scopes("scope")))
                writer.add(user_id=user, client_id=client, scope=scope, created_at=used or EPOCH, last_used_at=used)
    arrival.report.came["consents"] += writer.count


def _scim_providers(arrival: Arrival) -> None:
    here = {client: pk for pk, client in ScimProvider.objects.values_list("pk", "client_id")}
    ids = set(here.values())
    with writing(ScimProvider) as writer:
        for row in arrival.rows("scim_service_providers", "created_at"):
            pk, client = row.uuid("id"), arrival.clients.get(row.text("oidc_client_id"))
            if client is None:
                arrival.report.leave_out("scim", "owner missing", row.text("endpoint"))
            elif here.get(client) == pk:
                arrival.report.already_there["scim"] += 1
            elif client in here or pk in ids:
                arrival.report.clash("scim", row.text("endpoint"), "taken")
            elif wrong := _unusable(row.text("endpoint")):
                arrival.report.leave_out("scim", "unusable address", row.text("endpoint"), wrong)
            else:
                provider = ScimProvider(pk=pk, client_id=client)
                if row.text("token"):
                    provider.token = encryption.scim_token(row.text("token"), encryption_key=arrival.encryption_key)
                writer.add(
                    id=pk,
                    client_id=client,
                    endpoint=arrival.fitted(ScimProvider, "endpoint", row.text("endpoint"), what="scim"),
                    encrypted_token=provider.encrypted_token,
                    last_synced_at=row.moment("last_synced_at"),
                    created_at=row.when(),
                )
    arrival.report.came["scim"] += writer.count
