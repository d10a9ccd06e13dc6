"""Rows about people that mean nothing any more: sessions, codes, links and ceremonies whose time is over."""

from django.utils import timezone

from accounts import sessions
from accounts.models import Ceremony, DeviceLogin, EmailVerification, LoginCode, SignupToken
from core import batches


def delete_expired() -> int:
    """Delete what has expired; how many rows."""
    now = timezone.now()
    tables = (LoginCode, SignupToken, EmailVerification, DeviceLogin, Ceremony)
    rows = sum(batches.delete(table._default_manager.filter(expires_at__lte=now)) for table in tables)
    return sessions.end_expired() + rows
