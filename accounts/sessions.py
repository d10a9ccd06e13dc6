"""Signed-in sessions: start, find, re-authenticate, end. One row each, so that they can be listed and ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Passkey, Session, User
from accounts.signals import sessions_ended
from core import batches
from core.rows import Columns, to_time
from core.secrets import hash_token, new_token

PASSKEY = "phr"  # phishing-resistant (OpenID EAP ACR Values), Pocket ID's word for a passkey
ONE_TIME_CODE = "otp"  # RFC 8176; also the first set-up

# A request that found the session alive may still be renewing it.
SETTLED = timedelta(seconds=10)
# Apps have long forgotten what ended before that, as on a server that was off for days or has come from an old backup;
# and whoever uses them since has signed in anew.
WORTH_TELLING = timedelta(days=1)
AT_ONCE = 200  # sessions that end by their time in one transaction


class SessionOver(Exception):
    """Somebody, or its time, has ended the session meanwhile."""


@dataclass(frozen=True)
class Place:
    """Where somebody signs in from, as far as the server can see."""

    ip_address: str = ""
    user_agent: str = ""


def start(
    user: User, *, methods: Sequence[str], place: Place, lifetime: timedelta, passkey: Passkey | None = None
) -> tuple[Session, str]:
    """Sign ``user`` in: a new session, and the key for the browser's cookie. The key is kept as a hash only."""
    key, now = new_token(), timezone.now()
    session = Session.objects.create(
        key_hash=hash_token(key),
        user=user,
        auth_time=now,
        amr=" ".join(methods),
        passkey=passkey,
        proved_at=now if PASSKEY in methods else None,
        expires_at=now + lifetime,
        ip_address=place.ip_address or None,
        user_agent=place.user_agent,
    )
    return session, key


def find(key: str) -> Session | None:
    """The live session of a cookie's value, with its person; one statement.

    By hand, because every request of a browser makes it: the ORM takes ten times as long to build it as it takes to run.
    """
    if not key:
        return None
    session, user = _columns()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {session.sql}, {user.sql} FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id"  # noqa: S608 - columns of our models
            " WHERE s.key_hash = %(key_hash)s AND s.expires_at > %(now)s",
            {"key_hash": hash_token(key), "now": to_time(timezone.now())},
        )
        row = cursor.fetchone()
    if row is None:
        return None
    found = session.instance(row[: len(session)])
    found.user = user.instance(row[len(session) :])
    return found


@cache
def _columns() -> tuple[Columns[Session], Columns[User]]:
    return Columns(Session, "s"), Columns(User, "u")


def renew(session: Session, *, methods: Sequence[str], lifetime: timedelta, passkey: Passkey | None = None) -> str:
    """Note that the person has just proved again who they are; the session gets a new key (attacks.md D1) and its full time.

    Raise ``SessionOver`` if it was ended meanwhile: nothing comes back of it.
    """
    key, now = new_token(), timezone.now()
    session.key_hash, session.auth_time, session.expires_at = hash_token(key), now, now + lifetime
    session.amr, session.passkey = " ".join(methods), passkey
    session.proved_at = now if PASSKEY in methods else None
    changed = ("key_hash", "auth_time", "amr", "passkey", "proved_at", "expires_at")
    if not Session.objects.filter(pk=session.pk).update(**{name: getattr(session, name) for name in changed}):
        raise SessionOver
    return key


def prove(session: Session, passkey: Passkey) -> str:
    """Note that the person has made ``passkey`` in this session, which may do more from now on: so it gets a new key.

    Nobody has authenticated by that: what tokens say of the sign-in stays true (OIDC Core section 2, RFC 8176).
    """
    key = new_token()
    session.key_hash, session.passkey, session.proved_at = hash_token(key), passkey, timezone.now()
    changed = {"key_hash": session.key_hash, "passkey": passkey, "proved_at": session.proved_at}
    Session.objects.filter(pk=session.pk).update(**changed)  # of a session that was ended meanwhile nothing comes back
    return key


def is_fresh(session: Session, *, max_age: timedelta) -> bool:
    """Whether the person signed in within ``max_age`` (OIDC Core section 3.1.2.1)."""
    return timezone.now() - session.auth_time <= max_age


def end(session: Session) -> None:
    """End the session for good; a copied cookie is worth nothing from now on."""
    with transaction.atomic():
        if Session.objects.filter(pk=session.pk).delete()[0]:
            sessions_ended.send(sender=Session, sessions=[session], by_time=False)


def end_others(session: Session) -> None:
    """End every other session of the same person."""
    for other in Session.objects.filter(user=session.user_id).exclude(pk=session.pk):
        end(other)


def end_expired() -> int:
    """End the sessions whose time is over, some at a time; how many. A periodic job.

    Each goes in the transaction that tells of it: nobody hears of it twice, and nothing is lost when a process dies.
    """
    over = Session.objects.filter(expires_at__lte=timezone.now() - SETTLED)
    gone = batches.delete(over.filter(expires_at__lte=timezone.now() - WORTH_TELLING))
    while over.exists():  # so that looking takes no lock
        ended = _end_some(over)
        gone += ended
        if ended < AT_ONCE:
            break
    return gone


def _end_some(over: "QuerySet[Session]") -> int:
    with transaction.atomic():
        # Who is in another transaction at this moment is being ended or renewed there.
        ended = list(over.order_by("expires_at").select_for_update(skip_locked=True)[:AT_ONCE])
        Session.objects.filter(pk__in=[session.pk for session in ended]).delete()
        if ended:
            sessions_ended.send(sender=Session, sessions=ended, by_time=True)
    return len(ended)
