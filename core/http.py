"""Facts about a request, and the few answers every app gives."""

import ipaddress
import json
import logging
import uuid
from collections.abc import Callable
from functools import lru_cache, wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import csrf_exempt

from core.errors import AppError, EndpointNotFound, InvalidRequestBody
from core.logs import current_request_id

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

logger = logging.getLogger("pocketid.refusals")

MAX_JSON_BODY = 256 * 1024
# In the WSGI environment of a request whose body was not read to its end: the connection ends with the answer.
BODY_LEFT = "pocketid.body_left"

_as_json = DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def request_id(request: HttpRequest) -> str:
    """The id of this request, the same in the log, in ``X-Request-ID`` and in error bodies."""
    found: str | None = getattr(request, "id", None)
    if found is None:
        found = str(uuid.uuid4())
        request.id = found  # type: ignore[attr-defined] # set here and read here
        current_request_id.set(found)
    return found


def client_ip(request: HttpRequest) -> str:
    """The visitor's address: believes only the proxies of TRUST_PROXY, and the connection when in doubt."""
    found: str | None = getattr(request, "client_ip", None)
    if found is None:
        found = request.client_ip = _client_ip(request)  # type: ignore[attr-defined] # set here and read here
    return found


def _client_ip(request: HttpRequest) -> str:
    connected: str = request.META.get("REMOTE_ADDR") or ""
    peer = _address(connected) or connected
    if settings.TRUSTED_PLATFORM and (given := request.headers.get(settings.TRUSTED_PLATFORM, "")):
        return _address(given) or peer
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if not forwarded or not _is_trusted(peer):
        return peer
    for text in reversed(forwarded[-1024:].split(",")):
        address = _address(text)
        if address is None:
            return peer
        if not _is_trusted(address):
            return address
        peer = address
    return peer


@lru_cache(maxsize=4096)  # the same few addresses come with request after request
def _address(text: str) -> str | None:
    parsed = _parsed(text)
    return str(parsed) if parsed is not None else None


def _is_trusted(address: str) -> bool:
    return _is_within(address, settings.TRUST_PROXY)


