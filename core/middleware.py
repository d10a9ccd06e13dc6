"""What happens around every request. Protocol endpoints skip what only pages need."""

import logging
import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.messages.middleware import MessageMiddleware
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, RawPostDataException, UnreadablePostError
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.urls import get_resolver
from django.utils import translation
from django.utils.cache import patch_vary_headers

from core import ratelimit
from core.errors import AppError, CrossSiteRequest, RateLimited, RequestIncomplete, ServiceUnavailable
from core.http import BODY_LEFT, client_ip, error_response, is_cross_site, is_open_to_all_origins, request_id

logger = logging.getLogger("pocketid.request")

GetResponse = Callable[[HttpRequest], HttpResponseBase]

LIMITED_PATHS = ("/api/", "/authorize", "/.well-known/")
# Addresses that hold a code or a token where others have a name; the log shows what is before it.
CODE_PATHS = ("/lc/", "/st/", "/api/one-time-access-token/")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


def is_protocol(request: HttpRequest) -> bool:
    """Whether a program asks with its own credentials: no session, no CSRF token, no language, no nonce.

    The middlewares that skip such a request cost more than a userinfo answer does.
    """
    return hasattr(request, "urlconf")


@cache
def _protocol_paths(urlconf: str) -> frozenset[str]:
    return frozenset(f"/{pattern.pattern}" for pattern in get_resolver(urlconf).url_patterns)


class RequestMiddleware:
    """Request id, one log line, the headers of every answer, and refusals turned into answers."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        if settings.IS_HTTPS:
            request.META["wsgi.url_scheme"] = "https"  # what people see; TLS ends in the proxy
        this = request_id(request)  # from here on every log line carries it
        if "//" in request.path_info:  # Clients that join base and path with one slash too many (contract: one slash).
            request.path_info = request.path = _single_slashes(request.path_info)
        if request.path_info in _protocol_paths(settings.PROTOCOL_URLCONF):
            request.urlconf = settings.PROTOCOL_URLCONF  # Django looks there, in the short list
        response = self._answer(request)
        response["X-Request-ID"] = this
        if "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        if request.META.get("CONTENT_LENGTH") and not _is_read_to_the_end(request, response):
            request.META[BODY_LEFT] = True
        if (
            not response.streaming
            and "Content-Length" not in response
            and response.status_code != HTTPStatus.NO_CONTENT
        ):
            response["Content-Length"] = str(len(response.content))  # type: ignore[attr-defined] # only streaming answers have none
            if request.method == "HEAD":
                response.content = b""  # type: ignore[attr-defined] # the length is that of what GET would have sent
        if logger.isEnabledFor(logging.INFO):
            # The path without its query: queries carry codes and states.
            logger.info(
                "%s %s %s %.1f ms",
                request.method,
                _shown(request.path),
                response.status_code,
                (time.perf_counter() - started) * 1000,
                extra={"ip": client_ip(request)},
            )
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        if ratelimit.is_off() or not request.path_info.startswith(LIMITED_PATHS):
            return self.get_response(request)
        try:
            ratelimit.throttle.check(client_ip(request))
        except RateLimited as refused:
            # A refused preflight would keep the refusal itself, and when to come back, from the app.
            if not (request.method == "OPTIONS" and is_open_to_all_origins(request)):
                return error_response(request, refused)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DatabaseError):
            logger.error("the database failed", exc_info=exception)
            return error_response(request, ServiceUnavailable())
        if isinstance(exception, UnreadablePostError):
            return error_response(request, RequestIncomplete())
        return error_response(request, exception) if isinstance(exception, AppError) else None


class CrossSiteMiddleware:
    """Refuses unsafe requests that another site's page sends with this browser's session (attacks.md G17).

    Scripts that send a session cookie have no CSRF token, browsers always say where a request comes from:
    so the origin decides. The authorization endpoints take cross-site POSTs by specification and do nothing
    on their strength.
    """

    OPEN = ("/authorize", "/api/oidc/end-session")

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if (
            request.method not in SAFE_METHODS
            and not is_protocol(request)
            and request.path_info not in self.OPEN
            and settings.SESSION_COOKIE_NAME in request.COOKIES
            and is_cross_site(request)
        ):
            return error_response(request, CrossSiteRequest())
        return self.get_response(request)


def _shown(path: str) -> str:
    """The path without the code that links hold in it."""
    if not path.startswith(CODE_PATHS):
        return path
    return next(prefix for prefix in CODE_PATHS if path.startswith(prefix)) + "..."


MOST_UNREAD = 16 * 1024 * 1024  # bytes


def _is_read_to_the_end(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether nothing of the body stays on the connection, where it would be taken for the next request.

    What a refusal left is read, as far as is reasonable: the client may look for the answer only when it has sent everything.
    """
    if response.status_code < HTTPStatus.BAD_REQUEST and request._read_started:  # type: ignore[attr-defined] # who reads in peace reads all
        return True
    left = MOST_UNREAD
    try:
        while left > 0:
            part = request.read(65_536)
            if not part:
                return True
            left -= len(part)
    except RawPostDataException:  # everything has been read
        return True
    except OSError:  # the client is gone
        return False
    return False


def _single_slashes(path: str) -> str:
    while "//" in path:
        path = path.replace("//", "/")
    return path


class PageCsrfMiddleware(CsrfViewMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        if not is_protocol(request):
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if is_protocol(request) else super().process_response(request, response)


class PageMessageMiddleware(MessageMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        if not is_protocol(request):
            super().process_request(request)


class PageLocaleMiddleware(LocaleMiddleware):
    """The language that a person chose, or their browser asks for. No address has a language in it."""

    def process_request(self, request: HttpRequest) -> None:
        if not is_protocol(request):
            translation.activate(translation.get_language_from_request(request))
            request.LANGUAGE_CODE = translation.get_language()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not is_protocol(request) and "Location" not in response:  # a redirect says nothing to anybody
            patch_vary_headers(response, ("Accept-Language",))
            response.headers.setdefault("Content-Language", translation.get_language())
        return response


class PageCspMiddleware(CSPMiddleware):
    """A policy with a nonce for pages; for programs and redirects the one that allows nothing."""

    def process_request(self, request: HttpRequest) -> None:
        if not is_protocol(request):
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # It matters only where there is a document, and to build that of pages takes 40 microseconds.
        if is_protocol(request) or "Location" in response:
            response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
            return response
        return super().process_response(request, response)
