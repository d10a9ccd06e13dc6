"""Changing ENCRYPTION_KEY: every column that is encrypted at rest, and the one verb that encrypts all of them anew.

What is only hashed with a derived key is not kept: login codes that are on their way stop working, and a client that
lost the answer to a refresh in that very minute has to sign in again.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, models, transaction

from accounts.models import SignupToken
from core import secrets
from oidc.models import FormerServer, ScimProvider, SigningKey
from siteconfig.models import SiteConfiguration

BATCH = 500


@dataclass(frozen=True)
class Column:
    """A column of ciphertexts. ``place`` says what the text of a row is bound to (``core.secrets.encrypt``)."""

    model: type[models.Model]
    name: str
    place: Callable[[Any], str]

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.name}"


COLUMNS = (
    Column(SigningKey, "private_key", lambda row: row.place),
    Column(ScimProvider, "encrypted_token", lambda row: row.place),
    Column(FormerServer, "token_secret", lambda row: row.place),
    Column(SignupToken, "token_encrypted", lambda row: row.place),
    Column(SiteConfiguration, "smtp_password_encrypted", lambda row: f"siteconfig.smtp_password.{row.pk}"),
    Column(SiteConfiguration, "ldap_bind_password_encrypted", lambda row: f"siteconfig.ldap_bind_password.{row.pk}"),
)


@dataclass(frozen=True)
class Reencrypted:
    """How many values have the new key now, and which columns hold values that neither key opens."""

    values: int
    unreadable: tuple[str, ...]


class NotVerified(Exception):
    """What was written does not read as it should; nothing was changed."""


def reencrypt(old: str, new: str) -> Reencrypted:
    """Encrypt everything under ``new``, in one transaction that is kept only if all of it reads again.

    Values that have the new key already stay as they are, so an interrupted run can be repeated. Raise ``NotVerified``.
    """
    done, unreadable = 0, []
    with transaction.atomic():
        for column in COLUMNS:
            for row in _rows(column):
                text, place = getattr(row, column.name), column.place(row)
                if not text or secrets.is_encrypted_with(new, text):
                    continue
                try:
                    plain = secrets.decrypt(text, place=place, encryption_key=old)
                except secrets.CannotDecrypt:
                    if column.model is SigningKey:  # without which no server starts
                        raise NotVerified("the signing keys were encrypted with neither of the two keys") from None
                    unreadable.append(str(column))
                    continue
                sealed = secrets.encrypt(plain, place=place, encryption_key=new)
                column.model._default_manager.filter(pk=row.pk).update(**{column.name: sealed})
                stored = column.model._default_manager.values_list(column.name, flat=True).get(pk=row.pk)
                if secrets.decrypt(stored, place=place, encryption_key=new) != plain:
                    raise NotVerified(f"{column} does not read as before")
                done += 1
        if left := sorted(set(_still_encrypted_with(old)) - set(unreadable)):
            # Somebody added a column and forgot this list.
            raise NotVerified(f"{', '.join(left)} would have been lost")
    return Reencrypted(done, tuple(dict.fromkeys(unreadable)))


def refuse_another() -> None:
    """Raise ``CannotDecrypt`` if everything was encrypted anew after this server had read its ENCRYPTION_KEY."""
    mark = secrets.mark_of(settings.ENCRYPTION_KEY)
    # A key that has retired may be one that nobody can read any more; it does not sign.
    signing = SigningKey.objects.exclude(state=SigningKey.State.RETIRED)
    with suppress(DatabaseError):  # as in ``database.hold_open``
        if signing.exclude(private_key__startswith=mark).exists():
            raise secrets.CannotDecrypt("ENCRYPTION_KEY was exchanged while the server started; start it again")


def _rows(column: Column) -> Iterator[models.Model]:
    """The rows of a table, a batch at a time, while they are being changed."""
    last = None
    while True:
        rows = column.model._default_manager.order_by("pk")
        batch = list((rows if last is None else rows.filter(pk__gt=last))[:BATCH])
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1].pk


def _still_encrypted_with(key: str) -> Iterator[str]:
    """Columns of any table of ours that hold a ciphertext of ``key``."""
    mark = secrets.mark_of(key)
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.TextField | models.CharField) and not isinstance(field, models.UUIDField):
                rows = model._default_manager.filter(**{f"{field.attname}__startswith": mark})
                if rows.exists():
                    yield f"{model._meta.db_table}.{field.name}"
