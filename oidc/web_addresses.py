"""Addresses that people and this server open: where an app starts, and where it listens."""

from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 2000


class UnusableAddress(ValueError):
    """Why an address cannot be kept; the text follows the name of the field."""

    def __init__(self, reason: str | Promise) -> None:
        super().__init__(str(reason))


def check(address: str, *, https_only: bool = False) -> None:
    """Raise ``UnusableAddress`` unless it is an absolute http or https address that browsers cannot take for code."""
    if len(address) > MAX_LENGTH or any(c <= " " or c in "\\\x7f" or c.isspace() for c in address):
        raise UnusableAddress(_("must be a valid URL"))
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise UnusableAddress(_("must be a valid URL"))
    if https_only and parts.scheme != "https":
        raise UnusableAddress(_("must be an https address for a public client"))


def check_listener(address: str, *, https_only: bool = False) -> None:
    """The same for an address that this server calls: it has no fragment (Back-Channel Logout 1.0 section 2.2)."""
    check_called(address, https_only=https_only)
    if "#" in address:
        raise UnusableAddress(_("must not have a fragment"))


def check_called(address: str, *, https_only: bool = False) -> None:
    """The same for any address that this server calls: a user name and a password in it are not sent (``core.fetch``)."""
    check(address, https_only=https_only)
    if "@" in urlsplit(address).netloc:
        raise UnusableAddress(_("must not contain a user name or a password: this server does not send them"))
