"""May this person use this app; asked wherever a code or a token is born, and ended where the answer has become no."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.models import User
from oidc import backchannel
from oidc.errors import InvalidGrantError
from oidc.models import Client, DeviceGrant, Grant


def check(*, disabled: bool = False, denied: bool = False) -> None:
    """Raise what the token endpoint answers when the person may no longer be served (attacks.md B10, C5)."""
    if disabled:
        raise InvalidGrantError(description="The user account is disabled.")
    if denied:
        raise InvalidGrantError(description="The user is in none of the groups that may use this client.")


def end_where_lost(clients: Iterable[Client], people: Collection[UUID] | None = None) -> None:
    """End the tokens of everybody (or of ``people``) who is in none of the groups that may use the client now, and
    tell the client of each: once, since the next time there is nothing to end (attacks.md G13)."""
    for client in clients:
        if not client.is_group_restricted:
            continue
        lost = _signed_in(client).exclude(groups__in=client.allowed_groups.all())
        waiting = DeviceGrant.objects.filter(application=client).exclude(user__groups__in=client.allowed_groups.all())
        if people is not None:
            lost, waiting = lost.filter(pk__in=people), waiting.filter(user__in=people)
        who = set(lost.values_list("pk", flat=True))
        Grant.objects.filter(user__in=who, application=client, revoked_at__isnull=True).update(
            revoked_at=timezone.now()
        )
        end_devices(waiting)
        _tell(client, who)


def end_all(user: User) -> None:
    """End for good what any app holds for this person: tokens, codes, and devices that wait with a yes."""
    Grant.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=timezone.now())
    end_devices(DeviceGrant.objects.filter(user=user))


def end_devices(devices: "QuerySet[DeviceGrant]") -> None:
    """Turn away those that were allowed and have not fetched their tokens yet."""
    devices.filter(status=DeviceGrant.AUTHORIZED).update(status=DeviceGrant.DENIED)


def client_over(client: Client) -> None:
    """Tell a client that is about to be deleted of everybody who is signed in to it or ever let it in."""
    consented = User.objects.filter(consents__client=client)
    _tell(client, {*_signed_in(client).values_list("pk", flat=True), *consented.values_list("pk", flat=True)})


def _tell(client: Client, people: Iterable[UUID]) -> None:
    for user_id in people:
        backchannel.client_over(user_id, client)


def _signed_in(client: Client) -> "QuerySet[User]":
    """Person by person, as grants are indexed."""
    live = Grant.objects.filter(user=OuterRef("pk"), application=client, revoked_at__isnull=True)
    found: QuerySet[User] = User.objects.filter(Exists(live))
    return found
