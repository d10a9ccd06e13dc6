"""What applying a file changes, to be told to whoever runs it. Secrets are never among the values."""

import json
from dataclasses import dataclass, field
from typing import Any

COMMAND = "pocketid apply"  # as the audit log calls it


@dataclass
class Change:
    """One object: made, or changed in the ways that ``details`` name."""

    what: str
    is_new: bool = False
    details: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        head = f"{'+' if self.is_new else '~'} {self.what}"
        return "\n".join([head, *(f"    {detail}" for detail in self.details)])


class Changes:
    """In the order in which they are made."""

    def __init__(self) -> None:
        self._of: dict[str, Change] = {}

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator of Change
        return iter(self._of.values())

    def __len__(self) -> int:
        return len(self._of)

    @property
    def made(self) -> int:
        return sum(change.is_new for change in self._of.values())

    def new(self, what: str) -> None:
        self._of[what] = Change(what, is_new=True)

    def note(self, what: str, detail: str) -> None:
        self._of.setdefault(what, Change(what)).details.append(detail)

    def value(self, what: str, name: str, before: object, after: object) -> None:
        """``before`` is not told of an object that is new."""
        change = self._of.get(what)
        known = "" if change is not None and change.is_new else f"{shown(before)} -> "
        self.note(what, f"{name}: {known}{shown(after)}")


def shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
