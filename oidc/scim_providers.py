"""Where apps take users and groups from us by SCIM: kept for them, not yet sent to."""

from django.db import IntegrityError, transaction

from core.errors import AlreadyInUse, AppError, NotFound, ValidationFailed
from core.rest_fields import uuid_or_none
from oidc.models import Client, ScimProvider


class SyncNotAvailable(AppError):
    """Said plainly: to answer 200 would tell an administrator that their users had arrived."""

    code = "scim_sync_not_available"
    status = 409
    message = "This server keeps SCIM service providers but does not send to them yet; nothing was synced"


def find(provider_id: str) -> ScimProvider:
    """The provider of this id; raise ``NotFound``."""
    pk = uuid_or_none(provider_id)
    found = ScimProvider.objects.select_related("client").filter(pk=pk).first() if pk else None
    if found is None:
        raise NotFound("SCIM service provider")
    return found


def create(client: Client, *, endpoint: str, token: str) -> ScimProvider:
    """A client has one provider at most; raise ``AlreadyInUse``."""
    provider = ScimProvider(client=client, endpoint=endpoint)
    provider.token = token
    return _saved(provider)


def update(
    provider_id: str, client: Client, *, endpoint: str, token: str | None, is_shown_token: bool = False
) -> ScimProvider:
    """Replace everything; ``token`` ``None`` keeps the one there is. Raise ``NotFound`` or ``AlreadyInUse``.

    Who is not shown the token names it again for another endpoint, which would be told it: raise ``ValidationFailed``.
    """
    provider = find(provider_id)
    if token is None and provider.token and endpoint != provider.endpoint and not is_shown_token:
        raise ValidationFailed([("token", "required", "is required for another endpoint")])
    provider.client, provider.endpoint = client, endpoint
    if token is not None:
        provider.token = token
    return _saved(provider)


def delete(provider_id: str) -> None:
    find(provider_id).delete()


def sync(provider_id: str) -> None:
    find(provider_id)
    raise SyncNotAvailable


def _saved(provider: ScimProvider) -> ScimProvider:
    try:
        with transaction.atomic():
            provider.save()
    except IntegrityError:
        raise AlreadyInUse("oidcClientId") from None
    return provider
