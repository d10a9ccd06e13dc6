"""The REST API in the words of OpenAPI 3.1: what a resource says of its operations, and the inspector that writes it down.

Nothing imports this module, nor drf-spectacular behind it, until somebody asks for the document: that costs 20 MiB.
An app describes its resources in ``<app>/api/openapi.py``. Fields, types and limits come from the serializers that do
the work; only summaries, errors and examples are written by hand, and ``tests/api/test_openapi.py`` checks those too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from django.db import models
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.views import APIView

from core import openapi_refusals
from core.errors import (
    ApiKeyNotAllowed,
    AppError,
    CrossSiteRequest,
    Forbidden,
    InvalidRequestBody,
    MissingScope,
    NotFound,
    NotSignedIn,
    RateLimited,
    ServiceUnavailable,
    UserDisabled,
    ValidationFailed,
)
from core.openapi_fields import input_field, nullable
from core.openapi_refusals import JSON, Schema
from core.rest import DEFAULT_LIMIT, MAX_LIMIT, IsAdministrator, IsSignedInBySession, ListRules

Serializer = type[serializers.Serializer[Any]]
_WORDS = {200: "Done", 201: "Made", 202: "Not decided yet", 204: "Done; there is nothing to say"}
Direction = Literal["request", "response"]


@dataclass(frozen=True)
class Many:
    """A plain array of what ``of`` writes."""

    of: Serializer


@dataclass(frozen=True)
class Page:
    """One page of what ``of`` writes, in the envelope of every list."""

    of: "Serializer | Raw"
    rules: ListRules
    filters: tuple[str, ...] = ()  # besides those of the rules


@dataclass(frozen=True)
class Raw:
    """JSON that no serializer writes."""

    schema: Schema
    example: object = None


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture of one of these types."""

    types: tuple[str, ...]


class Upload:
    """A file in the part ``file`` of a multipart body."""


Answer = Serializer | Many | Page | Raw | Picture | None


@dataclass(frozen=True)
class Operation:
    """``id`` is for generated clients. ``answers`` are by status; refusals come from ``errors`` and from who may ask."""

    id: str
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    body: Serializer | Many | type[Upload] | None = None
    body_may_be_missing: bool = False
    any_content_type: bool = False
    errors: tuple[type[AppError], ...] = ()
    # Resources of contract section 1.9 that this operation can miss: "User group", "OIDC client" ...
    missing: tuple[str, ...] = ()
    parameters: tuple[Schema, ...] = ()
    path_parameters: Mapping[str, Schema] = field(default_factory=dict)
    is_old: bool = False


Describe = Operation | Callable[[APIView], Operation | None]
_OPERATIONS: dict[tuple[type[APIView], str], tuple[str, Describe]] = {}
EXAMPLES: dict[type, object] = {}  # by serializer: what it reads or writes
MODELS: dict[type, type[models.Model]] = {}  # of serializers whose fields do not say it
IDS: dict[str, Schema] = {}  # path parameters by their name in the addresses
MEMBERS: dict[tuple[type, str], Schema] = {}  # of serializers, where a method of theirs decides what is taken
LEFT_OUT: dict[type, tuple[str, ...]] = {}  # members of answers that are not always there
NAMES: dict[type, str] = {}  # of schemas, where two serializers share one


def describe(tag: str, view: type[APIView], **operations: Describe) -> None:
    """What the methods of ``view`` do: ``get=Operation(...)``."""
    for method, operation in operations.items():
        _OPERATIONS[view, method.upper()] = (tag, operation)


def query(name: str, schema: Schema, description: str, *, required: bool = False) -> Schema:
    """A parameter of the query; of those that are optional the server takes whatever it cannot read for none."""
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


SKIP_CACHE = query("skipCache", {"type": "string", "examples": ["1"]}, "When it is there, no cache keeps the answer.")


