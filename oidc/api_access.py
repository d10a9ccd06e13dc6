"""APIs, what can be permitted at them, and which client may have what (RFC 8707)."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import AlreadyInUse, NotFound
from core.rest_fields import uuid_or_none
from oidc.models import ApiAccess, ApiPermission, ApiResource, Client
from oidc.redirect_uris import FORBIDDEN_SCHEMES

MAX_AUDIENCE = 350
# Scopes that say something about the person: a permission of such a name could never be told apart.
RESERVED_KEYS = frozenset(("openid", "profile", "email", "email_verified", "groups", "offline_access"))
SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")  # RFC 6749 section 3.3
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s#]+\Z")


class UnusableAudience(ValueError):
    """Why an address cannot name an API; the text follows the name of the field."""

    def __init__(self, reason: str | Promise) -> None:
        super().__init__(str(reason))


@dataclass(frozen=True)
class Permission:
    key: str
    name: str
    description: str = ""


@dataclass(frozen=True)
class Access:
    """What a client may have at one API: for the people who use it, and for itself. A permission implies access."""

    for_users: bool = False
    for_itself: bool = False
    user_permissions: tuple[UUID, ...] = ()
    own_permissions: tuple[UUID, ...] = ()


def audience(text: str) -> str:
    """The address as it is kept, without a final slash; raise ``UnusableAudience`` (RFC 8707 section 2)."""
    text = text.rstrip("/")
    scheme = text.partition(":")[0].lower()
    # U+001F separates the address from a scope where consents are kept; no other control character is of use either.
    if not _ABSOLUTE.match(text) or not text.isprintable() or scheme in FORBIDDEN_SCHEMES:
        raise UnusableAudience(_("must be an absolute URI without whitespace or a fragment"))
    if len(text) > MAX_AUDIENCE:
        raise UnusableAudience(_("must be at most 350 characters long"))
    if text == settings.APP_URL:
        raise UnusableAudience(_("must not be the address of this server"))
    return text


def is_scope(key: str) -> bool:
    """Whether a permission can be asked for by this name, and is not mistaken for something about the person."""
    longest = ApiPermission._meta.get_field("key").max_length or 0
    return len(key) <= longest and key not in RESERVED_KEYS and SCOPE_TOKEN.match(key) is not None


def find(api_id: str) -> ApiResource:
    """The API of this id; raise ``NotFound``."""
    pk = uuid_or_none(api_id)
    found = ApiResource.objects.filter(pk=pk).first() if pk else None
    if found is None:
        raise NotFound("API")
    return found


def create(*, name: str, audience: str) -> ApiResource:
    """A new API; raise ``AlreadyInUse``. ``audience`` comes from the function of that name."""
    try:
        with transaction.atomic():
            return ApiResource.objects.create(name=name, audience=audience)
    except IntegrityError:
        raise AlreadyInUse("resource") from None


def rename(api_id: str, name: str) -> ApiResource:
    with transaction.atomic():
        api = _locked(api_id)
        api.name = name
        api.save(update_fields=["name"])
    return api


def set_introspection_client(api_id: str, client: Client | None) -> ApiResource:
    """Whose credentials the API's server asks with whether a token is good."""
    with transaction.atomic():
        api = _locked(api_id)
        api.introspection_client = client
        api.save(update_fields=["introspection_client"])
    return api


def introspected_by(client_id: int, audience: Collection[str]) -> bool:
    """Whether one of the addresses is an API whose server asks with this client's credentials."""
    return ApiResource.objects.filter(introspection_client=client_id, audience__in=audience).exists()


def delete(api_id: str) -> None:
    """Remove the API, its permissions and everybody's access to it."""
    with transaction.atomic():
        _locked(api_id).delete()


def set_permissions(api_id: str, permissions: Sequence[Permission]) -> ApiResource:
    """Replace the list. A permission whose key stays keeps its id and whoever has it; one that is left out ends."""
    with transaction.atomic():
        api = _locked(api_id)
        present = {row.key: row for row in api.permissions.all()}
        api.permissions.exclude(key__in=[each.key for each in permissions]).delete()
        for position, each in enumerate(permissions):
            row = present.get(each.key) or ApiPermission(api=api, key=each.key)
            row.name, row.description, row.position = each.name, each.description, position
            row.save()
    return api


def open_to_metadata_clients(api_id: str, *, enabled: bool, permission_ids: Iterable[str]) -> ApiResource:
    """What clients that are only known by their metadata document may have; ids of no permission are left out."""
    with transaction.atomic():
        api = _locked(api_id)
        api.allow_metadata_clients = enabled
        api.save(update_fields=["allow_metadata_clients"])
        known = [pk for text in permission_ids if (pk := uuid_or_none(text))]
        api.permissions.update(allowed_for_metadata_clients=False)
        api.permissions.filter(pk__in=known).update(allowed_for_metadata_clients=True)
    return api


def grant(api: ApiResource, client: Client, access: Access) -> None:
    """Replace what ``client`` may have at ``api``; ids of other APIs' permissions are left out."""
    subject = ApiAccess.Subject
    with transaction.atomic():
        _locked(str(api.pk))
        _grant(api, client, subject.USER, access.for_users, access.user_permissions)
        # A public client cannot prove to be itself, so nothing can be given to it alone.
        own = () if client.is_public else access.own_permissions
        _grant(api, client, subject.CLIENT, access.for_itself and not client.is_public, own)


def revoke(api: ApiResource, client: Client) -> None:
    ApiAccess.objects.filter(api=api, client=client).delete()


def permitted(client: Client | int, audience: str, subject: ApiAccess.Subject) -> frozenset[str] | None:
    """The scopes that ``client`` may ask for at the API of this address; ``None`` when it may not at all."""
    rows = ApiAccess.objects.filter(client=client, api__audience=audience, subject=subject)
    found = rows.prefetch_related("permissions").first()
    keys = frozenset(permission.key for permission in found.permissions.all()) if found else frozenset()
    return keys if keys or (found is not None and found.is_explicit) else None


def exists(audience: str) -> bool:
    return ApiResource.objects.filter(audience=audience).exists()


def of_some_api(scopes: Collection[str]) -> list[str]:
    """Those that are permissions of an API, whichever."""
    known = set(ApiPermission.objects.filter(key__in=scopes).values_list("key", flat=True)) if scopes else set()
    return [scope for scope in scopes if scope in known]


def describe(audience: str, scopes: Collection[str]) -> tuple[str, list[ApiPermission]]:
    """The API's name, and which of its permissions the scopes stand for, for the person who is to agree."""
    api = ApiResource.objects.filter(audience=audience).prefetch_related("permissions").first()
    if api is None:
        return audience, []
    return api.name, [permission for permission in api.permissions.all() if permission.key in scopes]


def _grant(
    api: ApiResource, client: Client, subject: ApiAccess.Subject, is_explicit: bool, permissions: Collection[UUID]
) -> None:
    known = list(api.permissions.filter(pk__in=permissions))
    if not is_explicit and not known:
        ApiAccess.objects.filter(api=api, client=client, subject=subject).delete()
        return
    row, _created = ApiAccess.objects.update_or_create(
        api=api, client=client, subject=subject, defaults={"is_explicit": is_explicit}
    )
    row.permissions.set(known)


def _locked(api_id: str) -> ApiResource:
    pk = uuid_or_none(api_id)
    found = ApiResource.objects.select_for_update().filter(pk=pk).first() if pk else None
    if found is None:
        raise NotFound("API")
    return found
