"""Taking in our own format, from SQLite or PostgreSQL into either. All of it or nothing, and only what proves to be whole."""

import json
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from django.conf import settings
from django.core.management.color import no_style
from django.db import DataError, IntegrityError, InterfaceError, ProgrammingError, connection
from django.db.models import Model

from accounts.models import LoginCode
from core import secrets
from moving import archive
from moving.damage import PACKED, contents
from moving.errors import CannotMove
from moving.report import Report
from moving.writing import writing

logger = logging.getLogger("pocketid.moving")

# Values of another kind than the column's, or twice what there may be once; a full disk is none of these.
_NO_VALUE = (IntegrityError, DataError, InterfaceError, ProgrammingError)

Reencrypt = Callable[[str, str], Iterable[str]]
"""Encrypts everything under another key: from the old one to the new one. What it could not read, by column."""

# How the report calls the rows of a table; the others are only rows.
_NOUNS = {
    "accounts.User": "users",
    "accounts.Group": "groups",
    "accounts.User_groups": "memberships",
    "accounts.CustomClaim": "claims",
    "accounts.Passkey": "passkeys",
    "accounts.ProfilePicture": "pictures",
    "accounts.Session": "sessions",
    "accounts.SignupToken": "signup tokens",
    "accounts.LoginCode": "login codes",
    "apikeys.ApiKey": "api keys",
    "audit.Entry": "audit",
    "oidc.ApiAccess": "api access",
    "oidc.ApiPermission": "permissions",
    "oidc.ApiResource": "apis",
    "oidc.AccessToken": "access tokens",
    "oidc.Client": "clients",
    "oidc.ClientLogo": "logos",
    "oidc.ClientSecret": "secrets",
    "oidc.Consent": "consents",
    "oidc.RefreshToken": "refresh tokens",
    "oidc.ScimProvider": "scim",
    "oidc.SigningKey": "signing keys",
    "siteconfig.Image": "images",
    "siteconfig.SiteConfiguration": "settings",
}


class Archive:
    """An export of ours that has been opened; its rows are checked while they are read."""

    kind = "pocketid export"

    def __init__(self, path: Path) -> None:
        self.path = path
        manifest = self._manifest()
        try:
            # Before the rest, which a newer format may say in another way.
            self.version = int(manifest["formatVersion"])
            if manifest["format"] == archive.FORMAT and self.version > archive.FORMAT_VERSION:
                raise self._newer(f"format {self.version}")
            self.address = str(manifest["appUrl"])
            self.key_id = str(manifest["encryptionKeyId"])
            self.members = {
                str(name): archive.Member(int(member["rows"]), str(member["sha256"]))
                for name, member in manifest["members"].items()
            }
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
            raise self._damaged(f"{archive.MANIFEST} does not say what is in it") from None
        found = {name for name in contents(path) if name != archive.MANIFEST}
        for names, words in (
            (self.members.keys() - found, "is missing"),
            (found - self.members.keys(), "does not belong in it"),
        ):
            if names:
                raise self._damaged(f"{min(names)} {words}")
        self._zip = ZipFile(path)

    def _manifest(self) -> Any:  # noqa: ANN401 - whatever the file says
        try:
            with ZipFile(self.path) as opened, opened.open(archive.MANIFEST) as file:
                text = file.read(archive.LONGEST)
            return json.loads(text)
        except (*PACKED, KeyError):
            raise self._damaged(f"{archive.MANIFEST} cannot be unpacked") from None
        except (ValueError, RecursionError):
            raise self._damaged(f"{archive.MANIFEST} cannot be read") from None

    def close(self) -> None:
        self._zip.close()

    def key_among(self, candidates: Iterable[str]) -> str:
        """The ENCRYPTION_KEY of the server that wrote it; raise ``CannotMove``."""
        for key in candidates:
            if key and secrets.mark_of(key) == self.key_id:
                return key
        raise CannotMove(
            f"{self.path} is encrypted with another ENCRYPTION_KEY than this server's. "
            "Name a file with the key of the server that wrote it: --encryption-key-file PATH."
        )

    def restore(self, report: Report, *, key: str, reencrypt: Reencrypt) -> None:
        """Put every row in its table, which the caller has found empty; inside the caller's transaction."""
        known = {f"{archive.TABLES}{model._meta.label}.jsonl": model for model in archive.models()}
        if unknown := sorted(self.members.keys() - known.keys()):
            raise self._newer(unknown[0])
        _clear(known.values())
        for name, expected in self.members.items():
            model = known[name]
            try:
                with writing(model) as writer:
                    for row in archive.Lines(self._zip, name, expected, model):
                        writer.add(**row)
            except archive.UnknownColumn as newer:
                raise self._newer(str(newer)) from None
            except archive.Altered as altered:
                raise self._damaged(str(altered)) from None
            except PACKED:
                raise self._damaged(f"{name} cannot be unpacked") from None
            except (TypeError, ValueError, AttributeError, OverflowError, *_NO_VALUE):
                logger.debug("the database does not take a row", exc_info=True)
                raise self._damaged(f"a row of {name} holds what the database does not take") from None
            report.came[_NOUNS.get(model._meta.label, "rows")] += writer.count
        try:
            connection.check_constraints()
        except IntegrityError:
            logger.debug("rows do not belong together", exc_info=True)
            raise self._damaged("a row belongs to another that is not there") from None
        _go_on_counting(known.values())
        if key != settings.ENCRYPTION_KEY:
            for column in reencrypt(key, settings.ENCRYPTION_KEY):
                report.leave_out("columns", "unreadable", column)
            # Their hashes depend on the key.
            if codes := LoginCode.objects.count():
                LoginCode.objects.all().delete()
                report.leave_out("login codes", "make again", count=codes)

    def _newer(self, what: str) -> CannotMove:
        return CannotMove(f"{self.path} was written by a newer pocketid ({what}). Upgrade, and import again.")

    def _damaged(self, what: str) -> CannotMove:
        return CannotMove(
            f"{self.path} is damaged or not complete: {what}. Nothing was imported; copy it again as a whole."
        )


def _clear(models: Iterable[type[Model]]) -> None:
    """What an unused server has written by itself, such as its first signing key, makes room."""
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")  # noqa: S608 - names of our models


def _go_on_counting(models: Iterable[type[Model]]) -> None:
    """After rows with keys of their own PostgreSQL must be told where to go on."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
