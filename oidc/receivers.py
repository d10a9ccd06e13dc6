"""What the provider does when something happens to a person or a session."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.models import Session, User
from accounts.signals import membership_changed, session_ended, user_deleted, user_disabled
from oidc import backchannel, clients


@receiver(session_ended)
def tell_apps_of_the_session(sender: Any, *, session: Session, **more: Any) -> None:  # noqa: ANN401 - Django's signature
    backchannel.session_over(session.pk, session.user_id)


@receiver(user_disabled)
@receiver(user_deleted)
def tell_apps_of_the_person(sender: Any, *, user: User, **more: Any) -> None:  # noqa: ANN401 - Django's signature
    backchannel.person_over(user.pk)


@receiver(membership_changed)
def tell_apps_of_lost_groups(sender: Any, *, users: list[UUID], **more: Any) -> None:  # noqa: ANN401 - Django's signature
    clients.tell_of_lost_access(users)
