"""What each command of ``pocketid`` can be given; ``pocketid.cli`` lists the commands."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """A command that cannot be understood is an error as any other; 2 says that something has drifted (``apply``)."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def healthcheck(command: argparse.ArgumentParser) -> None:
    command.add_argument("-e", "--endpoint", help="the server's address (default: HOST and PORT)")
    command.add_argument("-v", "--verbose", action="store_true", help="say what was answered")
    command.add_argument("--unix-socket", help="accepted for Pocket ID's sake, and refused: there is none")


def key_rotate(command: argparse.ArgumentParser) -> None:
    _add_yes(command)
    command.add_argument(
        "-a", "--alg", default="RS256", choices=("RS256", "ES256", "PS256", "EdDSA"), help="default: RS256"
    )
    command.add_argument(
        "--now", action="store_true", help="do not wait until apps have seen the key: only for a key that has leaked"
    )


def encryption_key_rotate(command: argparse.ArgumentParser) -> None:
    command.add_argument("--new-key", metavar="", help="refused: other users of this machine can read a command line")
    command.add_argument(
        "--force", action="store_true", help="go on although somebody else is connected to the database"
    )
    _add_yes(command)


def bootstrap(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--api-key-file", required=True, type=Path, metavar="PATH", help="the new file for the key, mode 0600"
    )
    command.add_argument(
        "--expires-in", type=_days, default=365, metavar="DAYS", help="when the key ends (default: 365)"
    )


def apply(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE.yaml", help="see docs/automation.md")
    command.add_argument(
        "--dry-run", action="store_true", help="only say what would change; exit status 2 when something would"
    )


def one_time_access_token(command: argparse.ArgumentParser) -> None:
    command.add_argument("user", help="username or e-mail address")


def export(command: argparse.ArgumentParser) -> None:
    _add_path(command, "file", "a new file, such as pocketid.zip; - for standard output")


def import_(command: argparse.ArgumentParser) -> None:
    _add_path(
        command,
        "source",
        "a data directory, pocket-id.db, an export (zip), or postgres://user@host/database (password in PGPASSWORD)",
    )
    command.add_argument("--encryption-key-file", metavar="PATH", help="a file with the old server's ENCRYPTION_KEY")
    command.add_argument(
        "--encryption-key",
        metavar="KEY",
        help="the key itself; everybody on this machine can read it while the command runs: rather use the file",
    )
    command.add_argument(
        "--uploads", metavar="PATH", help="the folder with pictures, when it is not beside the database"
    )
    command.add_argument("--dry-run", action="store_true", help="say what would come and what would not; keep nothing")
    command.add_argument("--merge", action="store_true", help="take only what is not here yet, and list the clashes")
    command.add_argument("--new-address", action="store_true", help="the old server had another address than APP_URL")
    command.add_argument("--json", action="store_true", help="the report as JSON")
    _add_yes(command)


def nothing(command: argparse.ArgumentParser) -> None:
    """For commands that only follow the environment."""


def _add_path(command: argparse.ArgumentParser, name: str, text: str) -> None:
    """An argument, or what Pocket ID's commands call ``--path``."""
    either = command.add_mutually_exclusive_group(required=True)
    # Without its default it would undo what the option has set.
    either.add_argument(name, nargs="?", default=argparse.SUPPRESS, metavar=name.upper(), help=text)
    either.add_argument("-p", "--path", dest=name, metavar=name.upper(), help="the same, for Pocket ID's sake")


def _add_yes(command: argparse.ArgumentParser) -> None:
    command.add_argument("-y", "--yes", action="store_true", help="accepted for Pocket ID's sake; nothing is asked")


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 3650:
        raise argparse.ArgumentTypeError("a whole number of days from 1 to 3650")
    return int(text)
