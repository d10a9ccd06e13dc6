"""What ``pocketid export`` and ``pocketid import`` print, and their exit status."""

import argparse
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError
from django.utils import translation

from core.terminal import say, tell
from moving import archive, importing
from moving.damage import in_words
from moving.errors import CannotMove
from moving.report import Report, sections
from moving.restoring import Reencrypt

DISK = "nothing was imported"


def import_(options: argparse.Namespace, reencrypt: Reencrypt) -> int:
    """0 when it is done, whoever hears of it; 1 when it was refused or failed, in which case nothing was kept."""
    try:
        report = importing.run(_options(options), tell, reencrypt)
    except CannotMove as refused:
        return _refuse(str(refused), as_json=options.json)
    except (DatabaseError, sqlite3.Error, OSError) as problem:
        return _refuse(f"{DISK}: {in_words(problem)}", as_json=options.json)
    if say(_as_json(report, options) if options.json else text(report, is_dry_run=options.dry_run)):
        return 0
    if options.dry_run:
        tell("pocketid: the report could not be written to standard output. Nothing was kept: this was a dry run.")
        return 1
    tell(
        "pocketid: the report could not be written to standard output. Everything was imported all the same; "
        "the report is kept in the console, under Moving."
    )
    return 0


def export(options: argparse.Namespace) -> int:
    """Write a new file, which nobody else can read, or to standard output; an existing file is left as it is."""
    if options.file == "-":
        return _export_to_standard_output()
    path = Path(options.file)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            rows = _written(file, path)
    except FileExistsError:
        return _refuse(f"{path} exists and is not overwritten.", as_json=False)
    except (DatabaseError, OSError) as problem:
        return _refuse(f"{path} cannot be written: {in_words(problem)}", as_json=False)
    say(
        f"{path}: {sum(rows.values())} rows of {sum(map(bool, rows.values()))} tables. Secrets in it are encrypted with "
        "ENCRYPTION_KEY, which is not in the file: keep it elsewhere, you need both."
    )
    return 0


def _export_to_standard_output() -> int:
    if sys.stdout is None:  # closed before Python began
        return _refuse("standard output cannot be written: it is closed", as_json=False)
    try:
        # A descriptor of its own: what is left of it after a failure is not written once more at the end.
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as file:
            archive.write(file)
    except (DatabaseError, OSError) as problem:
        return _refuse(f"standard output cannot be written: {in_words(problem)}", as_json=False)
    return 0


def _written(file: IO[bytes], path: Path) -> dict[str, int]:
    """The rows of each table; half a file does not stay."""
    try:
        rows = archive.write(file).rows
        file.flush()
    except BaseException:
        path.unlink()
        raise
    return rows


def _as_json(report: Report, options: argparse.Namespace) -> str:
    return json.dumps(report.as_json() | {"dryRun": options.dry_run}, indent=2, ensure_ascii=False)


def text(report: Report, *, is_dry_run: bool) -> str:
    """The report for the terminal, in English as everything there."""
    lines = [f"{report.source['kind']}, schema {report.source['schema']}"]
    with translation.override("en"):
        for heading, items in sections(report):
            lines += ["", heading, *(f"  {printable(item)}" for item in items)]
    lines += [
        "",
        "Nothing was kept: this was a dry run." if is_dry_run else "Imported. The report is kept in the console.",
    ]
    return "\n".join(lines)


def _options(options: argparse.Namespace) -> importing.Options:
    if options.encryption_key:
        tell(
            "--encryption-key can be read by everybody on this machine while the command runs: rather use --encryption-key-file."
        )
    if _has_password(options.source):
        tell(
            "The password in the address can be read by everybody on this machine: rather use PGPASSWORD or PGPASSFILE."
        )
    uploads = Path(options.uploads) if options.uploads else None
    if uploads is not None and not uploads.is_dir():
        raise CannotMove(f"There is no folder {uploads}.")
    return importing.Options(
        source=options.source,
        encryption_keys=_keys(options),
        uploads=uploads,
        is_dry_run=options.dry_run,
        is_merge=options.merge,
        is_new_address=options.new_address,
    )


def _has_password(source: str) -> bool:
    try:
        return bool(urlsplit(source).password)
    except ValueError:  # no address at all
        return False


def _keys(options: argparse.Namespace) -> tuple[str, ...]:
    """Ours if none is named: whoever moves keeps the environment. Old versions took a file with the newline at its end."""
    key = options.encryption_key or settings.ENCRYPTION_KEY
    if options.encryption_key_file:
        try:
            key = Path(options.encryption_key_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise CannotMove(f"--encryption-key-file cannot be read: {in_words(problem)}") from None
    return tuple(dict.fromkeys((key, key.strip(), key.strip() + "\n")))


def _refuse(sentence: str, *, as_json: bool) -> int:
    if as_json:
        say(json.dumps({"error": sentence}, ensure_ascii=False))
    tell(f"pocketid: {printable(sentence)}")
    return 1


def printable(text: str) -> str:
    """Names are the source's: none of them moves the cursor, colours the terminal or passes for another line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
