"""What a person agreed to share with an app, and what has to be asked."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import CustomClaim, User
from oidc import api_access, resource_indicators
from oidc.authorization_request import AuthorizationRequest
from oidc.models import ApiPermission, Consent
from oidc.store import AuthorizingClient


@dataclass(frozen=True)
class Item:
    """One thing that will be shared, with the very value the app will see."""

    icon: str
    title: str
    value: str


def is_needed(asked: AuthorizationRequest, client: AuthorizingClient) -> bool:
    """Whether the person has to be asked: the first time, for new scopes, or because the app wants it."""
    if "consent" in asked.prompts:
        return True
    if client.skip_consent:
        return False
    # Also for no scope at all: the app learns who the person is.
    return client.consented_scope is None or not set(asked.shared) <= set(client.consented_scope.split(" "))


def remember(user: User, client_id: int, scopes: tuple[str, ...]) -> Consent:
    """Keep that ``user`` agreed; scopes only ever grow until the consent is withdrawn."""
    with transaction.atomic():
        found, _created = Consent.objects.select_for_update().get_or_create(user=user, client_id=client_id)
        # At blanks only: a scope of an API holds a separator (U+001F) that split() would take for a blank too.
        found.scope = " ".join(dict.fromkeys((*filter(None, found.scope.split(" ")), *scopes)))
        found.save()
    return found


def items(user: User, scopes: tuple[str, ...]) -> list[Item]:
    """What the page shows, in the person's own values."""
    found = []
    if "profile" in scopes:
        found.append(Item("person", _("Your name and username"), f"{user.name} · {user.username}"))
    if "email" in scopes and user.email:
        found.append(Item("mail", _("Your e-mail address"), user.email))
    if "groups" in scopes:
        found.append(
            Item(
                "groups",
                _("Your groups"),
                ", ".join(user.groups.values_list("name", flat=True)) or _("you are in none"),
            )
        )
    if "profile" in scopes and (claims := _custom_claims(user)):
        found.append(Item("claims", _("More about you"), ", ".join(claims)))
    for name, permissions in _apis(scopes):
        value = ", ".join(permission.name for permission in permissions) or _("nothing in particular")
        found.append(Item("key", _("Access to %(api)s") % {"api": name}, value))
    if "offline_access" in scopes:
        found.append(Item("refresh", _("Stays signed in"), _("until you sign out there")))
    return found or [Item("person", _("Who you are"), _("an identifier, and nothing else about you"))]


def scope_info(scopes: tuple[str, ...]) -> list[dict[str, str]]:
    """The permissions at APIs among them, for programs (contract section 3.1)."""
    return [
        {"key": permission.key, "name": permission.name}
        | ({"description": permission.description} if permission.description else {})
        for _name, permissions in _apis(scopes)
        for permission in permissions
    ]


def _apis(scopes: tuple[str, ...]) -> list[tuple[str, list[ApiPermission]]]:
    """Each API that the scopes name, with what is asked for there."""
    wanted: dict[str, list[str]] = {}
    for scope in scopes:
        audience, separator, key = scope.partition(resource_indicators.SEPARATOR)
        if separator:
            wanted.setdefault(audience, []).append(key)
    return [api_access.describe(audience, keys) for audience, keys in wanted.items()]


def _custom_claims(user: User) -> list[str]:
    own = {claim.key: claim.value for claim in (*_of_groups(user), *user.custom_claims.all())}
    return [f"{key}: {value}" for key, value in own.items()]


def _of_groups(user: User) -> list[CustomClaim]:
    return [claim for group in user.groups.prefetch_related("custom_claims") for claim in group.custom_claims.all()]
