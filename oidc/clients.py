"""Clients: adding, changing and removing them, who may use them, and their secrets."""

import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Group
from core.errors import AppError, NotFound
from core.rest_fields import uuid_or_none
from oidc import access, client_secrets, logos, signing_keys
from oidc.logos import Picture
from oidc.models import Client, ClientSecret, RefreshToken
from oidc.models.client import new_client_id

MAX_SECRETS = 20
SECRET_LENGTH, PREFIX_LENGTH = 32, 4
DEFAULT_ACCESS_MINUTES, DEFAULT_ID_MINUTES, DEFAULT_REFRESH_MINUTES = 60, 60, 43_200
_ALPHABET = string.ascii_letters + string.digits


class ClientIdTaken(AppError):
    code = "client_id_already_exists"
    status = 409
    message = "Client ID is already in use"


class ClientRefused(AppError):
    """A rule between several fields or rows is broken; the sentence says which."""

    code = "validation_failed"
    status = 400


@dataclass(frozen=True)
class NewSecret:
    """A secret that was just made, with its text, which nobody can be shown again."""

    row: ClientSecret
    text: str


@dataclass(frozen=True, kw_only=True)
class ClientSettings:
    """Everything about a client that an administrator decides; ``None`` leaves ours as they are, which old clients never send."""

    name: str
    description: str = ""
    callback_urls: tuple[str, ...] = ()
    logout_callback_urls: tuple[str, ...] = ()
    launch_url: str = ""
    backchannel_logout_url: str = ""
    is_public: bool = False
    pkce_required: bool = False
    par_required: bool = False
    reauthentication_required: bool = False
    skip_consent: bool = False
    is_group_restricted: bool = False
    access_token_minutes: int = DEFAULT_ACCESS_MINUTES
    refresh_token_minutes: int = DEFAULT_REFRESH_MINUTES
    federated_identities: tuple[Mapping[str, Any], ...] = ()
    jwks: Sequence[Mapping[str, str]] | None = None
    jwks_uri: str | None = None
    backchannel_logout_on_session_expiry: bool | None = None
    claims_in_id_token: bool | None = None
    refresh_tokens: str | None = None
    algorithm: str | None = None
    id_token_minutes: int | None = None
    refresh_token_absolute_minutes: int | None = None
    # Pictures to put in the place of the present ones, by whether they are for dark pages.
    logos: Mapping[bool, Picture] = field(default_factory=dict)


def find(client_id: str) -> Client:
    """The client of this id; raise ``NotFound``."""
    found: Client | None = of_id(client_id).first()
    if found is None:
        raise NotFound("OIDC client")
    return found


def of_id(client_id: str) -> "QuerySet[Client]":
    """The one client or none; also for what PostgreSQL takes for no text at all."""
    rows: QuerySet[Client] = Client.objects.none() if "\0" in client_id else Client.objects.filter(client_id=client_id)
    return rows


def create(
    settings: ClientSettings, *, client_id: str = "", with_secret: bool = False
) -> tuple[Client, NewSecret | None]:
    """A new client, and its first secret if it is to have one; raise ``ClientIdTaken``."""
    client = Client(client_id=client_id or new_client_id())
    _apply(client, settings)
    signing_keys.introduce(client.algorithm)  # outside the transaction: making a key takes long
    try:
        with transaction.atomic():
            client.save(force_insert=True)
            _put_logos(client, settings)
            secret = add_secret(client) if with_secret and not client.is_public else None
    except IntegrityError:
        if Client.objects.filter(client_id=client.client_id).exists():
            raise ClientIdTaken from None
        raise
    return client, secret


def update(client_id: str, settings: ClientSettings) -> Client:
    """Replace all settings; secrets and pictures stay. Raise ``NotFound``."""
    if settings.algorithm is not None:
        signing_keys.introduce(settings.algorithm)  # outside the transaction, as above
    with transaction.atomic():
        client = _locked(client_id)
        policy = client.refresh_tokens
        _apply(client, settings)
        if not client.pkce_required:
            client.pkce_supported = False  # to be noticed anew
        client.save()
        _put_logos(client, settings)
        if not client.is_group_restricted:
            client.allowed_groups.clear()
        access.end_where_lost([client])
        if client.refresh_tokens != policy:
            refresh_policy_changed(client)
    return client


def delete(client_id: str) -> None:
    """Remove the client with its secrets, pictures, tokens and consents; raise ``NotFound``."""
    with transaction.atomic():
        client = _locked(client_id)
        access.client_over(client)
        client.delete()


def set_allowed_groups(client_id: str, group_ids: Iterable[str]) -> Client:
    """Let these groups use the client, in this order; ids of no group are left out. Raise ``NotFound``."""
    with transaction.atomic():
        client = _locked(client_id)
        _replace_groups(client, group_ids)
        access.end_where_lost([client])
    return client


def allowed_groups(client: Client) -> list[Group]:
    """In the order in which they were allowed."""
    return [row.group for row in Client.allowed_groups.through._default_manager.filter(client=client).order_by("pk")]


