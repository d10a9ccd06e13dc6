"""STATIC_API_KEY: a key that the operator sets, for servers that are made by programs (contract section 1.4)."""

import secrets
import string

from django.conf import settings
from django.db import transaction

from accounts.lifecycle import STATIC_USER_ID
from accounts.models import User
from core.secrets import equal

NAME = "Static API User"


def is_it(presented: str) -> bool:
    """Whether this is the key of the environment."""
    expected: str = settings.ENVIRONMENT.static_api_key
    return bool(expected) and equal(presented, expected)


def user() -> User:
    """The administrator it acts as; made when the key is used for the first time."""
    found = User.objects.filter(pk=STATIC_USER_ID).first()
    if found is not None:
        return found
    suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(6))
    with transaction.atomic():
        # Of two first uses at the same time, one makes the row and the other finds it.
        return User.objects.get_or_create(
            pk=STATIC_USER_ID,
            defaults={
                "username": f"static-api-user-{suffix}",
                "first_name": NAME,
                "display_name": NAME,
                "is_admin": True,
            },
        )[0]


def forget_user_without_key() -> None:
    """At the start of a server that no longer has the key."""
    if not settings.ENVIRONMENT.static_api_key:
        User.objects.filter(pk=STATIC_USER_ID).delete()
