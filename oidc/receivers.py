"""What the provider does when something happens to a person or a session."""

from typing import Any

from django.dispatch import receiver

from accounts.models import Session, User
from accounts.signals import session_ended, user_deleted, user_disabled
from oidc import backchannel


@receiver(session_ended)
def tell_apps_of_the_session(sender: Any, *, session: Session, **more: Any) -> None:  # noqa: ANN401 - Django's signature
    backchannel.session_over(session.pk, session.user_id)


@receiver(user_disabled)
@receiver(user_deleted)
def tell_apps_of_the_person(sender: Any, *, user: User, **more: Any) -> None:  # noqa: ANN401 - Django's signature
    backchannel.person_over(user.pk)
