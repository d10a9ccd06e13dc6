"""Taking in our own format, from SQLite or PostgreSQL into either. All of it or nothing, and only what proves to be whole."""

import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from django.conf import settings
from django.core.management.color import no_style
from django.db import IntegrityError, connection
from django.db.models import Model

from accounts.models import LoginCode
from core import secrets
from moving import archive
from moving.errors import CannotMove
from moving.report import Report
from moving.writing import writing

Reencrypt = Callable[[str, str], Iterable[str]]
"""Encrypts everything under another key: from the old one to the new one. What it could not read, by column."""

DAMAGE = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError, TypeError)
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
        try:
            self._zip = ZipFile(path)
            self._manifest = json.loads(self._zip.read(archive.MANIFEST))
            self.address = str(self._manifest["appUrl"])
            self.key_id = str(self._manifest["encryptionKeyId"])
            self.members: dict[str, dict[str, Any]] = {**self._manifest["members"]}
            version = int(self._manifest["formatVersion"])
        except DAMAGE as problem:
            raise self._damaged(problem) from None
        if version > archive.FORMAT_VERSION:
            raise CannotMove(f"{path} was written by a newer pocketid (format {version}). Upgrade, and import again.")
        self.version = version

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
            except DAMAGE as problem:
                raise self._damaged(problem) from None
            report.came[_NOUNS.get(model._meta.label, "rows")] += writer.count
        try:
            connection.check_constraints()
        except IntegrityError as problem:
            raise self._damaged(problem) from None
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

    def _damaged(self, problem: BaseException) -> CannotMove:
        return CannotMove(
            f"{self.path} is damaged or not complete ({problem}). Nothing was imported; copy it again as a whole."
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
