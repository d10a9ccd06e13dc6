"""Showing that an e-mail address is one's own (contract section 6.6)."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import emails
from accounts.errors import EmailVerificationDisabled, InvalidEmailVerificationToken, UserEmailNotSet
from accounts.models import EmailVerification, User
from core import mail
from core.secrets import equal, hash_token, new_token
from siteconfig.models import current

LIFETIME = timedelta(hours=24)


def send(user: User) -> None:
    """Mail a link to the person's address; an earlier one is void.

    Raise ``EmailVerificationDisabled``, ``UserEmailNotSet`` or ``MailNotConfigured``.
    """
    configuration = current()
    if not configuration.email_verification_enabled:
        raise EmailVerificationDisabled
    if not user.email:
        raise UserEmailNotSet
    if not configuration.mail_server.is_complete:
        raise mail.MailNotConfigured
    token = new_token()
    EmailVerification.objects.update_or_create(
        user=user,
        defaults={"token_hash": hash_token(token), "email": user.email, "expires_at": timezone.now() + LIFETIME},
    )
    emails.email_verification(user, token)


def verify(user: User, token: str) -> None:
    """Use up the token of ``user``'s own link; raise ``InvalidEmailVerificationToken``."""
    with transaction.atomic():
        found = EmailVerification.objects.select_for_update().filter(pk=user.pk, expires_at__gt=timezone.now()).first()
        if found is None or not equal(found.token_hash, hash_token(token)):
            raise InvalidEmailVerificationToken
        # Only the address the link was mailed to, and not one it was changed to meanwhile.
        if not User.objects.filter(pk=user.pk, email=found.email).update(email_verified=True):
            raise InvalidEmailVerificationToken
        found.delete()
