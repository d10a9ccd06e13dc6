"""Telling people that a key of theirs is about to end; an hourly job."""

import logging
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from apikeys import emails
from apikeys.models import ApiKey
from core.errors import AppError
from siteconfig.models import current

logger = logging.getLogger("pocketid.apikeys")

WARN_BEFORE = timedelta(days=7)
# Who has just made a key that will not last knows it, and programs make many such keys.
NOT_BEFORE_AGE = timedelta(days=1)
# What a process took with it when it died is due again after this, ...
LEASE = timedelta(minutes=15)
# ... and what the mail server did not take, after this.
RETRY_AFTER = timedelta(hours=4)


def warn() -> int:
    """Send the mails that are due, each once; the number of them. Harmless when two nodes do it at once."""
    configuration = current()
    if not configuration.email_api_key_expiration_enabled or not configuration.mail_server.is_complete:
        return 0
    return sum(_tell(key) for key in list(_due().order_by("expires_at")))


def _due() -> "QuerySet[ApiKey]":
    now = timezone.now()
    return ApiKey.objects.usable().filter(
        Q(expiry_mail_not_before=None) | Q(expiry_mail_not_before__lte=now),
        expires_at__lte=now + WARN_BEFORE,
        created_at__lte=now - NOT_BEFORE_AGE,
        expiry_mail_sent_at=None,
        user__disabled=False,
        user__email__isnull=False,
    )


def _tell(key: ApiKey) -> bool:
    """Whether the mail has gone out, and by this process."""
    row = ApiKey.objects.filter(pk=key.pk, expiry_mail_sent_at=None)
    # The update decides which process sends it: the other one finds another time there.
    if not row.filter(expiry_mail_not_before=key.expiry_mail_not_before).update(
        expiry_mail_not_before=timezone.now() + LEASE
    ):
        return False
    # The mails before may have taken minutes, in which keys are revoked and people disabled.
    fresh = ApiKey.objects.usable().filter(pk=key.pk, user__disabled=False).select_related("user").first()
    if fresh is None or not fresh.user.email:
        return False
    try:
        emails.expires_soon(fresh, configuration=current())
    except AppError as refused:
        row.update(expiry_mail_not_before=timezone.now() + RETRY_AFTER)
        logger.warning("the mail about an API key that ends was not sent: %s %s", refused.message, refused.causes)
        return False
    row.update(expiry_mail_sent_at=timezone.now(), expiry_mail_not_before=None)
    return True
