"""Somebody with an account and a device that holds their passkey."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings

from accounts import passkeys, sessions
from accounts.models import Passkey, User
from tests.support.authenticator import Authenticator
from tests.support.credential import EDDSA


@dataclass
class Person:
    user: User
    device: Authenticator = field(repr=False)

    @property
    def passkey(self) -> Passkey:
        return self.user.passkeys.get()

    @property
    def subject(self) -> str:
        return str(self.user.pk)


def a_person(username: str, *, algorithm: int = EDDSA, **fields: object) -> Person:
    """A new account, and its passkey registered by a real ceremony."""
    given = {
        "first_name": username.title(),
        "last_name": "Example",
        "display_name": f"{username.title()} Example",
        "email": f"{username}@example.org",
        "email_verified": True,
    }
    person = Person(
        User.objects.create(username=username, **given | fields),
        Authenticator(settings.APP_URL, algorithms=(algorithm,)),
    )
    session, _key = sessions.start(person.user, methods=["otp"], place=sessions.Place(), lifetime=timedelta(minutes=1))
    started = passkeys.begin_registration(person.user, session=session, rp_name="Pocket ID")
    passkeys.finish_registration(person.user, person.device.create(started.options), key=started.key, session=session)
    sessions.end(session)
    return person
