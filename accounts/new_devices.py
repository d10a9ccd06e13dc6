"""Telling people that somebody signed in as them from where nobody did before (contract section 12.1)."""

from accounts import devices, emails
from accounts.models import User
from accounts.sessions import Place
from audit import places
from audit.models import Entry, Event
from siteconfig.models import current

SIGN_INS = (Event.SIGN_IN, Event.TOKEN_SIGN_IN, Event.REMOTE_SIGN_IN)


def notice(user: User, place: Place) -> bool:
    """Mail ``user`` when neither the address nor the browser was theirs before; whether it was mailed.

    Called before the sign-in is written to the audit log, which is what remembers the others. The very first sign-in
    is nobody's surprise.
    """
    configuration = current()
    if not configuration.email_login_notification_enabled or not configuration.mail_server.is_complete:
        return False
    known = Entry.objects.filter(user=user, event__in=SIGN_INS)
    if not known.exists() or known.filter(ip_address=place.ip_address or None, user_agent=place.user_agent).exists():
        return False
    country, city = places.of(place.ip_address)
    emails.new_device(
        user,
        device=devices.describe(place.user_agent),
        ip_address=place.ip_address,
        place=", ".join(word for word in (city, country) if word),
    )
    return True
