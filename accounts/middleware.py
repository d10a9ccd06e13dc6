"""Who is asking: from the session cookie to ``request.session`` and ``request.user``."""

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware as DjangoAuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from accounts.session_store import SessionStore
from core.middleware import is_protocol


class SessionMiddleware(DjangoSessionMiddleware):
    """Reads the cookie; only signing in and out writes it (``accounts.authentication``)."""

    def process_request(self, request: HttpRequest) -> None:
        if not is_protocol(request):
            request.session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # type: ignore[override] # Django's stub knows no streaming answers
        session = getattr(request, "session", None)
        if session is not None and session.modified and response.status_code < 500:
            session.save()
        return response


class AuthenticationMiddleware(DjangoAuthenticationMiddleware):
    """``request.user`` comes with the session's row; a disabled person is nobody."""

    def process_request(self, request: HttpRequest) -> None:
        if not is_protocol(request):
            request.user = SimpleLazyObject(lambda: _user(request))  # type: ignore[assignment] # behaves as the user it becomes


def _user(request: HttpRequest) -> User | AnonymousUser:
    row = request.session.row if isinstance(request.session, SessionStore) else None
    return row.user if row is not None and row.user.is_active else AnonymousUser()