def set_clients_of_group(group: Group, client_ids: Iterable[str]) -> None:
    """Let the group use these clients and no others; ids of no client are left out."""
    wanted = Client.objects.filter(client_id__in=set(client_ids))
    with transaction.atomic():
        losing = list(Client.objects.filter(allowed_groups=group).exclude(pk__in=wanted))
        group.allowed_clients.set(wanted)  # type: ignore[attr-defined] # DOT's model has no types
        access.end_where_lost(losing)


def refresh_policy_changed(client: Client) -> None:
    """A client that may no longer have refresh tokens loses those it has, also if it may again one day."""
    if client.refresh_tokens == Client.RefreshTokens.ALWAYS:
        return
    tokens = RefreshToken.objects.filter(grant__application=client, expires__gt=timezone.now())
    if client.refresh_tokens == Client.RefreshTokens.OFFLINE_ACCESS:
        tokens = tokens.exclude(grant__scope__contains="offline_access")
    tokens.update(expires=timezone.now())


def _replace_groups(client: Client, group_ids: Iterable[str]) -> None:
    known = Group.objects.in_bulk([found for text in group_ids if (found := uuid_or_none(text))])
    wanted = [found for text in group_ids if (found := uuid_or_none(text)) in known]
    rows = Client.allowed_groups.through
    # Written anew: the ids of the rows are the order.
    rows._default_manager.filter(client=client).delete()
    rows._default_manager.bulk_create(rows(client=client, group_id=pk) for pk in dict.fromkeys(wanted))


def _apply(client: Client, settings: ClientSettings) -> None:
    client.name, client.description = settings.name, settings.description
    client.client_type = Client.CLIENT_PUBLIC if settings.is_public else Client.CLIENT_CONFIDENTIAL
    client.redirect_uris = "\n".join(settings.callback_urls)
    client.post_logout_redirect_uris = "\n".join(settings.logout_callback_urls)
    client.launch_url, client.backchannel_logout_url = settings.launch_url, settings.backchannel_logout_url
    client.pkce_required = settings.pkce_required or settings.is_public
    client.par_required = settings.par_required
    client.reauthentication_required = settings.reauthentication_required
    client.skip_authorization = settings.skip_consent
    client.is_group_restricted = settings.is_group_restricted
    client.access_token_minutes = settings.access_token_minutes
    client.refresh_token_minutes = settings.refresh_token_minutes
    client.federated_identities = [dict(identity) for identity in settings.federated_identities]
    _apply_keys(client, settings)
    for ours in (
        "backchannel_logout_on_session_expiry",
        "claims_in_id_token",
        "refresh_tokens",
        "algorithm",
        "id_token_minutes",
        "refresh_token_absolute_minutes",
    ):
        if (value := getattr(settings, ours)) is not None:
            setattr(client, ours, value)


def _apply_keys(client: Client, settings: ClientSettings) -> None:
    """One takes the place of the other, so that a client which moves its keys need not first take them away."""
    if settings.jwks is not None:
        client.jwks = list(settings.jwks)
        client.jwks_uri = "" if settings.jwks else client.jwks_uri
    if settings.jwks_uri is not None:
        client.jwks_uri = settings.jwks_uri
        client.jwks = [] if settings.jwks_uri else client.jwks


def _put_logos(client: Client, settings: ClientSettings) -> None:
    for is_dark, picture in settings.logos.items():
        logos.put(client, picture, is_dark=is_dark)


def _locked(client_id: str) -> Client:
    found: Client | None = of_id(client_id).select_for_update().first()
    if found is None:
        raise NotFound("OIDC client")
    return found


# Secrets


def add_secret(client: Client, *, text: str = "", expires_at: datetime | None = None) -> NewSecret:
    """Another secret beside those there are, made by us unless ``text`` is given; raise ``ClientRefused``."""
    if client.is_public:
        raise ClientRefused("Cannot create a secret for a public client")
    if expires_at is not None and expires_at <= timezone.now():
        raise ClientRefused("The expiration date of a client secret must be in the future")
    text = text or "".join(secrets.choice(_ALPHABET) for _ in range(SECRET_LENGTH))
    encoded = client_secrets.hash_secret(text)
    with transaction.atomic():
        _locked(client.client_id)  # counted by one at a time
        if client.secrets.count() >= MAX_SECRETS:
            raise ClientRefused(f"A client cannot have more than {MAX_SECRETS} secrets")
        row = ClientSecret.objects.create(
            client=client, secret_hash=encoded, prefix=text[:PREFIX_LENGTH], expires_at=expires_at
        )
    return NewSecret(row, text)


def replace_secrets(client: Client, *, text: str = "") -> str:
    """One new secret in the place of all others, as Pocket ID up to 2.13 did; its text."""
    if client.is_public:
        raise ClientRefused("Cannot create a secret for a public client")
    with transaction.atomic():
        _locked(client.client_id)
        client.secrets.all().delete()
        return add_secret(client, text=text).text


def remove_secret(client: Client, secret_id: str) -> None:
    """It stops working at once; raise ``NotFound``."""
    found = uuid_or_none(secret_id)
    if found is None or not client.secrets.filter(pk=found).delete()[0]:
        raise NotFound("Client secret")
