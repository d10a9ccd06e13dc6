"""What a command tells: its answer on standard output, all else on standard error.

Either may be gone while the command is at work: the reader of a pipe has ended, a disk is full, whoever started it
closed it. What was done is done all the same, so neither may decide how a command ends.
"""

import contextlib
import io
import os
import sys
from typing import TextIO


def say(text: str) -> bool:
    """Print a piece of the answer. Whether all of it could be written; who cannot do without it has to ask."""
    return _write(sys.stdout, text)


def tell(text: str) -> None:
    """What the operator should know beside the answer."""
    _write(sys.stderr, text)


def _write(stream: TextIO | None, text: str) -> bool:
    if stream is None:  # closed before Python began
        return False
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # names are told in any locale
    try:
        print(text, file=stream, flush=True)
    except OSError:
        _let_go(stream)
        return False
    return True


def _let_go(stream: TextIO) -> None:
    """Python would try to write the rest once more as it ends, and make its failure the exit status."""
    with contextlib.suppress(OSError, ValueError):  # in a test it may be no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
