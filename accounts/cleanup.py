"""Rows about people that mean nothing any more: sessions, codes, links and ceremonies whose time is over."""

from django.utils import timezone

from accounts.models import Ceremony, DeviceLogin, EmailVerification, LoginCode, Session, SignupToken
from core import batches


def delete_expired() -> int:
    """Delete what has expired; how many rows."""
    now = timezone.now()
    tables = (Session, LoginCode, SignupToken, EmailVerification, DeviceLogin, Ceremony)
    return sum(batches.delete(table._default_manager.filter(expires_at__lte=now)) for table in tables)
