"""Telling people that a key of theirs is about to end; a daily job."""

from datetime import timedelta

from django.utils import timezone

from apikeys import emails
from apikeys.models import ApiKey
from siteconfig.models import current

WARN_BEFORE = timedelta(days=7)


def warn() -> int:
    """Send the mails that are due, each once; the number of them. Harmless when two nodes do it at once."""
    configuration = current()
    if not configuration.email_api_key_expiration_enabled or not configuration.mail_server.is_complete:
        return 0
    due = ApiKey.objects.usable().filter(
        expires_at__lte=timezone.now() + WARN_BEFORE,
        expiry_mail_sent_at__isnull=True,
        user__disabled=False,
        user__email__isnull=False,
    )
    sent = 0
    for key in due.select_related("user"):
        # The update decides which node sends it.
        if ApiKey.objects.filter(pk=key.pk, expiry_mail_sent_at__isnull=True).update(
            expiry_mail_sent_at=timezone.now()
        ):
            emails.expires_soon(key)
            sent += 1
    return sent