@lru_cache(maxsize=4096)
def _is_within(address: str, texts: tuple[str, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in _networks(texts))


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address; an IPv4 visitor of an IPv6 socket is an IPv4 visitor."""
    try:
        # A zone ("fe80::1%eth0") is a word of another machine, and databases take none.
        parsed = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


@lru_cache(maxsize=4)
def _networks(texts: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def user_agent(request: HttpRequest) -> str:
    # From META: ``request.headers`` reads them all first.
    return str(request.META.get("HTTP_USER_AGENT", "")).replace("\0", "")[:512]


def host_of(url: str) -> str:
    """Host and port of an absolute address; empty for what is none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def is_api(path: str) -> bool:
    """Whether the address belongs to programs, who get JSON where a person gets a page."""
    return path.startswith(("/api/", "/.well-known/"))


def wants_page(request: HttpRequest) -> bool:
    """Whether a person's browser asks: programs must never be given a page with good news in its status."""
    return not is_api(request.path) and "text/html" in request.headers.get("Accept", "")


def is_cross_site(request: HttpRequest) -> bool:
    """Whether a browser sends this for a page of another site. Programs say nothing of where they come from."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != "null":
        return origin.rstrip("/").lower() != settings.APP_URL
    return origin == "null" or request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")


def safe_path(target: str | None, default: str) -> str:
    """``target`` if it is a path on this server, else ``default``: never an address elsewhere."""
    if (
        not target
        or not target.startswith("/")
        or target.startswith(("//", "/\\"))
        or any(ord(c) < 0x20 or c == "\\" for c in target)
    ):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc else target


def json_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body; raise ``InvalidRequestBody`` for anything else, of any size or nesting."""
    kind = (request.content_type or "").lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise InvalidRequestBody
    try:
        # The body is read once the header has said that it is not too large.
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_JSON_BODY or len(request.body) > MAX_JSON_BODY:
            raise InvalidRequestBody
    except ValueError:
        raise InvalidRequestBody from None
    try:
        body = json.loads(request.body)
        # Half of a surrogate pair and NUL are valid JSON and no text: databases refuse them.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InvalidRequestBody from None
    if b"\\u0000" in request.body:
        raise InvalidRequestBody
    if not isinstance(body, dict):
        raise InvalidRequestBody
    return body


def endpoint(*methods: str, cors: bool = False) -> Callable[[View], View]:
    """A view for programs: no CSRF token, only these methods (HEAD goes with GET), and CORS where the contract opens it.

    Cross-site use of a browser's session is stopped by ``core.middleware`` instead, which needs no token.
    """

    def decorate(view: View) -> View:
        allowed = {*methods, "HEAD"} if "GET" in methods else {*methods}

        @csrf_exempt
        @wraps(view)
        def call(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if cors and request.method == "OPTIONS":
                response: HttpResponseBase = no_content()
            elif request.method in allowed:
                response = view(request, *args, **kwargs)
            else:
                response = error_response(request, EndpointNotFound())
            return open_to_all_origins(response) if cors else response

        call.is_open_to_all_origins = cors  # type: ignore[attr-defined] # for refusals from outside the view
        return cast("View", call)

    return decorate


def json_response(body: object, *, status: int = 200) -> HttpResponse:
    """JSON without blanks and with its charset named, as Pocket ID has it."""
    return HttpResponse(
        _as_json(body),
        status=status,
        content_type="application/json; charset=utf-8",
    )


def no_content() -> HttpResponse:
    response = HttpResponse(status=HTTPStatus.NO_CONTENT)
    del response["Content-Type"]
    return response


def open_to_all_origins(response: HttpResponseBase) -> HttpResponseBase:
    """CORS without credentials for browser apps (contract section 1.3)."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Headers"] = "Authorization"
    response["Access-Control-Allow-Methods"] = "GET, POST"
    return response


def is_open_to_all_origins(request: HttpRequest) -> bool:
    """Whether the view of this address answers apps in browsers; also before it was looked for."""
    try:
        match = request.resolver_match or resolve(request.path_info, getattr(request, "urlconf", None))
    except Resolver404:
        return False
    return getattr(match.func, "is_open_to_all_origins", False)


def error_response(request: HttpRequest, error: AppError) -> HttpResponse:
    """The one place where a refusal becomes HTTP: a page for people, JSON for programs, the cause for administrators."""
    if error.causes:
        causes = "; ".join(f"{label}: {text!r}" for label, text in error.causes)
        logger.warning("%s (%s)", error, causes)
    if wants_page(request):
        is_administrator = getattr(getattr(request, "user", None), "is_staff", False)
        context = {
            "title": error.message,
            "message": error.remedy,
            "side": error.side,
            "reference": "" if error.is_a_step else request_id(request)[:8].upper(),
            "status": error.status,
            "client": error.app,
            "details": error.causes if is_administrator else [],
            "actions": [error.mend] if is_administrator and error.mend else [],
        }
        return with_headers(render(request, "error.html", context, status=error.status), error)
    body = error.as_json(request_id(request))
    if hasattr(request, "urlconf") and "code" in body:  # a protocol endpoint, and not merely the wrong method
        # The member that client libraries show to people (RFC 6749 section 5.2).
        body.setdefault("error_description", str(error.message))
    response = with_headers(json_response(body, status=error.status), error)
    if is_open_to_all_origins(request):
        open_to_all_origins(response)
        if "Retry-After" in response:
            response["Access-Control-Expose-Headers"] = "Retry-After"
    return response


def with_headers(response: HttpResponse, error: AppError) -> HttpResponse:
    """The answer that tells of a refusal, with what belongs in its headers, such as when to come back."""
    for name, value in getattr(error, "headers", {}).items():
        response[name] = value
    return response
