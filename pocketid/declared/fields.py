"""Declared fields, checked by the serializers that check the bodies of REST requests, one at a time and with their lines."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from core.errors import AppError, InvalidRequestBody
from core.rest import as_app_error
from core.rest_fields import Flag, Whole
from oidc.api.fields import Items
from pocketid.declared.document import Problem, Value, unknown_names

Fields = Mapping[str, Value]


def names(serializer: type[serializers.Serializer[Any]], *, but: Iterable[str] = ()) -> list[str]:
    left_out = set(but)
    return [name for name in map(str, serializer().fields) if name not in left_out]


def problems(serializer: type[serializers.Serializer[Any]], declared: Fields, what: str) -> Iterator[Problem]:
    """What is wrong with each field by itself. Rules between fields are for the whole object to break."""
    checked = serializer()
    for name, value in declared.items():
        field = checked.fields.get(name)
        if field is None:
            continue
        nested = list(_unknown_inside(field, value, f"{what}: {name}"))
        yield from nested
        if not nested:
            yield from _problems_of(checked, name, field, value, what)


def _problems_of(
    serializer: serializers.Serializer[Any],
    name: str,
    field: Any,  # noqa: ANN401 - a field of any kind
    value: Value,
    what: str,
) -> Iterator[Problem]:
    if value.data is None:
        yield Problem(value.line, f'{what}: {name} has no value; write "" for none, or leave it out')
        return
    try:
        found = field.run_validation(value.plain)
        if rule := getattr(serializer, f"validate_{name}", None):
            rule(found)
    except InvalidRequestBody:
        yield Problem(value.line, f"{what}: {name} must be {_kind(field)}")
    except ValidationError as wrong:
        yield Problem(value.line, f"{what}: {as_app_error(ValidationError({name: wrong.detail}))}")
    except AppError as wrong:
        yield Problem(value.line, f"{what}: {name}: {wrong}")


def _unknown_inside(field: Any, value: Value, what: str) -> Iterator[Problem]:  # noqa: ANN401 - as above
    """Names that a nested body does not have; over REST they are ignored, because newer clients may send them."""
    if isinstance(field, serializers.Serializer) and isinstance(value.data, dict):
        yield from unknown_names(value.data, field.fields, what)
        for name, inner in value.data.items():
            if name in field.fields:
                yield from _unknown_inside(field.fields[name], inner, f"{what}.{name}")
    elif isinstance(field, serializers.ListField) and isinstance(value.data, list):
        for index, inner in enumerate(value.data):
            yield from _unknown_inside(field.child, inner, f"{what}[{index}]")


def _kind(field: Any) -> str:  # noqa: ANN401 - as above
    match field:
        case Flag():
            return "true or false"
        case Whole():
            return "a whole number"
        case serializers.Serializer():
            return "names and values of the kinds that REST takes"
        case Items():
            return "a list of what REST takes"
    return "text; put it in quotes"


def checked(serializer: type[serializers.Serializer[Any]], data: Mapping[str, Any]) -> dict[str, Any]:
    """The validated body; raise what the REST route would."""
    found = serializer(data=data)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)
