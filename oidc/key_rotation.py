"""Exchanging signing keys without an outage: a key is published before it signs and after it has signed.

For each algorithm in use there is the key that signs now and the next one, both published. Rotating makes the next
one sign, retires the other, and publishes a new next one. Processes notice by themselves: the hot path reads the id
of the signing key together with the client.
"""

import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from audit import log
from audit.models import Event
from oidc import signing_keys
from oidc.models import AccessToken, Client, SigningKey
from siteconfig.models import current as configuration

# Apps may keep the key set for this long (relying-parties.md rule 11), so a key must be published before.
PUBLISHED_BEFORE_USE = timedelta(minutes=10)
# How long an old ID token may still come back as a hint for signing out.
KEPT_AFTER_RETIRING = timedelta(days=90)
# A token that is being signed at the moment of the rotation is stored a little later.
IN_FLIGHT = timedelta(minutes=1)


class TooSoon(Exception):
    """The next key has not been published for long enough; it may sign from ``ready`` on."""

    def __init__(self, following: SigningKey) -> None:
        self.ready = ready(following)
        super().__init__(
            f"The next key was published at {following.created_at:%H:%M} and may sign from {self.ready:%H:%M} UTC on."
        )


class AlreadyRotated(Exception):
    """Somebody else, or the schedule, has rotated the key meanwhile."""


def ready(following: SigningKey) -> datetime:
    """From when on a next key may sign without an app refusing its tokens."""
    return following.created_at + PUBLISHED_BEFORE_USE


def rotate(
    algorithm: str, *, at_once: bool = False, instead_of: str | None = None, request: HttpRequest | None = None
) -> SigningKey:
    """Let the next key of ``algorithm`` sign from now on; raise ``TooSoon``.

    ``at_once`` is for a key that has leaked: apps that keep the key set will refuse tokens until they read it again.
    ``instead_of`` names the key that is to retire: if it has retired already, raise ``AlreadyRotated``.
    """
    prepare(algorithm)
    if at_once:
        _wait_until_all_publish_the_next(algorithm)
    now = timezone.now()
    with transaction.atomic():
        # Locked in one order by everybody. PostgreSQL leaves out rows that changed while we waited for them, so what
        # is missing here was rotated by somebody else.
        rows = SigningKey.objects.select_for_update().filter(algorithm=algorithm).order_by("pk")
        keys = {key.state: key for key in rows.exclude(state=SigningKey.State.RETIRED)}
        current, following = keys.get(SigningKey.State.CURRENT), keys.get(SigningKey.State.NEXT)
        if current is None or following is None or instead_of not in (None, current.kid):
            raise AlreadyRotated
        if now < ready(following) and not at_once:
            raise TooSoon(following)
        current.state, current.retired_at = SigningKey.State.RETIRED, now
        current.last_token_expires_at = _last_expiry(now)
        current.save(update_fields=["state", "retired_at", "last_token_expires_at"])
        following.state, following.activated_at = SigningKey.State.CURRENT, now
        following.save(update_fields=["state", "activated_at"])
        log.record(
            Event.SIGNING_KEY_ROTATED,
            user=_person(request),
            request=request,
            algorithm=algorithm,
            kid=following.kid,
            retired=current.kid,
        )
    prepare(algorithm)
    signing_keys.forget_published()
    return following


def _wait_until_all_publish_the_next(algorithm: str) -> None:
    """An app that meets the new key reads the key set, which any process may answer from what it read a moment ago."""
    just_now = timezone.now() - timedelta(seconds=signing_keys.JWKS_SECONDS)
    if SigningKey.objects.filter(algorithm=algorithm, state=SigningKey.State.NEXT, created_at__gt=just_now).exists():
        time.sleep(signing_keys.JWKS_SECONDS)


def _last_expiry(now: datetime) -> datetime:
    """When the last token ends that is alive, or is being signed, now."""
    longest = Client.objects.aggregate(Max("access_token_minutes"), Max("id_token_minutes"))
    minutes = max(signing_keys.ID_TOKEN_MINUTES, *(each or 0 for each in longest.values()))
    signed_now = now + IN_FLIGHT + timedelta(minutes=minutes)
    stored = AccessToken.objects.aggregate(last=Max("expires"))["last"]
    return max(signed_now, stored) if stored is not None else signed_now


def publish(algorithm: str, *, request: HttpRequest | None = None) -> None:
    """Publish the keys of an algorithm before any app uses it; nothing is done if they are."""
    if is_published(algorithm):
        return
    prepare(algorithm)
    log.record(Event.SIGNING_KEY_PUBLISHED, user=_person(request), request=request, algorithm=algorithm)


def is_published(algorithm: str) -> bool:
    """Whether it has a key that signs and a next one."""
    states = SigningKey.objects.filter(algorithm=algorithm).values_list("state", flat=True)
    return {SigningKey.State.CURRENT, SigningKey.State.NEXT} <= set(states)


def _person(request: HttpRequest | None) -> User | None:
    return request.user if request is not None and isinstance(request.user, User) else None


def prepare(algorithm: str) -> None:
    """See to it that ``algorithm`` has a key that signs and a next one that is published already."""
    signing_keys.ensure(algorithm)
    signing_keys.ensure(algorithm, SigningKey.State.NEXT)


def rotate_due(every: timedelta) -> list[SigningKey]:
    """Rotate each algorithm whose key has signed for ``every``; which keys sign now instead."""
    rotated = []
    for key in SigningKey.objects.filter(state=SigningKey.State.CURRENT, activated_at__lte=timezone.now() - every):
        try:
            rotated.append(rotate(key.algorithm, instead_of=key.kid))
        except (TooSoon, AlreadyRotated):
            continue  # the next run finds it ready, or another process was faster
    return rotated


def rotate_scheduled() -> int:
    """Rotate what the operator's setting says is due; how many keys. Days 0 means that keys are rotated by hand alone."""
    days = configuration().signing_key_days
    return len(rotate_due(timedelta(days=days))) if days else 0


def delete_forgotten() -> int:
    """Delete keys that were retired so long ago that nothing they signed can come back; how many."""
    oldest = timezone.now() - KEPT_AFTER_RETIRING
    return SigningKey.objects.filter(state=SigningKey.State.RETIRED, retired_at__lte=oldest).delete()[0]
