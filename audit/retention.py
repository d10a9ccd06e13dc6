"""How long the audit log is kept."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from audit.models import Entry
from core import batches


def delete_old() -> int:
    """Delete entries that are older than the operator wants to keep them; how many. 0 days keeps them for ever."""
    days: int = settings.AUDIT_LOG_RETENTION_DAYS
    return batches.delete(Entry.objects.filter(created_at__lte=timezone.now() - timedelta(days=days))) if days else 0
