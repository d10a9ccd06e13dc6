"""What a person has let apps know, and taking it back."""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from core.errors import NotFound
from oidc import access, backchannel, clients
from oidc.models import Client, Consent, DeviceGrant, Grant, PendingAuthorization


def withdraw(user: User, client_id: str) -> Client:
    """End what the app got from this person: consent, codes and tokens. Raise ``NotFound`` when there is nothing."""
    client: Client | None = clients.of_id(client_id).first()
    if client is None:
        raise NotFound("Client authorization")
    with transaction.atomic():
        consents, _rows = Consent.objects.filter(user=user, client=client).delete()
        # A client that skips consent has no such row, and tokens all the same.
        grants = Grant.objects.filter(user=user, application=client, revoked_at__isnull=True)
        if not grants.update(revoked_at=timezone.now()) and not consents:
            raise NotFound("Client authorization")
        access.end_devices(DeviceGrant.objects.filter(user=user, application=client))
        backchannel.client_over(user.pk, client)
        sessions = user.sessions.values("pk")
        PendingAuthorization.objects.filter(client=client, session_id__in=sessions, consented=True).delete()
    return client
