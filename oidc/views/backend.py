"""What the endpoints share that an app's server calls, and no browser: token, introspection, revocation, PAR, device."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse

from core.http import endpoint
from oidc.errors import OAuth2Error, oauth_error_response

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
                response = oauth_error_response(refused, used_basic="Authorization" in request.headers)
            response["Cache-Control"], response["Pragma"] = "no-store", "no-cache"
            if response.content:
                response["Content-Type"] = "application/json;charset=UTF-8"  # spelled as in RFC 6749 section 5.1
            return response

        return call

    return decorate
