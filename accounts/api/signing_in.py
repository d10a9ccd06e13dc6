"""How REST routes that sign somebody in answer: the person, and the cookie of their session."""

from collections.abc import Sequence

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import new_devices
from accounts.api.users import shown
from accounts.authentication import place_of, set_session_cookie, sign_in
from accounts.models import User
from audit import log
from audit.models import Event


def signed_in(
    request: Request, user: User, *, methods: Sequence[str], event: Event, status: int = 200, **data: str
) -> Response:
    session, key = sign_in(request._request, user, methods=methods)
    new_devices.notice(user, place_of(request._request))
    log.record(event, user=user, request=request._request, actor=None, **data)
    response = shown(user, status=status)
    set_session_cookie(response, session, key)
    return response
