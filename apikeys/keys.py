"""Making, renewing and revoking keys. Whoever may do so is for the caller to know."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts import setup
from accounts.models import Session, User
from apikeys.errors import ApiKeyNotExpired, ApiKeyNotFound, InvalidApiKeyExpiration
from apikeys.models import PREFIX, SHOWN, ApiKey
from core.rest_fields import uuid_or_none
from core.secrets import hash_token, new_token


def create(
    user: User,
    *,
    name: str,
    expires_at: datetime,
    description: str | None = None,
    scopes: Sequence[str] = (),
    session: Session | None = None,
) -> tuple[ApiKey, str]:
    """A new key of ``user`` and the secret, which nobody can read again.

    ``session`` is the one that asks; raise ``NotSignedIn`` if it has ended meanwhile, or ``InvalidApiKeyExpiration``.
    """
    _check_expiry(expires_at)
    key = ApiKey(user=user, name=name, description=description, expires_at=expires_at, scopes=sorted(set(scopes)))
    secret = _new_secret(key)
    with transaction.atomic():
        setup.finish(user, session=session)
        key.save(force_insert=True)
    return key, secret


def owned(user: User, key_id: str) -> ApiKey:
    """The key of this id if it is ``user``'s; raise ``ApiKeyNotFound`` also for other people's (attacks.md G2)."""
    wanted = uuid_or_none(key_id)
    found = ApiKey.objects.filter(pk=wanted, user=user).first() if wanted else None
    if found is None:
        raise ApiKeyNotFound
    return found


def renew(key: ApiKey, *, expires_at: datetime) -> tuple[ApiKey, str]:
    """A new secret for a key that has expired; raise ``ApiKeyNotExpired`` or ``InvalidApiKeyExpiration``."""
    _check_expiry(expires_at)
    with transaction.atomic():
        locked = ApiKey.objects.select_for_update().filter(pk=key.pk).first()
        if locked is None:
            raise ApiKeyNotFound
        if not locked.is_expired:
            raise ApiKeyNotExpired
        secret = _new_secret(locked)
        locked.expires_at = expires_at
        locked.expiry_mail_sent_at = locked.expiry_mail_not_before = None
        locked.save()
    return locked, secret


def revoke(key: ApiKey) -> None:
    if not ApiKey.objects.filter(pk=key.pk).delete()[0]:
        raise ApiKeyNotFound


def _new_secret(key: ApiKey) -> str:
    secret = new_token(PREFIX)
    key.key_hash, key.prefix = hash_token(secret), secret[:SHOWN]
    return secret


def _check_expiry(expires_at: datetime) -> None:
    if expires_at <= timezone.now():
        raise InvalidApiKeyExpiration
