"""The mails of this app; their text is in ``templates/emails``."""

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext_noop as _

from accounts.models import User
from core import mail
from core.http import safe_path
from siteconfig.models import SiteConfiguration, current


def login_code(
    user: User, code: str, *, ttl: timedelta, path: str = "", configuration: SiteConfiguration | None = None
) -> None:
    """Where to type the code, or to follow the link with it.

    ``configuration`` saves a statement, which would tell whoever asks that the address is known.
    """
    target = safe_path(path, "") if path else ""
    query = "?" + urlencode({"redirect": target}) if target else ""
    _send(
        user,
        configuration=configuration,
        subject=_("Login Code"),
        template="login_code",
        code=code,
        url=f"{settings.APP_URL}/lc",
        link=f"{settings.APP_URL}/lc/{code}{query}",
        minutes=int(ttl.total_seconds() // 60),
    )


def email_verification(user: User, token: str) -> None:
    _send(
        user,
        subject=_("Verify your %(app_name)s email address"),
        template="email_verification",
        link=f"{settings.APP_URL}/verify-email?" + urlencode({"token": token}),
    )


def new_device(user: User, *, device: str, ip_address: str, place: str) -> None:
    """Somebody signed in from a browser or an address that was not seen before."""
    _send(
        user,
        subject=_("New device login with %(app_name)s"),
        template="new_device",
        device=device,
        ip_address=ip_address,
        place=place,
    )


def _send(
    user: User, *, subject: str, template: str, configuration: SiteConfiguration | None = None, **context: object
) -> None:
    """Without anybody waiting: how long a mail server takes is nobody's business (attacks.md D14)."""
    settled, recipient = configuration or current(), user.email
    if not recipient:
        return
    shown: dict[str, object] = {
        "app_name": settled.app_name,
        "person": user.name,
        "host": settings.APP_URL,
        **context,
    }
    # Said now: the thread that sends it knows nothing of whoever has asked.
    language = mail.language_of(user.locale)
    mail.send_later(
        lambda: mail.send(
            settled.mail_server, to=recipient, subject=subject, template=template, context=shown, language=language
        )
    )
