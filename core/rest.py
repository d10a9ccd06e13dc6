"""What every REST resource shares: who may ask, bodies, lists, and how refusals look (contract sections 1.4 to 1.9)."""

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models import F, QuerySet
from django.db.models.functions import Lower
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from core import rest_pages
from core.errors import (
    ApiKeyNotAllowed,
    AppError,
    EndpointNotFound,
    Forbidden,
    InvalidRequestBody,
    MissingScope,
    NotSignedIn,
    ValidationFailed,
)
from core.http import request_id
from core.rest_fields import Text as Text  # noqa: PLC0414 - a resource finds what it needs most in one place
from core.search_text import containing

if TYPE_CHECKING:  # DRF imports this module while it is being imported itself
    from rest_framework.views import APIView

# Who may ask. A view says by ``scope`` which resource it serves; a key with scopes may ask only for its own.


class KeyRights:
    """What ``request.auth`` is when an API key asks. ``scopes`` is ``None`` for a key with all rights of its owner."""

    scopes: frozenset[str] | None = None

    def allows(self, resource: str, *, write: bool) -> bool:
        """Whoever may write a resource may read it."""
        granted = self.scopes
        return granted is None or f"{resource}:write" in granted or (not write and f"{resource}:read" in granted)


def has_full_rights(request: Request) -> bool:
    """Whether an API key asks that was given everything its owner may do."""
    return isinstance(request.auth, KeyRights) and request.auth.scopes is None


def is_scoped(request: Request) -> bool:
    """Whether an API key asks that was given less than its owner may do."""
    return isinstance(request.auth, KeyRights) and request.auth.scopes is not None


def _check_scope(request: Request, view: "APIView") -> None:
    if not isinstance(request.auth, KeyRights):
        return
    resource, write = getattr(view, "scope", ""), request.method not in SAFE_METHODS
    if not request.auth.allows(resource, write=write):
        raise MissingScope(f"{resource}:{'write' if write else 'read'}") if resource else Forbidden()


class IsSignedIn(BasePermission):
    """Any person who is signed in, or the owner of an API key."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        _check_scope(request, view)
        return True


class IsAdministrator(BasePermission):
    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not (request.user and request.user.is_authenticated):
            raise NotSignedIn
        if not request.user.is_staff:
            return False
        _check_scope(request, view)
        return True


class IsSignedInBySession(BasePermission):
    """A person in their browser: an API key is told so (contract section 1, mark B)."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if isinstance(request.auth, KeyRights):
            raise ApiKeyNotAllowed
        return bool(request.user and request.user.is_authenticated)


# Lists (contract section 1.7)

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MAX_SEARCH = 1000  # characters; nothing that is searched can be longer, and databases refuse patterns without bounds


@dataclass(frozen=True)
class ListRules:
    """What a list can be searched, sorted and filtered by: names as clients write them, to fields of the model."""

    search: tuple[str, ...] = ()
    sort: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    default: tuple[str, ...] = ("created_at",)
    # Columns that no table has, to sort and filter by; a query gets them when it is asked for them.
    derived: Mapping[str, Any] = field(default_factory=dict)
    # A list that only grows may say for this many seconds how long it was: counting a million rows takes longer than
    # showing a page of them.
    count_is_good_for: float = 0


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
            search=given.get("search", "").replace("\0", ""),  # NUL is no text
            column=given.get("sort[column]", ""),
            descending=given.get("sort[direction]", "") == "desc",
            filters=filters,
        )


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"(-?[0-9]{1,9})?", text) is not None


def page_of(
    request: Request,
    rows: "QuerySet[Any]",
    rules: ListRules,
    serializer: type[serializers.BaseSerializer[Any]],
    *,
    load: Callable[[Iterable[Any]], list[Any]] | None = None,
    **context: object,
) -> Response:
    """One page of ``rows`` in the envelope every list has; ``load`` fetches what the rows of a page are shown with."""
    query = ListQuery.of(request)
    everything = rows
    rows = _sorted(_filtered(_searched(rows, query, rules), query, rules), query, rules)
    keys = rest_pages.few_keys(rows) if query.search and rules.search else None
    if keys is None:
        length = rest_pages.length_of(rows, order=rules.default, good_for=rules.count_is_good_for)
    else:
        length = rest_pages.Length(len(keys))
    total = length.total
    pages = max(math.ceil(total / query.limit), 1)
    page = min(query.page, pages)
    start, stop = (page - 1) * query.limit, min(page * query.limit, total)
    if keys is None:
        order = rules.default if _is_default(rows, query, rules) else ()
        found = rest_pages.window(rows, start, stop, length, order=order)
    else:
        found = rest_pages.of_keys(everything, keys[start:stop])
    if load is not None:
        found = load(found)
    data = serializer(found, many=True, context={"request": request, **context}).data
    envelope = {"totalPages": pages, "totalItems": total, "currentPage": page, "itemsPerPage": query.limit}
    return Response({"data": data, "pagination": envelope})


