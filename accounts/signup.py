"""People who make their own account: openly, or with a token an administrator gave them (contract section 6.4)."""

import secrets
import string
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import lifecycle, setup
from accounts.errors import OpenSignupDisabled, TokenInvalidOrExpired
from accounts.models import SignupToken, User
from core.rest_fields import uuid_or_none
from siteconfig.models import SiteConfiguration, current

TTL = timedelta(hours=1)
TOKEN_LENGTH = 16


def create_token(*, usage_limit: int, ttl: timedelta = TTL, group_ids: Sequence[str] = ()) -> SignupToken:
    """A token for ``usage_limit`` people, who will be in these groups; unknown ids are dropped."""
    now = timezone.now().replace(microsecond=0)
    token = SignupToken(usage_limit=usage_limit, created_at=now, expires_at=now + ttl)
    token.token = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(TOKEN_LENGTH))
    with transaction.atomic():
        token.save(force_insert=True)
        token.groups.set(lifecycle.default_groups(group_ids))
    return token


def sign_up(fields: Mapping[str, Any], *, token: str = "") -> User:
    """A new account for whoever asks; ``fields`` are columns, already validated.

    Raise ``OpenSignupDisabled``, ``TokenInvalidOrExpired`` or ``AlreadyInUse``, which gives the token's use back.
    """
    configuration = current()
    full_name = f"{fields.get('first_name', '')} {fields.get('last_name', '')}".strip()
    columns = {**fields, "display_name": full_name, "email_verified": _is_verified(configuration, fields)}
    if not token:
        # Before the first administrator only variables can have opened sign-up, and nobody could become one any more.
        if configuration.allow_user_signups != SiteConfiguration.Signups.OPEN or setup.is_open():
            raise OpenSignupDisabled
        return lifecycle.create(columns)
    with transaction.atomic():
        # The update decides: of many simultaneous sign-ups no more succeed than the token allows.
        if not SignupToken.objects.usable().matching(token).update(usage_count=F("usage_count") + 1):
            raise TokenInvalidOrExpired
        groups = list(SignupToken.objects.matching(token).get().groups.all())
        return lifecycle.create(columns, groups=groups or None)


def is_open_with(token: str) -> bool:
    """Whether somebody with this token could sign up now; for the page that asks for the rest."""
    return SignupToken.objects.usable().matching(token).exists()


def delete_token(token_id: str) -> bool:
    """Whether there was one of this id."""
    wanted = uuid_or_none(token_id)
    return bool(wanted and SignupToken.objects.filter(pk=wanted).delete()[0])


def _is_verified(configuration: SiteConfiguration, fields: Mapping[str, Any]) -> bool:
    return bool(fields.get("email")) and configuration.emails_verified
