"""What belongs to no app: the front door, health, and the answers when nothing else answers."""

from http import HTTPStatus

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext_lazy as _

from core.errors import AppError, EndpointNotFound, Forbidden
from core.http import (
    endpoint,
    error_response,
    is_api,
    is_open_to_all_origins,
    json_response,
    no_content,
    open_to_all_origins,
    request_id,
    wants_page,
)
from core.middleware import is_protocol
from oidc.errors import InvalidRequestError, oauth_error_response
from oidc.views import misdirected


@endpoint("GET")
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers (contract section 2)."""
    return no_content()


@endpoint("GET")
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and is migrated: traffic may come."""
    try:
        executor = MigrationExecutor(connection)
        unapplied = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return json_response(
            {"ready": False, "reason": "the database does not answer"}, status=HTTPStatus.SERVICE_UNAVAILABLE
        )
    if unapplied:
        return json_response(
            {"ready": False, "reason": "migrations are missing"}, status=HTTPStatus.SERVICE_UNAVAILABLE
        )
    return json_response({"ready": True})


class BadRequest(AppError):
    code = "invalid_request"
    status = 400
    message = _("The request cannot be read")


class InternalError(AppError):
    """The exception is in the log, under the same request id."""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_protocol(request):
        refusal = oauth_error_response(InvalidRequestError(description="The request cannot be read."))
        if is_open_to_all_origins(request):
            open_to_all_origins(refusal)
        return refusal
    return error_response(request, BadRequest())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403) if wants_page(request) else error_response(request, Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A slash too many is forgiven; programs are told in JSON, so that none takes a page for an answer."""
    path = request.path_info
    is_too_many = path.endswith("/") and path != "/" and not path.startswith("/admin/")  # whose pages all have one
    if is_too_many and (not is_api(path) or _exists(path.rstrip("/"))):
        return _without_slash(request)
    if (meant := misdirected.recognised(request)) is not None:
        return error_response(request, meant)
    if wants_page(request):
        return render(request, "404.html", status=404)
    return error_response(request, EndpointNotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    if wants_page(request):
        return render(request, "500.html", {"reference": request_id(request)[:8].upper()}, status=500)
    return error_response(request, InternalError())


def _exists(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def _without_slash(request: HttpRequest) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    target = escape_uri_path(request.path.rstrip("/")) + (f"?{query}" if query else "")
    if request.method in ("GET", "HEAD"):
        return HttpResponsePermanentRedirect(target)
    response = HttpResponse(status=HTTPStatus.TEMPORARY_REDIRECT)  # keeps the method and the body
    response["Location"] = target
    return response
