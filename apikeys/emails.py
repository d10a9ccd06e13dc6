"""The mails of this app; their text is in ``templates/emails``."""

from django.conf import settings
from django.utils.translation import gettext_noop as _

from apikeys.models import ApiKey
from core import mail
from siteconfig.models import SiteConfiguration

KEYS = "/settings/api-keys"


def expires_soon(key: ApiKey, *, configuration: SiteConfiguration) -> None:
    """Send it now; raise ``MailNotConfigured`` or ``MailNotSent``. Whose page of keys is not there is sent to the account."""
    context: dict[str, object] = {
        "app_name": configuration.app_name,
        "person": key.user.name,
        "host": settings.APP_URL,
        "key": key.name,
        "expires_at": key.expires_at,
        "url": settings.APP_URL + (KEYS if key.user.is_staff else ""),
    }
    mail.send(
        configuration.mail_server,
        to=str(key.user.email),
        subject=_('API Key "%(key)s" Expiring Soon'),
        template="api_key_expires_soon",
        context=context,
        language=mail.language_of(key.user.locale),
    )
