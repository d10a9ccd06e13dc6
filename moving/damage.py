"""Files that are not as they were written, told in words of ours: Python's are for programmers."""

import zlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from moving.errors import CannotMove

# What unpacking says of a member that was cut off or altered.
PACKED = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_IS_ENCRYPTED = 0x1  # of a member's flags


def contents(path: Path) -> frozenset[str]:
    """The names of what is in a zip; raise ``CannotMove`` for one that cannot be unpacked here."""
    try:
        with ZipFile(path) as archive:
            members = archive.infolist()
    except (*PACKED, ValueError, OverflowError):
        raise CannotMove(f"{path} is damaged or not complete: its list of contents cannot be read.") from None
    if any(member.header_offset < 0 for member in members):
        raise CannotMove(f"{path} is damaged or not complete: it has lost its beginning.")
    for member in members:
        if member.flag_bits & _IS_ENCRYPTED:
            raise CannotMove(f"{path} is protected by a password. Name the file as the export wrote it.")
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise CannotMove(f"{path} was packed again in another way. Name the file as the export wrote it.")
    return frozenset(member.filename for member in members)


def in_words(problem: BaseException) -> str:
    """What the system or the database says, without Python's own additions to it."""
    if isinstance(problem, UnicodeDecodeError):
        return "it is no UTF-8 text"
    words = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem).strip()
    return words or type(problem).__name__
