"""Sending e-mail over SMTP. What to send is said by each app's ``emails.py``; where from, by siteconfig."""

import logging
import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.errors import AppError

logger = logging.getLogger("pocketid.mail")

TIMEOUT = 10  # seconds

# Few threads and no processes: mail is rare, and a stalled server must not hold more than these.
_sender = ThreadPoolExecutor(max_workers=2, thread_name_prefix="mail")


class MailNotConfigured(AppError):
    code = "email_not_configured"
    status = 409
    message = _("This server cannot send e-mail yet")
    remedy = _("An administrator sets the SMTP server in the console.")


class MailNotSent(AppError):
    """The SMTP server refused or did not answer; its words are for administrators."""

    code = "email_not_sent"
    status = 502
    message = _("The e-mail could not be sent")


@dataclass(frozen=True, kw_only=True)
class Server:
    """An SMTP server and the address that mail comes from. ``encryption`` is none, starttls or tls."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    encryption: str = "none"
    verify: bool = True
    sender: str = ""
    sender_name: str = ""
    logo: str = ""  # its address, for the top of the mail

    @property
    def is_complete(self) -> bool:
        return bool(self.host and self.port and self.sender)


class _Backend(EmailBackend):
    def __init__(self, server: Server) -> None:
        super().__init__(
            host=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.encryption == "starttls",
            use_ssl=server.encryption == "tls",
            timeout=TIMEOUT,
        )
        self._verify = server.verify

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self._verify:  # the operator switched it on: smtpSkipCertVerify
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def language_of(locale: str | None) -> str:
    """The language of ours that is nearest to a person's own (BCP 47), else the one that is spoken just now."""
    try:
        return translation.get_supported_language_variant(locale or "")
    except LookupError:
        return translation.get_language() or settings.LANGUAGE_CODE


def send(
    server: Server, *, to: str, subject: str, template: str, context: dict[str, object], language: str = ""
) -> None:
    """Send ``templates/emails/<template>.txt`` and ``.html`` now; raise ``MailNotConfigured`` or ``MailNotSent``.

    ``subject`` is marked by ``gettext_noop`` and has names of ``context`` in it, as ``%(app_name)s``. ``language`` is of ours.
    """
    if not server.is_complete:
        raise MailNotConfigured
    context = context | {"logo": server.logo}
    with translation.override(language or language_of(None)):
        words = gettext(subject) % context
        plain, html = (render_to_string(f"emails/{template}.{form}", context) for form in ("txt", "html"))
    # A line end in a name must not become a header (attacks.md F14).
    words, name = (" ".join(text.split()) for text in (words, server.sender_name))
    message = EmailMultiAlternatives(
        subject=words,
        body=plain,
        from_email=_with_name(name, server.sender),
        to=[to],
        connection=_Backend(server),
    )
    message.attach_alternative(html, "text/html")
    try:
        message.send()
    except (smtplib.SMTPException, OSError, ValueError) as problem:
        raise MailNotSent(causes=[(_("SMTP"), str(problem))]) from problem


def send_later(deliver: Callable[[], None]) -> None:
    """Run ``deliver`` once the transaction is committed, without anybody waiting; what goes wrong is logged."""
    transaction.on_commit(lambda: _sender.submit(_run, deliver) and None)


def _run(deliver: Callable[[], None]) -> None:
    try:
        deliver()
    except AppError as refused:
        logger.warning("an e-mail was not sent: %s %s", refused.message, refused.causes)
    except Exception:  # a thread has nobody else who would hear of it
        logger.exception("an e-mail was not sent")
    finally:
        connection.close()


def _with_name(name: str, address: str) -> str:
    quoted = name.replace("\\", "").replace('"', "")
    return f'"{quoted}" <{address}>' if quoted else address
