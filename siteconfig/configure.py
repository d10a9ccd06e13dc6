"""Changing the settings: one verb for the console, the REST API and the command line."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, gettext_noop

from core import mail
from core.errors import AppError, ValidationFailed
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


# What decides who is told a stored password, the server first: key of the REST API, and columns by the password's own.
TOLD_BY = {
    "smtp_password": ("smtpPassword", ("smtp_host", "smtp_port", "smtp_tls", "smtp_skip_cert_verify")),
    "ldap_bind_password": ("ldapBindPassword", ("ldap_url", "ldap_skip_cert_verify")),
}


class PasswordNotNamed(ValidationFailed):
    """A stored password would be told to another server, or on a less private way, by somebody who is not shown it."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__([(TOLD_BY[column][0], "required", "is required for another server") for column in columns])


def send_test_mail(recipient: str | None) -> None:
    """Mail whoever tries the settings, at once; raise ``UserEmailNotSet``, ``MailNotConfigured`` or ``MailNotSent``."""
    if not recipient:
        raise UserEmailNotSet
    configuration = current()
    mail.send(
        configuration.mail_server,
        to=recipient,
        subject=gettext_noop("Test email"),
        template="test",
        context={"app_name": configuration.app_name},
    )


def passwords_told_elsewhere(before: SiteConfiguration, wanted: Mapping[str, object]) -> list[str]:
    """Columns of the stored passwords that ``wanted`` does not name, and that would be told to somebody else with it.

    To check certificates again is no reason to ask, nor is no server at all.
    """

    def goes_elsewhere(places: Sequence[str]) -> bool:
        after = {place: wanted.get(place, getattr(before, place)) for place in places}
        changed = (value for place, value in after.items() if value != getattr(before, place))
        return bool(after[places[0]]) and any(value is not False for value in changed)

    return [
        column
        for column, (_key, places) in TOLD_BY.items()
        if getattr(before, column) and column not in wanted and goes_elsewhere(places)
    ]


def change(
    values: Mapping[str, object], *, request: HttpRequest | None = None, is_shown_passwords: bool = False
) -> SiteConfiguration:
    """Set the columns of ``values``, already validated, and leave the others; returns the row as it is now.

    ``is_shown_passwords``: whoever asks can read the stored passwords, and need not name them for another server.
    Raise ``UiConfigDisabled`` or ``PasswordNotNamed``.
    """
    if is_fixed():
        raise UiConfigDisabled
    with transaction.atomic():
        row, _created = SiteConfiguration.objects.select_for_update().get_or_create(pk=1)
        if not is_shown_passwords and (missing := passwords_told_elsewhere(row, values)):
            raise PasswordNotNamed(missing)
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, values[name])
        if changed:
            row.save()
    if changed:
        settings_changed.send(sender=SiteConfiguration, request=request, names=changed)
    return row
