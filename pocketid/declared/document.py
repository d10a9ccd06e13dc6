"""A YAML file as values that know their lines, and what is wrong with it."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rest_framework.exceptions import APIException

from core.errors import AppError
from core.rest import as_app_error

_TAG = "tag:yaml.org,2002:"
_KINDS = ("map", "seq", "str", "int", "bool", "null", "float", "timestamp", "merge", "value")


@dataclass(frozen=True, order=True)
class Problem:
    line: int
    text: str


class Refused(Exception):
    """What must be mended before anything is done; ``problems`` are in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("; ".join(f"line {each.line}: {each.text}" for each in self.problems))


@dataclass(frozen=True)
class Value:
    """``data`` is text, a whole number, a truth value, ``None``, a list of values, or a mapping of names to values.

    In a mapping, ``line`` is that of the name.
    """

    line: int
    data: Any

    @property
    def plain(self) -> Any:  # noqa: ANN401 - whatever the file holds
        """Without the lines."""
        if isinstance(self.data, dict):
            return {name: value.plain for name, value in self.data.items()}
        if isinstance(self.data, list):
            return [value.plain for value in self.data]
        return self.data


def load(path: Path) -> Value:
    """The file as one value; raise ``Refused`` for what is no YAML, and ``OSError`` for what cannot be read."""
    try:
        text = path.read_bytes().decode()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return _Reader().value(node) if node is not None else Value(1, {})
    except UnicodeDecodeError as wrong:
        line = wrong.object[: wrong.start].count(b"\n") + 1
        raise Refused([Problem(line, "this is not UTF-8 text")]) from None
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        raise Refused([Problem(mark.line + 1 if mark else 1, f"this is not YAML: {wrong.problem}")]) from None
    except (yaml.YAMLError, RecursionError):
        raise Refused([Problem(1, "this is not YAML that can be read")]) from None


class _Reader:
    """Nodes to values. By hand, because PyYAML forgets lines, lets a second key win and makes a date of ``2026-01-01``."""

    def __init__(self) -> None:
        self._known: dict[int, Value | None] = {}  # what an alias points to; ``None`` while it is being read

    def value(self, node: yaml.Node) -> Value:
        if id(node) in self._known:
            found = self._known[id(node)]
            if found is None:
                raise _problem(node, "this alias points to what it is in")
            return found
        self._known[id(node)] = None
        found = Value(_line(node), self._data(node))
        self._known[id(node)] = found
        return found

    def _data(self, node: yaml.Node) -> Any:  # noqa: ANN401 - see Value
        kind = node.tag.removeprefix(_TAG)
        if kind == node.tag or kind not in _KINDS:
            raise _problem(node, f"the tag {node.tag} is not known here")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each) for each in node.value]
        if kind == "null":
            return None
        if kind == "bool":
            return yaml.SafeLoader.bool_values.get(node.value.lower(), node.value)
        if kind == "int" and re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", node.value):
            return int(node.value)
        # As REST reads it, or a name would not be found again under which it was kept.
        return unicodedata.normalize("NFC", node.value)

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _problem(key, "a name must be text")
            if key.value in found:
                raise _problem(key, f"{key.value!r} is there twice, first in line {found[key.value].line}")
            found[key.value] = Value(_line(key), self.value(value).data)
        return found


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _problem(node: yaml.Node, text: str) -> Refused:
    return Refused([Problem(_line(node), text)])


# Reading what is expected


def mapping(value: Value, what: str) -> dict[str, Value]:
    """Raise ``Refused``. Nothing at all is a mapping without names."""
    if value.data is None:
        return {}
    if not isinstance(value.data, dict):
        raise Refused([Problem(value.line, f"{what} must have names and values")])
    return dict(value.data)


def sequence(value: Value, what: str) -> list[Value]:
    """Raise ``Refused``. Nothing at all is an empty list."""
    if value.data is None:
        return []
    if not isinstance(value.data, list):
        raise Refused([Problem(value.line, f"{what} must be a list")])
    return list(value.data)


def text(value: Value, what: str) -> str:
    """Raise ``Refused``."""
    if not isinstance(value.data, str) or not value.data:
        raise Refused([Problem(value.line, f"{what} must be text; put it in quotes")])
    return value.data


def texts(value: Value, what: str) -> list[str]:
    """Raise ``Refused``, also for one that is there twice."""
    found: list[str] = []
    for each in sequence(value, what):
        if text(each, what) in found:
            raise Refused([Problem(each.line, f"{each.data!r} is there twice")])
        found.append(each.data)
    return found


def unknown_names(fields: Mapping[str, Value], known: Iterable[str], what: str) -> Iterator[Problem]:
    names = list(known)
    for name, value in fields.items():
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(names)}"
            yield Problem(value.line, f"{what}: unknown key {name!r}{meant}")


@contextmanager
def refusals_of(line: int, what: str) -> Iterator[None]:
    """What a verb or a serializer refuses, as a problem of this line."""
    try:
        yield
    except (AppError, APIException) as refused:
        error = as_app_error(refused) or refused
        raise Refused([Problem(line, f"{what}: {error}")]) from refused