def _searched(rows: "QuerySet[Any]", query: ListQuery, rules: ListRules) -> "QuerySet[Any]":
    if not query.search or not rules.search:
        return rows
    if len(query.search) > MAX_SEARCH:
        return rows.none()
    return rows.filter(containing(rows.model, rules.search, query.search))


def _filtered(rows: "QuerySet[Any]", query: ListQuery, rules: ListRules) -> "QuerySet[Any]":
    for name, values in query.filters.items():
        if name in rules.filters:
            column = rules.filters[name]
            rows = _with_column(rows, column, rules).filter(**{f"{column}__in": _readable(rows.model, column, values)})
    return rows


def _with_column(rows: "QuerySet[Any]", column: str, rules: ListRules) -> "QuerySet[Any]":
    return rows.alias(**{column: rules.derived[column]}) if column in rules.derived else rows


def _readable(model: type[models.Model], column: str, values: list[str]) -> list[object]:
    """Those of ``values`` that a column can hold at all; what it cannot hold is in no row."""
    try:
        found = model._meta.get_field(column)
    except FieldDoesNotExist:  # a key inside a JSON column
        return [value for value in values if "\0" not in value]
    readable: list[object] = []
    for value in values:
        if "\0" in value:  # is no text: PostgreSQL does not even compare it
            continue
        try:
            readable.append(found.to_python({"true": True, "false": False}.get(value, value)))  # type: ignore[union-attr] # relations are not filtered by
        except (ValidationError, ValueError, TypeError):
            continue
    return readable


def _sorted(rows: "QuerySet[Any]", query: ListQuery, rules: ListRules) -> "QuerySet[Any]":
    """Text without regard to case; equal rows by key, so that no page repeats what another showed."""
    column = rules.sort.get(query.column)
    if column is None or _is_default(rows, query, rules):
        return rows.order_by(*rules.default, "pk")
    rows = _with_column(rows, column, rules)
    ordering: Any = F(column)
    if "__" not in column and column not in rows.query.annotations:
        found = rows.model._meta.get_field(column)
        if isinstance(found, models.CharField | models.TextField):
            ordering = Lower(column)
    ordered = ordering.desc(nulls_last=True) if query.descending else ordering.asc(nulls_last=True)
    return rows.order_by(ordered, "pk")


def _is_default(rows: "QuerySet[Any]", query: ListQuery, rules: ListRules) -> bool:
    """Whether the rows are asked for in the order that they have anyway, for which there is an index."""
    column = rules.sort.get(query.column)
    if column is None:
        return True
    is_first = ("-" if query.descending else "") + column == rules.default[0]
    # Where there may be nothing, databases do not agree on which end it is at.
    return is_first and not rows.model._meta.get_field(column).null


def path_id(text: str) -> str:
    """An id in a path; ``~`` marks base64url, for ids that are addresses (contract section 1.1)."""
    if not text.startswith("~"):
        return text
    try:
        return base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)).decode()
    except (binascii.Error, ValueError):
        return text


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
    error = as_app_error(exception)
    if error is None:
        return None
    answer = error.as_json(request_id(context["request"]._request))
    return Response(answer, status=error.status, headers=getattr(error, "headers", None))


def as_app_error(exception: Exception) -> AppError | None:
    """What a serializer or REST framework refuses, in our terms; ``None`` for what is no refusal."""
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
            found.extend(_fields(problems, _place(prefix, name)))
    elif isinstance(details, list):
        nested = any(not (isinstance(item, dict) and "code" in item and "message" in item) for item in details)
        for index, problem in enumerate(details):
            found.extend(_fields(problem, _place(prefix, index) if nested else prefix))
    return found


def _place(prefix: str, name: object) -> str:
    """A body that is itself a list has no name to count under (custom claims)."""
    if isinstance(name, int):
        return f"{prefix}[{name}]" if prefix else ""
    return f"{prefix}.{name}" if prefix else str(name)


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
