"""The fields of :mod:`core.rest_fields` and of the apps in the words of JSON Schema (draft 2020-12, as OpenAPI 3.1 has it)."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from core import rest_fields

Schema = dict[str, Any]
_KNOWN: dict[type, Schema | Callable[[Any], Schema]] = {}
DURATION = r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$"


def field_schema(kind: type[serializers.Field[Any, Any, Any, Any]], schema: Schema | Callable[[Any], Schema]) -> None:
    """How fields of ``kind`` and its heirs look, or what makes it of a field."""
    _KNOWN[kind] = schema


def input_field(field: Any, child: Callable[[Any], Schema]) -> Schema | None:  # noqa: ANN401 - any field
    """The schema of one of our fields; ``None`` for what drf-spectacular knows itself. ``child`` maps items of lists."""
    for kind in type(field).__mro__:
        if kind in _KNOWN:
            known = _KNOWN[kind]
            return _described(field, known if isinstance(known, dict) else known(field))
    if isinstance(field, serializers.ListField) and type(field) is not serializers.ListField:
        return _described(field, {"type": "array", "items": child(field.child)} | _items(field))
    return None


def nullable(schema: Schema) -> Schema:
    """The same, or ``null``."""
    if "enum" in schema and None not in schema["enum"]:
        schema = schema | {"enum": [*schema["enum"], None]}
    kinds = schema.get("type")
    if set(schema) == {"anyOf"}:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    if kinds is None:
        if not schema or "enum" in schema:
            return schema
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return schema | {"type": kinds if "null" in kinds else [*kinds, "null"]}


def text(field: Any) -> Schema:  # noqa: ANN401 - a Text
    """Lengths as the field has them; an empty text counts as none where it must be there."""
    found: Schema = {"type": "string"}
    least = field.min_length or 0
    if not field.allow_blank:
        least = max(least, 1)
    if least and not (field.allow_blank and field.min_length):
        found["minLength"] = least
    if field.max_length:
        found["maxLength"] = field.max_length
    return found


def _items(field: Any) -> Schema:  # noqa: ANN401 - a ListField
    found: Schema = {}
    if field.max_length is not None:
        found["maxItems"] = field.max_length
    if field.min_length is not None:
        found["minItems"] = field.min_length
    return found


def _described(field: Any, schema: Schema) -> Schema:  # noqa: ANN401 - any field
    return schema | ({"description": str(field.help_text)} if field.help_text else {})


def _email(field: Any) -> Schema:  # noqa: ANN401 - an EmailText
    address = text(field) | {"format": "email"}
    return {"anyOf": [address, {"type": "string", "const": ""}]} if field.allow_blank else address


def _whole(field: Any) -> Schema:  # noqa: ANN401 - a Whole
    limits = {"minimum": field.min_value, "maximum": field.max_value}
    return {"type": "integer"} | {name: limit for name, limit in limits.items() if limit is not None}


def _duration(field: Any) -> Schema:  # noqa: ANN401 - a Duration
    longest = int(rest_fields.LONGEST_TTL.total_seconds())
    return {
        "description": "Seconds as a number, or a text such as `1h30m`: more than a second, at most 31 days. 0 is the default.",
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 1, "maximum": longest},
            {"type": "number", "const": 0},
            {"type": "string", "pattern": DURATION, "maxLength": rest_fields.LONGEST_TTL_TEXT, "examples": ["15m"]},
        ],
    }


field_schema(rest_fields.Text, text)
field_schema(rest_fields.EmailText, _email)
field_schema(rest_fields.Flag, {"type": "boolean"})
field_schema(rest_fields.Whole, _whole)
field_schema(rest_fields.Moment, {"type": "string", "format": "date-time"})
field_schema(rest_fields.Uuid, {"type": "string", "format": "uuid"})
field_schema(rest_fields.IdList, {"type": "array", "items": {"type": "string"}})
field_schema(rest_fields.Duration, _duration)
