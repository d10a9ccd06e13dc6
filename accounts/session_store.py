"""Our sessions as Django's admin knows them. A visitor who has not signed in has none, and none is made."""

from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from accounts import cleanup, sessions
from accounts.models import Session


class SessionStore(SessionBase):
    """Reads the row of the cookie once, when first asked; writes only what changed in ``data``."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._row: Session | None = None
        self._looked = False

    @property
    def row(self) -> Session | None:
        """The live session with its person, or ``None`` for a visitor."""
        if not self._looked:
            self._row, self._looked = sessions.find(self.session_key or ""), True
        return self._row

    def load(self) -> dict[str, Any]:
        return dict(self.row.data) if self.row else {}

    def save(self, must_create: bool = False) -> None:
        if self.row is not None:
            Session.objects.filter(pk=self.row.pk).update(data=self._get_session(no_load=must_create))  # type: ignore[attr-defined] # Django's own name for it

    def create(self) -> None:
        self.modified = True

    def delete(self, session_key: str | None = None) -> None:
        if self.row is not None:
            sessions.end(self.row)

    def exists(self, session_key: str) -> bool:
        return sessions.find(session_key) is not None

    @classmethod
    def clear_expired(cls) -> None:
        cleanup.delete_expired()
