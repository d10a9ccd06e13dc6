"""Exchanging signing keys without an outage: a key is published before it signs and after it has signed.

For each algorithm in use there is the key that signs now and the next one, both published. Rotating makes the next
one sign, retires the other, and publishes a new next one. Processes notice by themselves: the hot path reads the id
of the signing key together with the client.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from oidc import signing_keys
from oidc.models import SigningKey

# Apps may keep the key set for this long (relying-parties.md rule 11), so a key must be published before.
PUBLISHED_BEFORE_USE = timedelta(minutes=10)
# How long an old ID token may still come back as a hint for signing out.
KEPT_AFTER_RETIRING = timedelta(days=90)


class TooSoon(Exception):
    """The next key has not been published for long enough; the text says when it has."""


def rotate(algorithm: str, *, at_once: bool = False) -> SigningKey:
    """Let the next key of ``algorithm`` sign from now on; raise ``TooSoon``.

    ``at_once`` is for a key that has leaked: apps that keep the key set will refuse tokens until they read it again.
    """
    prepare(algorithm)
    now = timezone.now()
    with transaction.atomic():
        current, following = (
            SigningKey.objects.select_for_update().get(algorithm=algorithm, state=state)
            for state in (SigningKey.State.CURRENT, SigningKey.State.NEXT)
        )
        ready = following.created_at + PUBLISHED_BEFORE_USE
        if now < ready and not at_once:
            raise TooSoon(
                f"The next key was published at {following.created_at:%H:%M} and may sign from {ready:%H:%M} UTC on."
            )
        current.state, current.retired_at = SigningKey.State.RETIRED, now
        current.save(update_fields=["state", "retired_at"])
        following.state, following.activated_at = SigningKey.State.CURRENT, now
        following.save(update_fields=["state", "activated_at"])
    prepare(algorithm)
    signing_keys.forget_published()
    return following


def prepare(algorithm: str) -> None:
    """See to it that ``algorithm`` has a key that signs and a next one that is published already."""
    signing_keys.ensure(algorithm)
    signing_keys.ensure(algorithm, SigningKey.State.NEXT)


def rotate_due(every: timedelta) -> list[SigningKey]:
    """Rotate each algorithm whose key has signed for ``every``; which keys sign now instead."""
    rotated = []
    for key in SigningKey.objects.filter(state=SigningKey.State.CURRENT, activated_at__lte=timezone.now() - every):
        prepare(key.algorithm)
        try:
            rotated.append(rotate(key.algorithm))
        except TooSoon:
            continue  # the next run finds it ready
    return rotated


def delete_forgotten() -> int:
    """Delete keys that were retired so long ago that nothing they signed can come back; how many."""
    oldest = timezone.now() - KEPT_AFTER_RETIRING
    return SigningKey.objects.filter(state=SigningKey.State.RETIRED, retired_at__lte=oldest).delete()[0]
