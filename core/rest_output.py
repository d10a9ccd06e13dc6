"""Serializers that only write: what to read of an object is worked out once for each class, not for each object of a page."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from operator import attrgetter
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

# What one member is made of: the serializer that asks, which knows the request, and the object.
Read = Callable[[Any, Any], Any]


class Output:
    """Put before ``Serializer`` or ``ModelSerializer``; means what REST framework means, in half the time.

    Sources are attributes, or paths of them. What a nested serializer needs, it has of its own object: it does not know the request.
    """

    def to_representation(self, instance: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the serializer shows
        kind: Any = type(self)
        shape = _shape(kind)
        shown: dict[str, Any] = dict.fromkeys(shape.names)  # in their order
        shown.update(zip(shape.plain, shape.values(instance), strict=True))
        for name, read in shape.others:
            shown[name] = read(self, instance)
        return shown


@dataclass(frozen=True)
class _Shape:
    """The members of a class of serializers: those that are an attribute as it is, read at once, and the others."""

    names: tuple[str, ...]
    plain: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    others: tuple[tuple[str, Read], ...]


# What the columns of these fields hold needs no writing.
_AS_THEY_ARE = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.EmailField,
    serializers.IntegerField,
    serializers.ReadOnlyField,
)


@cache
def _shape(kind: Any) -> _Shape:  # noqa: ANN401 - a class of serializers
    fields = {name: field for name, field in kind().fields.items() if not field.write_only}
    plain = {
        name: str(field.source)
        for name, field in fields.items()
        if type(field) in _AS_THEY_ARE and field.default is empty
    }
    others = tuple((name, _read(kind, field)) for name, field in fields.items() if name not in plain)
    return _Shape(tuple(fields), tuple(plain), _values(list(plain.values())), others)


def _values(sources: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(sources) > 1:
        return attrgetter(*sources)
    return lambda instance: tuple(attrgetter(source)(instance) for source in sources)


def _read(kind: Any, field: Any) -> Read:  # noqa: ANN401 - any of REST framework's fields
    if isinstance(field, serializers.SerializerMethodField):
        method: Read = getattr(kind, field.method_name or "")
        return method
    if isinstance(field, serializers.ListSerializer):
        child: Any = field.child
        return _many(str(field.source), child.to_representation)
    value = attrgetter(field.source)
    if field.default is not empty:
        return _with_default(value, field.default)
    write = _write(field)

    def read(_asking: Any, instance: Any) -> Any:  # noqa: ANN401 - as above
        found = value(instance)
        return None if found is None else write(found)

    return read


def _write(field: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - as above
    by_field: Callable[[Any], Any] = field.to_representation
    if type(field) is serializers.UUIDField and field.uuid_format == "hex_verbose":
        return str
    if type(field) is serializers.DateTimeField and not hasattr(field, "format"):
        return lambda time: time.isoformat()[:19] + "Z" if time.tzinfo is UTC else by_field(time)
    return by_field


def _with_default(value: Callable[[Any], Any], default: object) -> Read:
    def read(_asking: Any, instance: Any) -> Any:  # noqa: ANN401 - as above
        try:
            return value(instance)
        except AttributeError:
            return default

    return read


def _many(source: str, write: Callable[[Any], Any]) -> Read:
    return lambda _asking, instance: [write(row) for row in related(instance, source)]


def related(instance: Any, name: str) -> Iterable[Any]:  # noqa: ANN401 - any object with rows that belong to it
    """Rows that were fetched beforehand as they are: a manager for each object costs more than what it finds."""
    rows: Iterable[Any] | None = getattr(instance, "_prefetched_objects_cache", {}).get(name)
    if rows is None:
        found = getattr(instance, name)
        rows = found.all() if hasattr(found, "all") else found
    return rows
