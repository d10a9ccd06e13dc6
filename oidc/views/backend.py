"""What the endpoints share that an app's server calls, and no browser: token, introspection, revocation, PAR, device."""

import logging
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

from core.http import endpoint
from oidc import client_authentication, parameters
from oidc.errors import InvalidClientError, OAuth2Error, describe, oauth_error_response

logger = logging.getLogger("pocketid.oidc")

# A device asks again every few seconds until somebody has decided; that is no news.
WAITING = ("authorization_pending", "slow_down")

View = Callable[[HttpRequest], HttpResponse]


def backend_endpoint(*, cors: bool = False) -> Callable[[View], View]:
    """POST only; refusals as RFC 6749 section 5.2 has them; nothing is kept by a cache (section 5.1)."""

    def decorate(view: View) -> View:
        @endpoint("POST", cors=cors)
        @wraps(view)
        def call(request: HttpRequest) -> HttpResponse:
            try:
                response = view(request)
            except OAuth2Error as refused:
                _log(request, refused)
                response = oauth_error_response(refused, used_basic="Authorization" in request.headers)
            response["Cache-Control"], response["Pragma"] = "no-store", "no-cache"
            if response.content:
                response["Content-Type"] = "application/json;charset=UTF-8"  # spelled as in RFC 6749 section 5.1
            return response

        return call

    return decorate


def _log(request: HttpRequest, refused: OAuth2Error) -> None:
    """What the app was told, and which app: its own log may say less."""
    if refused.error in WAITING:
        return
    try:
        sender = client_authentication.read(parameters.form_of(request), request.META.get("HTTP_AUTHORIZATION", ""))
    except OAuth2Error:
        client_id = ""
    else:
        if isinstance(refused, InvalidClientError):
            return  # logged where it was found out
        client_id = sender.client_id
    logger.warning("%s refused: %s (%s) client %.64r", request.path, refused.error, describe(refused), client_id)
