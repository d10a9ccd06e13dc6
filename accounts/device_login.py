"""Signing a browser in from another device that has the passkey (contract section 6.5).

The browser shows a code and waits; a signed-in person looks at what asks and decides. The answer to the waiting
browser comes at once: a poll that is held open would keep one of a few threads busy.
"""

import secrets
import string
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import sessions
from accounts.errors import DeviceLoginDenied, DeviceLoginExpired, ReauthenticationRequired
from accounts.models import DeviceLogin, Session, User
from accounts.models.login_code import hash_code
from core.errors import UserDisabled
from core.secrets import equal, hash_token

LIFETIME = timedelta(minutes=5)
INTERVAL = 3  # seconds between two polls
APPROVAL_MAX_AGE = timedelta(minutes=1)
PREFIX = "P"  # tells these codes from those of OAuth's device flow
CODE_LENGTH = 8
ALPHABET = "".join(character for character in string.ascii_uppercase + string.digits if character not in "ILO")

State = DeviceLogin.State


@dataclass(frozen=True)
class Begun:
    """``code`` is shown to the person, ``secret`` goes into a cookie of the browser that waits."""

    request: DeviceLogin
    code: str
    secret: str


def begin(place: sessions.Place) -> Begun:
    """A new request of a browser that nobody is signed in to."""
    secret, now = _text(32, string.ascii_letters + string.digits), timezone.now()
    for _attempt in range(5):
        code = PREFIX + _text(CODE_LENGTH - 1, ALPHABET)
        try:
            with transaction.atomic():
                # Here, so that requests nobody follows up cannot fill the table.
                DeviceLogin.objects.filter(expires_at__lte=now).delete()
                request = DeviceLogin.objects.create(
                    code_hash=hash_code(code),
                    secret_hash=hash_token(secret),
                    ip_address=place.ip_address or None,
                    user_agent=place.user_agent,
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
        except IntegrityError:
            continue
        return Begun(request, code, secret)
    raise RuntimeError("no free code was found")


def pending(code: str) -> DeviceLogin:
    """What a person is asked to decide about; raise ``DeviceLoginExpired``."""
    found = DeviceLogin.objects.pending().filter(code_hash=hash_code(_as_made(code))).first()
    if found is None:
        raise DeviceLoginExpired
    return found


def is_waiting(code: str, secret: str) -> bool:
    """Whether nobody has decided yet about the request of the browser with this secret."""
    found = DeviceLogin.objects.pending().filter(code_hash=hash_code(_as_made(code))).first()
    return found is not None and equal(found.secret_hash, hash_token(secret))


def is_code(text: str) -> bool:
    """Whether a code could be this text; for what a cookie says."""
    return len(text) == CODE_LENGTH and text.startswith(PREFIX) and set(text[1:]) <= set(ALPHABET)


def grouped(code: str) -> str:
    """As it is shown: two groups of four are easier to type."""
    made = _as_made(code)
    return f"{made[:4]}-{made[4:]}"


def approve(code: str, session: Session) -> DeviceLogin:
    """Let the waiting browser in as the person of ``session``.

    They must have proved who they are in the last minute, and after the request was made: an unlocked device alone
    shall not do. Raise ``DeviceLoginExpired`` or ``ReauthenticationRequired``.
    """
    request = pending(code)
    if (
        sessions.PASSKEY not in session.methods
        or not sessions.is_fresh(session, max_age=APPROVAL_MAX_AGE)
        or session.auth_time < request.created_at
    ):
        raise ReauthenticationRequired
    return _decide(request, State.APPROVED, session.user)


def deny(code: str, session: Session) -> DeviceLogin:
    """Raise ``DeviceLoginExpired``."""
    return _decide(pending(code), State.DENIED, session.user)


def exchange(code: str, secret: str) -> User | None:
    """The person to sign in, once; ``None`` while nobody has decided.

    Raise ``DeviceLoginExpired``, ``DeviceLoginDenied`` or ``UserDisabled``.
    """
    found = DeviceLogin.objects.live().filter(code_hash=hash_code(_as_made(code))).select_related("user").first()
    if found is None or not equal(found.secret_hash, hash_token(secret)):
        raise DeviceLoginExpired
    if found.state == State.PENDING:
        return None
    if found.state == State.DENIED:
        raise DeviceLoginDenied
    # The delete decides: of two simultaneous requests only one signs in.
    if not DeviceLogin.objects.filter(pk=found.pk, state=State.APPROVED).delete()[0] or found.user is None:
        raise DeviceLoginExpired
    if not found.user.is_active:
        raise UserDisabled
    return found.user


def _decide(request: DeviceLogin, state: State, user: User) -> DeviceLogin:
    # The update decides: of an approval and a denial at the same time only one holds.
    if not DeviceLogin.objects.pending().filter(pk=request.pk).update(state=state, user=user):
        raise DeviceLoginExpired
    request.state, request.user = state, user
    return request


def _as_made(code: str) -> str:
    """What somebody typed, in the letters of the codes: these have no I, L or O."""
    return code.strip().upper().replace("-", "").replace(" ", "").translate(str.maketrans("ILO", "110"))


def _text(length: int, alphabet: str) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
