"""Whose key is in ``X-API-Key`` (contract section 1.4). Tried after the session, so that a person's own rights count first."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.models import User
from apikeys import static_key
from apikeys.models import ApiKey
from core.errors import UserDisabled
from core.http import client_ip
from core.rest import KeyRights

HEADER = "X-API-Key"


class KeyInUse(KeyRights):
    """What ``request.auth`` is; ``key`` is ``None`` for the one of the environment."""

    def __init__(self, key: ApiKey | None) -> None:
        self.key = key
        self.scopes = frozenset(key.scopes) if key is not None and key.scopes else None


class ApiKeyAuthentication(BaseAuthentication):
    """A key that is wrong, revoked or expired is nobody's: all three look alike (attacks.md G6)."""

    def authenticate(self, request: Request) -> tuple[User, KeyInUse] | None:
        presented = request.headers.get(HEADER, "")
        if not presented:
            return None
        if static_key.is_it(presented):
            return _active(static_key.user()), KeyInUse(None)
        key = ApiKey.objects.usable().matching(presented).select_related("user").first()
        if key is None:
            return None
        user = _active(key.user)
        ApiKey.objects.note_use(key, client_ip(request._request))
        return user, KeyInUse(key)

    def authenticate_header(self, request: Request) -> str:
        return HEADER


def _active(user: User) -> User:
    if not user.is_active:
        raise UserDisabled
    return user