class OperationSchema(AutoSchema):
    """drf-spectacular's inspector, told by :func:`describe` what only people know."""

    view: APIView  # type: ignore[override] # never asked without one
    path: str
    method: str

    @property
    def tag_and_operation(self) -> tuple[str, Operation | None]:
        found = None
        for kind in type(self.view).__mro__:
            if found := _OPERATIONS.get((kind, self.method)):
                break
        if found is None:
            raise LookupError(f"nothing describes {self.method} {self.path} ({type(self.view).__qualname__})")
        tag, operation = found
        return tag, operation if isinstance(operation, Operation) else operation(self.view)

    @property
    def operation(self) -> Operation:
        operation = self.tag_and_operation[1]
        assert operation is not None  # noqa: S101 - what is excluded is not asked any further
        return operation

    def is_excluded(self) -> bool:
        return self.tag_and_operation[1] is None

    def get_operation_id(self) -> str:
        return self.operation.id

    def get_summary(self) -> str:
        return self.operation.summary

    def get_description(self) -> str:  # type: ignore[override] # as drf-spectacular has it
        return self.operation.description or " ".join((type(self.view).__doc__ or "").split()).replace("``", "`")

    def get_tags(self) -> list[str]:
        return [self.tag_and_operation[0]]

    def is_deprecated(self) -> bool:
        return self.operation.is_old

    def get_auth(self) -> list[dict[str, list[str]]]:
        kinds = self._permissions()
        if not kinds:
            return []
        session: list[dict[str, list[str]]] = [{"session": []}, {"bearerSession": []}]
        return session if IsSignedInBySession in kinds else [{"apiKey": []}, *session]

    def _permissions(self) -> list[type]:
        return [type(each) for each in self.view.get_permissions()]

    # Parameters

    def _get_parameters(self) -> list[Schema]:
        operation = self.operation
        found = [self._path_parameter(name) for name in _variables(self.path)]
        for answer in operation.answers.values():
            if isinstance(answer, Page):
                found += _list_parameters(answer)
        return [*found, *operation.parameters]

    def _path_parameter(self, name: str) -> Schema:
        schema = dict(self.operation.path_parameters.get(name) or IDS[name])
        about = schema.pop("description", "")
        return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}

    # Bodies

    def _get_request_body(self, direction: str = "request") -> Schema | None:
        operation = self.operation
        body = operation.body
        if body is None:
            return None
        if isinstance(body, type) and issubclass(body, Upload):
            part = {"type": "string", "contentMediaType": "application/octet-stream"}
            schema = {"type": "object", "properties": {"file": part}, "required": ["file"]}
            encoding = {"file": {"contentType": "image/png, image/jpeg, image/svg+xml, image/webp, image/gif, image/*"}}
            return {"required": True, "content": {"multipart/form-data": {"schema": schema, "encoding": encoding}}}
        schema, example = self._of(body, "request")
        return {
            "required": not operation.body_may_be_missing,
            "content": {JSON: {"schema": schema, "example": example}},
        }

    def _of(self, kind: "Serializer | Many | Raw", direction: Direction) -> tuple[Schema, object]:
        """The schema, by reference, and an example."""
        if isinstance(kind, Raw):
            return kind.schema, kind.example
        if isinstance(kind, Many):
            schema, example = self._of(kind.of, direction)
            return {"type": "array", "items": schema}, [example]
        return self.resolve_serializer(kind, direction).ref, EXAMPLES[kind]

    # Answers

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Schema]:
        found = {str(status): self._answer(answer, status) for status, answer in self.operation.answers.items()}
        by_status: dict[int, list[AppError]] = {}
        for error in openapi_refusals.examples_of(self._errors()):
            by_status.setdefault(error.status, []).append(error)
        for missing in self.operation.missing:
            by_status.setdefault(404, []).append(NotFound(missing))
        return found | {
            str(status): openapi_refusals.answer_of(status, by_status[status]) for status in sorted(by_status)
        }

    def _errors(self) -> list[type[AppError]]:
        """Also those that come from outside the operation itself."""
        operation, kinds = self.operation, self._permissions()
        found: list[type[AppError]] = []
        if operation.body is Upload or operation.body is not None:
            found += [InvalidRequestBody, ValidationFailed]
        if kinds:
            found += [NotSignedIn, UserDisabled]
        if IsAdministrator in kinds:
            found.append(Forbidden)
        if kinds and IsSignedInBySession not in kinds:
            found.append(MissingScope)
        if IsSignedInBySession in kinds:
            found.append(ApiKeyNotAllowed)
        if self.method != "GET":
            found.append(CrossSiteRequest)
        return list(dict.fromkeys([*found, *operation.errors, RateLimited, ServiceUnavailable]))

    def _answer(self, answer: Answer, status: int) -> Schema:
        words = _WORDS[status]
        if answer is None:
            return {"description": words}
        if isinstance(answer, Picture):
            return {"description": "The picture", "content": {kind: {"schema": {}} for kind in answer.types}}
        if isinstance(answer, Raw):
            content: Schema = {"schema": answer.schema, "example": answer.example}
        elif isinstance(answer, Page):
            schema, example = self._of(answer.of, "response")
            content = _page_of(schema, example)
        else:
            schema, example = self._of(answer, "response")
            content = {"schema": schema, "example": example}
        return {"description": words, "content": {JSON: content}}

    # Fields

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Schema:  # noqa: ANN401 - any field
        known = input_field(field, lambda each: self._map_serializer_field(each, direction))
        if known is not None:
            return known
        if type(field) is serializers.ReadOnlyField and field.default is None:
            return {"type": ["string", "null"]}
        if type(field) is serializers.ReadOnlyField and (model := self._model_of(field.parent)) is not None:
            return self._map_source(model, field.source or "")
        schema: Schema = super()._map_serializer_field(field, direction, bypass_extensions)
        return schema

    def _map_source(self, model: type[models.Model], source: str) -> Schema:
        for column in model._meta.get_fields():
            if column.name == source:
                schema: Schema = self._map_model_field(column, direction="response")
                schema.pop("maxLength", None)
                return nullable(schema) if getattr(column, "null", False) else schema
        hinted = getattr(model, source)
        return dict(self._map_response_type_hint(getattr(hinted, "fget", hinted)))

    @staticmethod
    def _model_of(serializer: object) -> type[models.Model] | None:
        return next((MODELS[kind] for kind in type(serializer).__mro__ if kind in MODELS), None)

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Schema:  # noqa: ANN401 - any serializer
        schema: Schema = super()._map_basic_serializer(serializer, direction)
        kinds = type(serializer).__mro__
        for name in serializer.fields:
            told = next((MEMBERS[kind, name] for kind in kinds if (kind, name) in MEMBERS), None)
            if told is not None:
                schema["properties"][name] = told
        _say_less(schema, serializer)
        if direction == "request":
            # Nothing is the same as leaving a field out.
            for name, each in serializer.fields.items():
                if not each.required or each.allow_null:
                    schema["properties"][name] = nullable(schema["properties"][name])
        else:
            optional = next((LEFT_OUT[kind] for kind in kinds if kind in LEFT_OUT), ())
            schema["required"] = sorted(name for name in schema["properties"] if name not in optional)
        return schema

    def _get_serializer_name(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> str:  # noqa: ANN401 - any serializer
        found: str = super()._get_serializer_name(serializer, direction, bypass_extensions)
        return NAMES.get(type(serializer), found)


def _say_less(schema: Schema, serializer: object) -> None:
    """Only what the class itself says; not that an answer cannot be written, nor what the console calls its columns."""
    about = type(serializer).__dict__.get("__doc__")
    schema.pop("description", None)
    if about:
        schema["description"] = " ".join(about.split()).replace("``", "`")
    for each in schema["properties"].values():
        each.pop("readOnly", None)
        each.pop("title", None)


def _variables(path: str) -> list[str]:
    return [part[1:-1] for part in path.replace(".png", "").split("/") if part.startswith("{")]


# Lists (contract section 1.7)

_NUMBER = {"type": ["integer", "string"]}


def _list_parameters(page: Page) -> list[Schema]:
    rules = page.rules
    found = [
        query(
            "pagination[page]",
            _NUMBER | {"default": 1, "examples": [1]},
            "Which page. After the last one: the last one.",
        ),
        query(
            "pagination[limit]",
            _NUMBER | {"default": DEFAULT_LIMIT, "examples": [MAX_LIMIT]},
            f"How many on a page, at most {MAX_LIMIT}.",
        ),
        query("page", _NUMBER, "The same as `pagination[page]`, for clients that spell it so."),
        query("limit", _NUMBER, "The same as `pagination[limit]`."),
    ]
    if rules.search:
        found.append(query("search", {"type": "string"}, "Part of a name or an address, in any case."))
    if rules.sort:
        columns = ", ".join(f"`{name}`" for name in rules.sort)
        text = f"What to sort by: {columns}. Any other word is ignored."
        found += [
            query("sort[column]", {"type": "string", "examples": [next(iter(rules.sort))]}, text),
            query("sort[direction]", {"type": "string", "default": "asc", "examples": ["desc"]}, "`asc` or `desc`."),
        ]
    for name in (*rules.filters, *page.filters):
        text = f"Only those whose `{name}` is this. May be there several times: any of them."
        found.append(query(f"filters[{name}]", {"type": "string"}, text))
    return found


def _page_of(schema: Schema, example: object) -> Schema:
    envelope = {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": schema},
            "pagination": {"$ref": "#/components/schemas/Pagination"},
        },
        "required": ["data", "pagination"],
    }
    one = {"totalPages": 1, "totalItems": 1, "currentPage": 1, "itemsPerPage": DEFAULT_LIMIT}
    return {"schema": envelope, "example": {"data": [example], "pagination": one}}


PAGINATION: Schema = {
    "type": "object",
    "properties": {
        "totalPages": {"type": "integer", "minimum": 1, "description": "1 also when there is nothing."},
        "totalItems": {"type": "integer", "minimum": 0},
        "currentPage": {"type": "integer", "minimum": 1},
        "itemsPerPage": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
    },
    "required": ["totalPages", "totalItems", "currentPage", "itemsPerPage"],
}


def old(operation: Operation, *, id: str, description: str) -> Operation:  # noqa: A002 - what OpenAPI calls it
    """The same at an address of older versions."""
    return replace(operation, id=id, description=description, is_old=True)
