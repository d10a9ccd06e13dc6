"""Codes that sign somebody in once: made by an administrator, or asked for by mail (contract section 6.2)."""

import secrets
import string
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import emails
from accounts.errors import (
    LoginCodeOfAnotherBrowser,
    OneTimeAccessDisabled,
    TokenInvalidOrExpired,
    UserEmailNotSet,
)
from accounts.models import LoginCode, User
from accounts.models.login_code import hash_code
from core.errors import UserDisabled
from core.secrets import equal, hash_token
from siteconfig.models import current

TTL = timedelta(minutes=15)
SHORT, LONG = 6, 12  # characters: what lives longer can be guessed at for longer
# Without what looks like something else when it is read out or written down.
ALPHABET = "".join(
    character for character in string.ascii_letters + string.digits if character not in "ilo" and character not in "ILO"
)
LOOKS_LIKE = str.maketrans("IiOo", "1100")


@dataclass(frozen=True)
class NewCode:
    """``browser_key`` goes into a cookie of the browser that asked by mail; empty for a code that works anywhere."""

    code: str
    browser_key: str = ""


def create(user: User | None, *, ttl: timedelta = TTL, for_this_browser_only: bool = False) -> NewCode:
    """A code for ``user``. For nobody it does the same work, so that nobody learns which addresses are known."""
    length = SHORT if ttl <= TTL else LONG
    browser_key = _text(16) if for_this_browser_only else ""
    for _attempt in range(5):
        code = _text(length, ALPHABET)
        try:
            with transaction.atomic():
                LoginCode.objects.create(
                    code_hash=hash_code(code),
                    user=user,
                    browser_hash=hash_token(browser_key) if browser_key else "",
                    expires_at=timezone.now() + ttl,
                )
        except IntegrityError:  # the same six characters are in use: one time in some billions
            continue
        return NewCode(code, browser_key)
    raise RuntimeError("no free login code was found")


def redeem(code: str, *, browser_key: str = "") -> User:
    """Use up the code and return its owner.

    Raise ``TokenInvalidOrExpired``, ``LoginCodeOfAnotherBrowser`` or ``UserDisabled``.
    """
    code = code.translate(LOOKS_LIKE)
    if len(code) not in (SHORT, LONG):
        raise TokenInvalidOrExpired
    found = LoginCode.objects.usable().matching(code).select_related("user").first()
    if found is None or found.user is None:
        raise TokenInvalidOrExpired
    if found.browser_hash and not equal(found.browser_hash, hash_token(browser_key)):
        raise LoginCodeOfAnotherBrowser
    # The delete decides: of two simultaneous requests only one removes the row.
    if not LoginCode.objects.filter(pk=found.pk).delete()[0]:
        raise TokenInvalidOrExpired
    if not found.user.is_active:
        raise UserDisabled
    return found.user


def request_by_mail(email: str, *, path: str = "") -> str:
    """Mail a code to whoever has this address; the key for the cookie of the browser that asks, known address or not.

    Raise ``OneTimeAccessDisabled``.
    """
    configuration = current()
    if not configuration.email_one_time_access_as_unauthenticated_enabled:
        raise OneTimeAccessDisabled
    user = User.objects.filter(email__iexact=email, disabled=False).first()
    new = create(user, for_this_browser_only=True)
    if user is not None:
        emails.login_code(user, new.code, ttl=TTL, path=path, configuration=configuration)
    return new.browser_key


def send(user: User, *, ttl: timedelta = TTL) -> None:
    """An administrator mails a code; raise ``OneTimeAccessDisabled`` or ``UserEmailNotSet``."""
    if not current().email_one_time_access_as_admin_enabled:
        raise OneTimeAccessDisabled
    if not user.email:
        raise UserEmailNotSet
    emails.login_code(user, create(user, ttl=ttl).code, ttl=ttl)


def _text(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
