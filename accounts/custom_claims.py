"""Claims that administrators give to a person or to everybody in a group."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count

from accounts.errors import DuplicateClaim, ReservedClaim
from accounts.models import CustomClaim, Group, User
from core.claim_names import RESERVED_CLAIMS

Pair = tuple[str, str]  # key and value


def replace(owner: User | Group, claims: Sequence[Pair]) -> list[CustomClaim]:
    """Give ``owner`` these claims and no others; raise ``ReservedClaim`` or ``DuplicateClaim``."""
    check(claims)
    with transaction.atomic():
        # Whoever replaces the same claims at the same time waits here.
        type(owner)._default_manager.select_for_update().get(pk=owner.pk)
        owner.custom_claims.all().delete()
        if isinstance(owner, User):
            owner.save(update_fields=["updated_at"])  # what apps are told about the person has changed
        return CustomClaim.objects.bulk_create(
            CustomClaim(
                user=owner if isinstance(owner, User) else None,
                group=owner if isinstance(owner, Group) else None,
                key=key,
                value=value,
            )
            for key, value in claims
        )


def check(claims: Sequence[Pair]) -> None:
    """Raise ``ReservedClaim`` or ``DuplicateClaim``."""
    seen: set[str] = set()
    for key, _value in claims:
        if key in RESERVED_CLAIMS:
            raise ReservedClaim(key)
        if key in seen:
            raise DuplicateClaim(key)
        seen.add(key)


def keys_in_use() -> list[str]:
    """Every key anybody has, the most used first."""
    return list(
        CustomClaim.objects.values("key")
        .annotate(uses=Count("id"))
        .order_by("-uses", "key")
        .values_list("key", flat=True)
    )
