"""The refusals of the REST API (contract section 1.9) in the words of OpenAPI: one answer a status, with an example of each."""

from collections.abc import Callable, Iterable
from typing import Any

from core.errors import AppError, MissingScope, RateLimited, ValidationFailed

Schema = dict[str, Any]
JSON = "application/json"
_WORDS = {
    400: "The request is wrong",
    401: "Nobody is signed in, or what was shown does not count",
    403: "Whoever asks may not do this",
    404: "There is no such thing",
    409: "It contradicts what is there",
    413: "The file is too large",
    415: "The file is of a type that is not taken",
    422: "The logo's address gives no usable picture",
    429: "Too many requests: ask again after as many seconds as `Retry-After` says",
    502: "The mail server does not take the message",
    503: "The server cannot answer right now; nothing was done",
}
ERROR: Schema = {
    "type": "object",
    "properties": {
        "error": {"type": "string", "description": "A sentence for people."},
        "code": {"type": "string", "description": "What programs decide by."},
        "details": {
            "type": "object",
            "description": "Facts about the input; `fields` where fields are wrong.",
            "properties": {"fields": {"type": "array", "items": {"$ref": "#/components/schemas/FieldProblem"}}},
        },
        "request_id": {
            "type": "string",
            "format": "uuid",
            "description": "The same as in `X-Request-ID` and in the log.",
        },
    },
    "required": ["error", "code", "request_id"],
}
FIELD_PROBLEM: Schema = {
    "type": "object",
    "properties": {
        "field": {"type": "string", "examples": ["callbackURLs[0]"]},
        "code": {"type": "string", "examples": ["required"]},
        "message": {"type": "string", "examples": ["is required"]},
    },
    "required": ["field", "code", "message"],
}
REQUEST_ID = "5f0c9a3e-6f0e-4a51-9b1d-0c6c2c1f7a10"


_MADE_WITH: dict[type[AppError], Callable[[], AppError]] = {
    ValidationFailed: lambda: ValidationFailed([("name", "required", "is required")]),
    MissingScope: lambda: MissingScope("users:write"),
    RateLimited: lambda: RateLimited(1),
}


def made_with(kind: type[AppError], example: Callable[[], AppError]) -> None:
    """How to make an error whose constructor wants facts, for its example."""
    _MADE_WITH[kind] = example


def examples_of(kinds: Iterable[type[AppError]]) -> list[AppError]:
    return [_MADE_WITH[kind]() if kind in _MADE_WITH else kind() for kind in kinds]


def answer_of(status: int, errors: list[AppError]) -> Schema:
    """One answer for all refusals of a status: their codes, and an example of each."""
    codes = sorted({error.code for error in errors})
    examples: Schema = {}
    for error in errors:
        name = error.code if error.code not in examples else f"{error.code}_{len(examples)}"
        examples[name] = {"value": error.as_json(REQUEST_ID)}
    narrowed = {"type": "object", "properties": {"code": {"enum": codes}}}
    found: Schema = {
        "description": _WORDS[status],
        "content": {
            JSON: {"schema": {"allOf": [{"$ref": "#/components/schemas/Error"}, narrowed]}, "examples": examples}
        },
    }
    if status == 429:
        found["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}
    return found


def share(document: Schema) -> None:
    """Write each refusal once, among the components: most operations have the same."""
    shared: Schema = {}
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    name = ".".join(
                        [status, *answer["content"][JSON]["schema"]["allOf"][1]["properties"]["code"]["enum"]]
                    )
                    if shared.setdefault(name, answer) == answer:
                        operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    document["components"]["responses"] = dict(sorted(shared.items()))
