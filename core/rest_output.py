"""Serializers that only write: what to read of an object is worked out once for each class, not for each object of a page."""

from collections.abc import Callable, Iterable
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
        return {name: read(self, instance) for name, read in _members(kind)}


@cache
def _members(kind: Any) -> tuple[tuple[str, Read], ...]:  # noqa: ANN401 - a class of serializers
    return tuple((name, _read(kind, field)) for name, field in kind().fields.items() if not field.write_only)


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
    if isinstance(field, serializers.ReadOnlyField):
        return lambda _asking, instance: value(instance)
    write = field.to_representation

    def read(_asking: Any, instance: Any) -> Any:  # noqa: ANN401 - as above
        found = value(instance)
        return None if found is None else write(found)

    return read


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
