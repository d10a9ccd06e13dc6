"""The first administrator: made once, by whoever may, and never again."""

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import SetupAlreadyCompleted, SetupTokenRequired
from accounts.lifecycle import STATIC_USER_ID
from accounts.models import User
from core.secrets import equal
from siteconfig.models import SiteConfiguration


def is_open() -> bool:
    """Whether this server still waits for its first administrator."""
    return not SiteConfiguration.objects.filter(setup_completed_at__isnull=False).exists() and not _people().exists()


def _people() -> "QuerySet[User]":
    """Everybody but the user that a STATIC_API_KEY acts as."""
    return User.objects.exclude(pk=STATIC_USER_ID)


def is_token_required() -> bool:
    return bool(settings.SETUP_TOKEN)


def check_token(token: str) -> None:
    """Raise ``SetupTokenRequired`` unless SETUP_TOKEN is unset or was given."""
    if settings.SETUP_TOKEN and not equal(token, settings.SETUP_TOKEN):
        raise SetupTokenRequired


def complete(user: User, *, token: str) -> User:
    """Save ``user``, already validated, as the first administrator.

    Raise ``SetupTokenRequired`` or ``SetupAlreadyCompleted``. Of two simultaneous calls one succeeds.
    """
    check_token(token)
    with transaction.atomic():
        # The update decides; on PostgreSQL the second call waits here for the first to commit.
        claimed = SiteConfiguration.objects.filter(pk=1, setup_completed_at__isnull=True).update(
            setup_completed_at=timezone.now()
        )
        if not claimed or _people().exists():
            raise SetupAlreadyCompleted
        user.is_admin, user.disabled = True, False
        user.save(force_insert=True)
    return user
