"""Sessions over HTTP: whose request is this, and the cookies of signing in and out."""

from collections.abc import Sequence
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts import sessions
from accounts.models import Passkey, Session, User
from accounts.session_store import SessionStore
from core.errors import ApiKeyNotAllowed, NotSignedIn, UserDisabled
from core.http import client_ip, user_agent
from siteconfig.models import current


def session_of(request: HttpRequest) -> Session | None:
    """The live session of this request's cookie, or of its bearer token on ``/api`` (contract section 1.4)."""
    if isinstance(request.session, SessionStore) and request.session.row is not None:
        return request.session.row
    _scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return sessions.find(token.strip()) if token and request.path.startswith("/api/") else None


def require_session(request: HttpRequest) -> Session:
    """The session of this request; raise ``NotSignedIn`` or ``UserDisabled``."""
    session = session_of(request)
    if session is None:
        if request.headers.get("X-API-Key") and request.path.startswith("/api/"):
            raise ApiKeyNotAllowed  # a key has no session, and is no person in front of a browser
        raise NotSignedIn
    if not session.user.is_active:
        raise UserDisabled
    return session


def has_shown_passkey(request: HttpRequest) -> bool:
    """Whether whoever is signed in in this browser has shown a passkey since; a code signs in without one."""
    session = request.session.row if isinstance(request.session, SessionStore) else None
    return session is not None and session.proved_at is not None


class SessionAuthentication(BaseAuthentication):
    """REST by a person who is signed in. Cross-site use of the cookie is refused before it gets here."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        session = session_of(request._request)
        if session is None:
            return None
        if not session.user.is_active:
            raise UserDisabled
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def place_of(request: HttpRequest) -> sessions.Place:
    return sessions.Place(client_ip(request), user_agent(request))


def sign_in(
    request: HttpRequest, user: User, *, methods: Sequence[str], passkey: Passkey | None = None
) -> tuple[Session, str]:
    """Start a session for ``user``, or renew the one this browser has of theirs; somebody else's ends."""
    present, lifetime = session_of(request), current().session_lifetime
    if present is not None and present.user == user:
        with suppress(sessions.SessionOver):  # signed out in another tab while this one signs in
            return present, sessions.renew(present, methods=methods, lifetime=lifetime, passkey=passkey)
    elif present is not None:
        sessions.end(present)
    place = place_of(request)
    return sessions.start(user, methods=methods, place=place, lifetime=lifetime, passkey=passkey)


def set_session_cookie(response: HttpResponseBase, session: Session, key: str) -> None:
    """The cookie lives as long as the session; ``Secure`` also on http, which browsers accept for localhost."""
    response.set_cookie(
        settings.SESSION_COOKIE_NAME,
        key,
        max_age=round((session.expires_at - timezone.now()).total_seconds()),
        secure=True,
        httponly=True,
        samesite="Lax",
        path="/",
    )


def clear_session_cookie(response: HttpResponseBase) -> None:
    response.delete_cookie(settings.SESSION_COOKIE_NAME, path="/", samesite="Lax")
    response.cookies[settings.SESSION_COOKIE_NAME]["secure"] = True
    response.cookies[settings.SESSION_COOKIE_NAME]["httponly"] = True
