"""The mails of this app; their text is in ``templates/emails``."""

from django.conf import settings
from django.utils.translation import gettext as _

from apikeys.models import ApiKey
from core import mail
from siteconfig.models import current


def expires_soon(key: ApiKey) -> None:
    configuration, recipient = current(), key.user.email
    if not recipient:
        return
    context: dict[str, object] = {
        "app_name": configuration.app_name,
        "person": key.user.name,
        "key": key.name,
        "expires_at": key.expires_at,
        "url": settings.APP_URL,
    }
    subject = _('API Key "%(name)s" Expiring Soon') % {"name": key.name}
    mail.send_later(
        lambda: mail.send(
            configuration.mail_server, to=recipient, subject=subject, template="api_key_expires_soon", context=context
        )
    )
