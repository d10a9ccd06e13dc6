"""Changing the settings: one verb for the console, the REST API and the command line."""

from collections.abc import Mapping

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import mail
from core.errors import AppError
from siteconfig.models import SiteConfiguration, current, is_fixed
from siteconfig.signals import settings_changed


class UserEmailNotSet(AppError):
    code = "user_email_not_set"
    status = 409
    message = gettext_lazy("The user does not have an email address set")


class UiConfigDisabled(AppError):
    """The operator has fixed the settings by variables (contract section 1.9); clients look for these words."""

    code = "ui_config_disabled"
    status = 403
    message = gettext_lazy("The configuration can't be changed since the UI configuration is disabled")


def send_test_mail(recipient: str | None) -> None:
    """Mail whoever tries the settings, at once; raise ``UserEmailNotSet``, ``MailNotConfigured`` or ``MailNotSent``."""
    if not recipient:
        raise UserEmailNotSet
    configuration = current()
    mail.send(
        configuration.mail_server,
        to=recipient,
        subject=_("Test email"),
        template="test",
        context={"app_name": configuration.app_name},
    )


def change(values: Mapping[str, object], *, request: HttpRequest | None = None) -> SiteConfiguration:
    """Set the columns of ``values``, already validated, and leave the others; returns the row as it is now.

    Raise ``UiConfigDisabled``.
    """
    if is_fixed():
        raise UiConfigDisabled
    with transaction.atomic():
        row, _created = SiteConfiguration.objects.select_for_update().get_or_create(pk=1)
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, values[name])
        if changed:
            row.save()
    if changed:
        settings_changed.send(sender=SiteConfiguration, request=request, names=changed)
    return row
