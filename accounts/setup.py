"""The first administrator: made once, by whoever may, and never again.

A program that sets the server up gets a session of this administrator without a passkey, as long as nobody else has come
and the administrator has neither passkey nor API key: ``begin`` opens it, ``finish`` closes it for good.
"""

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import SetupAlreadyCompleted, SetupNotAvailable, SetupTokenRequired
from accounts.lifecycle import STATIC_USER_ID
from accounts.models import RetiredId, Session, User
from core.errors import NotSignedIn
from core.secrets import equal
from siteconfig.models import SiteConfiguration

# Who a program becomes, with Pocket ID's name for them. Its address admin@admin.com is left out: it is somebody else's.
USERNAME, NAME = "admin", "Admin"


def is_open() -> bool:
    """Whether this server still waits for its first administrator."""
    return not SiteConfiguration.objects.filter(setup_completed_at__isnull=False).exists() and not _had_people()


def _people() -> "QuerySet[User]":
    """Everybody but the user that a STATIC_API_KEY acts as."""
    return User.objects.exclude(pk=STATIC_USER_ID)


def _had_people() -> bool:
    """Also before: a server whose last person was deleted is nobody's to take (attacks.md D8)."""
    return _people().exists() or RetiredId.objects.exists()


def is_token_required() -> bool:
    return bool(settings.SETUP_TOKEN)


def check_token(token: str) -> None:
    """Raise ``SetupTokenRequired`` unless SETUP_TOKEN is unset or was given."""
    if settings.SETUP_TOKEN and not equal(token, settings.SETUP_TOKEN):
        raise SetupTokenRequired


def complete(user: User, *, token: str) -> User:
    """Save ``user``, already validated, as the first administrator.

    Raise ``SetupTokenRequired`` or ``SetupAlreadyCompleted``. Of two simultaneous calls one succeeds.
    """
    check_token(token)
    with transaction.atomic():
        # The update decides; on PostgreSQL the second call waits here for the first to commit.
        claimed = SiteConfiguration.objects.filter(pk=1, setup_completed_at__isnull=True).update(
            setup_completed_at=timezone.now()
        )
        if not claimed or _had_people():
            raise SetupAlreadyCompleted
        user.is_admin, user.disabled = True, False
        user.save(force_insert=True)
    return user


def is_unfinished() -> bool:
    """Whether a program may still become the first administrator without proving anything but SETUP_TOKEN."""
    return is_open() or _lonely_administrator() is not None


def begin(*, token: str = "", username: str = USERNAME) -> tuple[User, bool]:
    """The first administrator, made if there is nobody, and whether they were made.

    Call it in the transaction that makes their session or key: what ``finish`` does waits for its end.
    Raise ``SetupNotAvailable`` or ``SetupTokenRequired``.
    """
    SiteConfiguration.objects.select_for_update().filter(pk=1).first()
    if is_open():
        return complete(
            User(username=username, first_name=NAME, last_name=NAME, display_name=f"{NAME} {NAME}"), token=token
        ), True
    user = _lonely_administrator()
    if user is None:
        raise SetupNotAvailable
    check_token(token)
    return user, False


def finish(user: User, *, session: Session | None = None) -> bool:
    """``user`` is about to have a passkey or an API key: from now on nobody gets in without one.

    Whether ``user`` could be reached without one until now: then other sessions of theirs may be strangers', and the caller
    ends them in the same transaction. Of two ``session``s that do this at once the second has ended here, whatever it was
    when its request began: raise ``NotSignedIn``.
    """
    with transaction.atomic():
        row = SiteConfiguration.objects.select_for_update().filter(pk=1).first()
        if session is not None and not Session.objects.filter(pk=session.pk).exists():
            raise NotSignedIn
        if row is None or row.bootstrap_finished_at is not None:
            return False
        was_reachable = _lonely_administrator() == user
        SiteConfiguration.objects.filter(pk=1).update(bootstrap_finished_at=timezone.now())
    return was_reachable


def _lonely_administrator() -> User | None:
    """The one account that set-up made, while there never was another and it has no passkey.

    An administrator whom a program with STATIC_API_KEY has made is somebody's already.
    """
    row = SiteConfiguration.objects.filter(pk=1).first()
    if row is None or row.setup_completed_at is None or row.bootstrap_finished_at is not None:
        return None
    people = list(_people().order_by("pk")[:2])
    if len(people) != 1 or not people[0].is_staff or people[0].passkeys.exists() or RetiredId.objects.exists():
        return None
    return people[0]
