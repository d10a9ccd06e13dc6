"""What every REST resource shares: who may ask, and how refusals look (contract section 1.9)."""

from typing import TYPE_CHECKING, Any

from django.http import Http404
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import AppError, EndpointNotFound, Forbidden, InvalidRequestBody, NotSignedIn, ValidationFailed
from core.http import request_id

if TYPE_CHECKING:  # DRF imports this module while it is being imported itself
    from rest_framework.views import APIView

# DRF's code -> ours, and the words that follow the field's name.
_FIELD_CODES = {
    "required": "required",
    "blank": "required",
    "null": "required",
    "max_length": "too_long",
    "min_length": "too_short",
    "invalid": "invalid_format",
    "unique": "already_in_use",
}


class IsSignedIn(BasePermission):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        return bool(request.user and request.user.is_authenticated)


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exceptions as ours; anything unknown is left to Django, which logs it and answers 500."""
    error = _as_app_error(exception)
    if error is None:
        return None
    return Response(error.as_json(request_id(context["request"]._request)), status=error.status)


def _as_app_error(exception: Exception) -> AppError | None:
    match exception:
        case AppError():
            return exception
        case exceptions.ValidationError():
            return ValidationFailed(list(_fields(exception.get_full_details())))
        case exceptions.ParseError() | exceptions.UnsupportedMediaType():
            return InvalidRequestBody()
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return NotSignedIn()
        case exceptions.PermissionDenied():
            return Forbidden()
        case exceptions.MethodNotAllowed() | Http404():
            return EndpointNotFound()
    return None


def _fields(details: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 - nested lists and dictionaries, as DRF makes them
    found = []
    for name, problems in details.items() if isinstance(details, dict) else ():
        for problem in problems if isinstance(problems, list) else [problems]:
            code = _FIELD_CODES.get(str(problem.get("code")), str(problem.get("code")))
            found.append((name, code, _words(code, str(problem.get("message", "")))))
    return found


def _words(code: str, message: str) -> str:
    number = "".join(c for c in message if c.isdigit())
    match code:
        case "required":
            return "is required"
        case "too_long":
            return f"must be at most {number} characters long"
        case "too_short":
            return f"must be at least {number} characters long"
    return message
