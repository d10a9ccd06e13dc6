"""The first API key, for whoever may run commands where the server runs: no browser, no passkey."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import sessions, setup
from accounts.errors import SetupNotAvailable
from apikeys import keys
from apikeys.models import ApiKey
from audit import log
from audit.models import Event

NAME = "bootstrap"
COMMAND = "pocketid bootstrap"


def make_key(path: Path, *, lifetime: timedelta) -> ApiKey:
    """A key of the first administrator, who is made if there is nobody; its text is written to ``path`` and nowhere else.

    ``path`` must not exist yet; its owner alone can read it. Once there is a passkey, an API key or a second person
    this is over: raise ``SetupNotAvailable``. Raise ``OSError`` for a file that cannot be made; nothing has changed then.
    """
    # Asked before the file is made, so that a refusal leaves none; asked again in the transaction, where it counts.
    if not setup.is_unfinished():
        raise SetupNotAvailable
    with _new_file(path) as file, transaction.atomic():
        user, is_new = setup.begin(token=settings.SETUP_TOKEN)
        if is_new:
            log.record(Event.SETUP_COMPLETED, user=user, request=None, method=COMMAND)
        key, secret = keys.create(
            user, name=NAME, expires_at=timezone.now() + lifetime, description=f"Made by {COMMAND}"
        )
        log.record(Event.API_KEY_CREATED, user=user, request=None, keyName=key.name, method=COMMAND)
        for session in user.sessions.all():  # until now anybody could have one
            sessions.end(session)
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """A file that was not there, with mode 0600; gone again if what it is for fails."""
    # O_EXCL follows no symbolic link and opens nothing that somebody else has put there.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
