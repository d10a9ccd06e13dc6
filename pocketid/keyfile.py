"""The encryption key: from the environment, or made at the first start and kept beside the database."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pocketid.env import Environment


class UnusableKeyFile(Exception):
    """The text is the one line the operator sees."""


def encryption_key(environment: Environment) -> str:
    """ENCRYPTION_KEY, or the content of ``DATA_PATH/encryption.key``, made with mode 0600 if there is none."""
    return (
        environment.encryption_key or _read(environment.encryption_key_path) or _make(environment.encryption_key_path)
    )


@contextmanager
def exchanging(environment: Environment, present: str) -> Iterator[None]:
    """Alone with the key file, which still holds the key that this run has read; raise ``UnusableKeyFile``."""
    path = environment.encryption_key_path
    with path.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnusableKeyFile(f"another run of this command is exchanging the key in {path}.") from None
        if _read(path) != present:
            raise UnusableKeyFile(f"another run of this command has just exchanged the key in {path}.")
        yield


def begin_exchange(environment: Environment) -> str:
    """The key that will take the place of the one in the file: made now, or left by a run that was interrupted."""
    path = _next(environment.encryption_key_path)
    try:
        left = _read(path)
    except UnusableKeyFile:  # killed while it wrote the file, so before anything was encrypted with it
        left = ""
        path.unlink()
    return left or _make(path)


def finish_exchange(environment: Environment) -> Path:
    """Let the new key be the file's, at one stroke; where the old one is kept, which older backups need."""
    path = environment.encryption_key_path
    old = path.read_bytes()
    kept = path.with_name(f"{path.name}.{hashlib.sha256(old).hexdigest()[:8]}")
    half = kept.with_name(kept.name + ".part")
    half.unlink(missing_ok=True)
    _write(half, old.decode("ascii"))
    half.replace(kept)
    _next(path).replace(path)
    _sync_folder(path)
    return kept


def _next(path: Path) -> Path:
    return path.with_name(path.name + ".next")


def django_secret(key: str) -> str:
    """Django's SECRET_KEY, which signs nothing that outlives a deployment."""
    return hashlib.sha256(b"pocketid/django secret key/" + key.encode()).hexdigest()


def _read(path: Path) -> str:
    try:
        key = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except NotADirectoryError as problem:
        raise _unusable_folder(path, problem) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise UnusableKeyFile(f"{path} cannot be read ({problem}); set ENCRYPTION_KEY, or mend the file.") from None
    if len(key) < 16:
        raise UnusableKeyFile(
            f"{path} does not hold a key; restore it from your backup: without it nothing that is encrypted can be read."
        )
    return key


def _make(path: Path) -> str:
    key = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, key + "\n")
        _sync_folder(path)
    except FileExistsError:
        return _read(path)
    except OSError as problem:
        raise _unusable_folder(path, problem) from None
    return key


def _unusable_folder(path: Path, problem: OSError) -> UnusableKeyFile:
    return UnusableKeyFile(
        f"DATA_PATH is {str(path.parent)!r}, where {path.name} cannot be written ({problem.strerror});"
        " allowed is a folder that this user may write to."
    )


def _write(path: Path, text: str) -> None:
    # O_EXCL: of two processes that start at once one makes the key, the other reads it.
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """After a power cut the file must still have its name: what is encrypted with the key outlasts one."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
