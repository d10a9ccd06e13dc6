"""Where a declared secret comes from: a file, the environment, or made here and kept in a new file. Never the declaration itself."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pocketid import env
from pocketid.declared.document import Problem, Refused, Value, mapping, text, unknown_names

FILE, ENVIRONMENT, GENERATE = "file", "env", "generate"


@dataclass(frozen=True)
class Source:
    line: int
    kind: str
    name: str  # of a file or of a variable


def read(value: Value, what: str, *, kinds: tuple[str, ...]) -> Source:
    """``{file: PATH}`` and its like; raise ``Refused``, which never tells what was there instead."""
    wanted = " or ".join(f"{{{kind}: …}}" for kind in kinds)
    if not isinstance(value.data, dict) or len(value.data) != 1:
        raise Refused([Problem(value.line, f"{what} must be {wanted}: secrets do not belong in this file")])
    if problems := list(unknown_names(value.data, kinds, what)):
        raise Refused(problems)
    ((kind, name),) = mapping(value, what).items()
    return Source(value.line, kind, text(name, f"{what}.{kind}"))


class Sources:
    """Secrets and other files of one run. Files are named from ``folder``; those that were written are gone again if the run fails."""

    def __init__(self, folder: Path, *, may_write: bool) -> None:
        self._folder, self._may_write = folder, may_write
        self._written: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if problem is not None:
            for path in self._written:
                path.unlink(missing_ok=True)

    def text(self, source: Source) -> str:
        """The secret, without blanks around it; empty for one that is still to be made. Raise ``Refused``."""
        if source.kind == ENVIRONMENT:
            found = env.variable(source.name)
            if not found:
                raise Refused([Problem(source.line, f"the variable {source.name} is not set")])
            return found.strip()
        path = self._folder / source.name
        try:
            return path.read_text(encoding="utf-8").strip() or self._empty(source)
        except FileNotFoundError:
            if source.kind == GENERATE:
                return ""
            raise Refused([Problem(source.line, f"there is no file {path}")]) from None
        except (OSError, UnicodeDecodeError):
            raise Refused([Problem(source.line, f"{path} cannot be read")]) from None

    def content(self, line: int, name: str, *, limit: int) -> bytes:
        """What a file that is no secret holds, up to one byte more than ``limit``; raise ``Refused``."""
        path = self._folder / name
        try:
            with path.open("rb") as file:
                return file.read(limit + 1)
        except FileNotFoundError:
            raise Refused([Problem(line, f"there is no file {path}")]) from None
        except OSError:
            raise Refused([Problem(line, f"{path} cannot be read")]) from None

    def keep(self, source: Source, secret: str) -> None:
        """Write a secret that was made into the file that was declared for it; raise ``Refused``."""
        path = self._folder / source.name
        if not self._may_write:
            return
        try:
            # O_EXCL: what has come there in the meantime is not overwritten, and no symbolic link followed.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._written.append(path)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(secret + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            raise Refused([Problem(source.line, f"{path} cannot be written: {problem.strerror}")]) from None

    def _empty(self, source: Source) -> str:
        raise Refused([Problem(source.line, f"{self._folder / source.name} is empty")])
