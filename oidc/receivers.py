"""What the provider does when something happens to a person or a session."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.dispatch import receiver

from accounts.models import Session, User
from accounts.signals import membership_changed, sessions_ended, user_deleted, user_disabled, user_enabled
from oidc import access, backchannel
from oidc.models import Client


@receiver(sessions_ended)
def tell_apps_of_the_sessions(sender: Any, *, sessions: Sequence[Session], by_time: bool, **more: Any) -> None:  # noqa: ANN401 - Django's signature
    backchannel.sessions_over({session.pk: session.user_id for session in sessions}, by_time=by_time)


@receiver(user_disabled)
def end_the_person(sender: Any, *, user: User, sessions: Sequence[UUID], **more: Any) -> None:  # noqa: ANN401 - Django's signature
    """Apps hear of it once: those that signed the person in from one of ``sessions`` have heard of its end."""
    backchannel.person_over(user.pk, told_of=sessions)
    access.end_all(user)


@receiver(user_deleted)
def end_who_is_deleted(sender: Any, *, user: User, **more: Any) -> None:  # noqa: ANN401 - Django's signature
    """Of who was disabled before, apps have heard."""
    if user.is_active:
        end_the_person(sender, user=user, **more)


@receiver(user_enabled)
def begin_with_nothing(sender: Any, *, user: User, **more: Any) -> None:  # noqa: ANN401 - Django's signature
    access.end_all(user)


@receiver(membership_changed)
def end_access_that_was_lost(sender: Any, *, users: Sequence[UUID], **more: Any) -> None:  # noqa: ANN401 - Django's signature
    """Apps that only some groups may use hear of everybody who has left the last of these groups."""
    used = Q(grant__user__in=users) | Q(devicegrant__user__in=users)
    access.end_where_lost(Client.objects.filter(used, is_group_restricted=True).distinct(), users)
