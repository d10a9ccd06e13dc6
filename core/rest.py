"""What every REST resource shares: who may ask, lists, text, and how refusals look (contract sections 1.4 to 1.9)."""

import base64
import binascii
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import AppError, EndpointNotFound, Forbidden, InvalidRequestBody, NotSignedIn, ValidationFailed
from core.http import request_id

if TYPE_CHECKING:  # DRF imports this module while it is being imported itself
    from rest_framework.views import APIView

# Who may ask


class IsSignedIn(BasePermission):
    """Any person who is signed in, or the owner of an API key."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return bool(request.user and request.user.is_authenticated)


class IsAdministrator(BasePermission):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not (request.user and request.user.is_authenticated):
            raise NotSignedIn
        return bool(request.user.is_staff)


# Lists (contract section 1.7)

DEFAULT_LIMIT, MAX_LIMIT = 20, 100


@dataclass(frozen=True)
class ListRules:
    """What a list can be searched, sorted and filtered by: names as clients write them, to fields of the model."""

    search: tuple[str, ...] = ()
    sort: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    default: tuple[str, ...] = ("created_at",)


@dataclass(frozen=True)
class ListQuery:
    """The options of one request. Whatever cannot be read means its default, as clients expect."""

    page: int
    limit: int
    search: str
    column: str
    descending: bool
    filters: Mapping[str, list[str]]

    @classmethod
    def of(cls, request: Request) -> "ListQuery":
        given = request.query_params
        page, limit = (given.get(f"pagination[{name}]") or given.get(name) or "" for name in ("page", "limit"))
        filters: dict[str, list[str]] = {}
        for name in given:
            if found := re.fullmatch(r"filters\[(\w+)\](\[\d*\])?", name):
                filters.setdefault(found[1], []).extend(given.getlist(name))
        if not all(_is_whole(text) for text in (page, limit)):
            page = limit = ""
        wanted = int(limit or 0)
        return cls(
            page=max(int(page or 1), 1),
            limit=min(wanted, MAX_LIMIT) if wanted >= 1 else DEFAULT_LIMIT,
            search=given.get("search", ""),
            column=given.get("sort[column]", ""),
            descending=given.get("sort[direction]", "") == "desc",
            filters=filters,
        )


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"-?\d{0,9}", text) is not None


def page_of(
    request: Request,
    rows: "QuerySet[Any]",
    rules: ListRules,
    serializer: type[serializers.BaseSerializer[Any]],
    **context: object,
) -> Response:
    """One page of ``rows`` in the envelope every list has."""
    query = ListQuery.of(request)
    rows = _sorted(_filtered(_searched(rows, query, rules), query, rules), query, rules)
    total = rows.count()
    pages = max(math.ceil(total / query.limit), 1)
    page = min(query.page, pages)
    found = rows[(page - 1) * query.limit : page * query.limit]
    data = serializer(found, many=True, context={"request": request, **context}).data
    envelope = {"totalPages": pages, "totalItems": total, "currentPage": page, "itemsPerPage": query.limit}
    return Response({"data": data, "pagination": envelope})


def _searched(rows: "QuerySet[Any]", query: ListQuery, rules: ListRules) -> "QuerySet[Any]":
    if not query.search or not rules.search:
        return rows
    wanted = Q()
    for name in rules.search:
        wanted |= Q(**{f"{name}__icontains": query.search})
    return rows.filter(wanted)


def _filtered(rows: "QuerySet[Any]", query: ListQuery, rules: ListRules) -> "QuerySet[Any]":
    for name, values in query.filters.items():
        if name in rules.filters:
            rows = rows.filter(**{f"{rules.filters[name]}__in": [_coerced(value) for value in values]})
    return rows


def _coerced(value: str) -> object:
    return {"true": True, "false": False}.get(value, value)


def _sorted(rows: "QuerySet[Any]", query: ListQuery, rules: ListRules) -> "QuerySet[Any]":
    """Text without regard to case; equal rows by key, so that no page repeats what another showed."""
    column = rules.sort.get(query.column)
    if column is None:
        return rows.order_by(*rules.default, "pk")
    ordering: Any = F(column)
    if "__" not in column and column not in rows.query.annotations:
        found = rows.model._meta.get_field(column)
        if isinstance(found, models.CharField | models.TextField):
            ordering = Lower(column)
    ordered = ordering.desc(nulls_last=True) if query.descending else ordering.asc(nulls_last=True)
    return rows.order_by(ordered, "pk")


def path_id(text: str) -> str:
    """An id in a path; ``~`` marks base64url, for ids that are addresses (contract section 1.1)."""
    if not text.startswith("~"):
        return text
    try:
        return base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)).decode()
    except (binascii.Error, ValueError):
        return text


# Text


class Text(serializers.CharField):
    """Text in NFC without NUL, trimmed of nothing; lengths count characters (contract section 1.6)."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - whatever a field takes
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever the client sent
        if not isinstance(data, str):
            raise InvalidRequestBody
        return str(super().to_internal_value(unicodedata.normalize("NFC", data)))


# Refusals (contract section 1.9)

# DRF's code -> ours.
_FIELD_CODES = {
    "required": "required",
    "blank": "required",
    "null": "required",
    "max_length": "too_long",
    "max_value": "too_long",
    "min_length": "too_short",
    "min_value": "too_short",
    "invalid": "invalid_format",
}


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
            return ValidationFailed(_fields(exception.get_full_details()))
        case exceptions.ParseError() | exceptions.UnsupportedMediaType():
            return InvalidRequestBody()
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return NotSignedIn()
        case exceptions.PermissionDenied():
            return Forbidden()
        case exceptions.MethodNotAllowed() | Http404():
            return EndpointNotFound()
    return None


def _fields(details: Any, prefix: str = "") -> list[tuple[str, str, str]]:  # noqa: ANN401 - nested as DRF makes it
    """(name, code, words) of each problem; what is nested is named ``callbackURLs[0]``, ``permissions[1].key``."""
    found: list[tuple[str, str, str]] = []
    if isinstance(details, dict) and "message" in details and "code" in details:
        code = _FIELD_CODES.get(str(details["code"]), str(details["code"]))
        return [(prefix, code, _words(str(details["code"]), str(details["message"])))]
    if isinstance(details, dict):
        for name, problems in details.items():
            place = f"{prefix}[{name}]" if isinstance(name, int) else f"{prefix}.{name}" if prefix else str(name)
            found.extend(_fields(problems, place))
    elif isinstance(details, list):
        nested = any(not (isinstance(item, dict) and "code" in item and "message" in item) for item in details)
        for index, problem in enumerate(details):
            found.extend(_fields(problem, f"{prefix}[{index}]" if nested else prefix))
    return found


def _words(code: str, message: str) -> str:
    number = "".join(c for c in message if c.isdigit())
    match code:
        case "required" | "blank" | "null":
            return "is required"
        case "max_length" | "max_value":
            return f"must be at most {number} characters long"
        case "min_length" | "min_value":
            return f"must be at least {number} characters long"
    return message
