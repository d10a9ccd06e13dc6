"""Every address of the server, and the two constant views.

``/bench/const`` passes the server's middleware as a protocol endpoint does. ``/bench/bare`` passes none: it is the
constant view of ``performance.md``, and does not become cheaper when the middleware does.
"""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_resolver, include, path

from core.middleware import GetResponse

BARE = "/bench/bare"
BODY = b'{"constant": true}'


def constant(request: HttpRequest) -> HttpResponse:
    return HttpResponse(BODY, content_type="application/json")


# First, so that finding them costs as little as it can: a reference that is dear flatters everything else.
urlpatterns = [path("bench/const", constant), path("bench/bare", constant), path("", include("pocketid.urls"))]
handler400 = "pocketid.views.bad_request"
handler403 = "pocketid.views.forbidden"
handler404 = "pocketid.views.not_found"
handler500 = "pocketid.views.server_error"


class BareMiddleware:
    """Outermost: finds and calls the bare view as Django does, before any middleware of the server has run."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info != BARE:
            return self.get_response(request)
        view, arguments, named = get_resolver().resolve(request.path_info)
        answer: HttpResponseBase = view(request, *arguments, **named)
        answer["Content-Length"] = str(len(BODY))
        return answer
