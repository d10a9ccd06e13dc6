"""One import: recognise the source, take everything in one transaction, and say what came."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import is_zipfile

from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction

from accounts.lifecycle import STATIC_USER_ID
from accounts.models import Group, User
from moving.archive import MANIFEST
from moving.archive import TABLES as OWN_TABLES
from moving.damage import contents
from moving.errors import CannotMove
from moving.models import Import
from moving.pocket_id import apis, audit_log, clients, keys, left_behind, people, pictures, tokens
from moving.pocket_id import settings as site
from moving.pocket_id.arrival import Arrival, Progress
from moving.pocket_id.export import TABLES, ExportSource
from moving.pocket_id.postgres import PostgresSource
from moving.pocket_id.sources import Source
from moving.pocket_id.sqlite import DATABASE, SqliteSource
from moving.report import Report
from moving.restoring import Archive, Reencrypt
from oidc import key_rotation, signing_keys
from oidc.models import Client

logger = logging.getLogger("pocketid.moving")

_DAMAGE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)
LOCK = 0x706F636B65746D76  # of the advisory lock: two imports at once would each find the other's rows missing
NOT_EMPTY = (
    "There are people or apps on this server already. Import into an empty one, or use --merge, "
    "which takes only what is not there yet."
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """``encryption_keys`` may be the old server's key; ``uploads`` is the folder with pictures of a PostgreSQL source."""

    source: str
    encryption_keys: tuple[str, ...] = ()
    uploads: Path | None = None
    is_dry_run: bool = False
    is_merge: bool = False
    is_new_address: bool = False


def run(options: Options, progress: Progress, reencrypt: Reencrypt) -> Report:
    """Take what is in the source, or nothing at all; raise ``CannotMove``."""
    opened = open_source(options)
    if isinstance(opened, Archive):
        with closing(opened):
            return _restore(opened, options, reencrypt)
    return _move_in(opened, options, progress)


def _restore(archive: Archive, options: Options, reencrypt: Reencrypt) -> Report:
    """An export of our own."""
    if options.is_merge:
        raise CannotMove("--merge is for what comes from Pocket ID. An export of pocketid goes into an empty server.")
    report = Report(source={"kind": archive.kind, "schema": archive.version, "address": archive.address})
    _check_address(archive.address, report, is_new=options.is_new_address)
    key = archive.key_among(options.encryption_keys)
    with transaction.atomic():
        _alone()
        if not is_empty():
            raise CannotMove(NOT_EMPTY)
        archive.restore(report, key=key, reencrypt=reencrypt)
        _keep(report, options)
    signing_keys.forget_published()
    return report


def _move_in(opened: Source, options: Options, progress: Progress) -> Report:
    """Whatever Pocket ID left."""
    with closing(opened) as source:
        source.check()
        report = Report(source={"kind": source.kind, "schema": source.schema})
        if isinstance(source, SqliteSource) and not source.has_log:
            report.notes.append(
                f"There was no {DATABASE}-wal beside the database. If Pocket ID left one behind, what is newest is in "
                "there and has not come: begin again with the whole data directory."
            )
        arrival = Arrival(source, report, options.is_merge, list(options.encryption_keys), progress)
        with _readable(arrival):
            address = tokens.last_issuer(arrival.rows("oauth2_sessions", "created_at"))
        report.source["address"] = address or None
        _check_address(address, report, is_new=options.is_new_address)
        if isinstance(source, PostgresSource) and options.uploads is None and not source.tables().get("storage"):
            report.notes.append(
                "Pictures are not in the database. If the old server kept them in a folder, begin again with "
                "--uploads PATH, or take them now with --merge --uploads PATH."
            )
        with _readable(arrival):
            jwk = keys.unlock(arrival)
        with transaction.atomic(), _readable(arrival):
            _alone()
            if not options.is_merge and not is_empty():
                raise CannotMove(NOT_EMPTY)
            if jwk is not None:
                keys.bring_signing_key(arrival, jwk)
            _bring_rows(arrival)
            key_rotation.prepare(arrival.algorithm)
            left_behind.tell(arrival)
            _keep(report, options)
    return report


@contextmanager
def _readable(arrival: Arrival) -> Iterator[None]:
    """Raise ``CannotMove`` for values that no Pocket ID writes, whichever step or our database stumbles over them."""
    try:
        yield
    except (*_DAMAGE, IntegrityError, DataError):
        logger.debug("a step of the import failed", exc_info=True)
        place = "it"
        if row := arrival.place:
            place = f"{row.table}, at or shortly before the row {row.raw('id') or row.raw('key') or '?'},"
        raise CannotMove(f"The source is damaged: {place} cannot be read (LOG_LEVEL=debug shows why).") from None


def _keep(report: Report, options: Options) -> None:
    """The report with the rest, or neither."""
    Import.objects.create(kind=report.source["kind"], report=report.as_json())
    if options.is_dry_run:
        transaction.set_rollback(True)


def is_empty() -> bool:
    """Whether nobody has begun to use this server. The user of STATIC_API_KEY is nobody."""
    return not (User.objects.exclude(pk=STATIC_USER_ID).exists() or Group.objects.exists() or Client.objects.exists())


def open_source(options: Options) -> Source | Archive:
    """Whatever it is that was named; raise ``CannotMove`` when it is nothing that can be read."""
    if options.source.startswith(("postgres://", "postgresql://")):
        return PostgresSource(options.source, options.uploads)
    path = Path(options.source)
    if path.is_dir():
        if not (path / DATABASE).exists():
            raise CannotMove(f"There is no {DATABASE} in {path}. Name Pocket ID's data directory, or an export.")
        return SqliteSource(path / DATABASE, options.uploads)
    if not path.is_file():
        raise CannotMove(f"There is no {path}.")
    if _is_sqlite(path):
        return SqliteSource(path, options.uploads)
    if not is_zipfile(path):
        raise CannotMove(
            f"{path} is no export, no Pocket ID database, or not complete. Name an export (zip), "
            "Pocket ID's data directory, its pocket-id.db, or postgres://user@host/database."
        )
    names = contents(path)
    if MANIFEST in names:
        return Archive(path)
    if any(name.startswith(OWN_TABLES) for name in names):
        raise CannotMove(f"{path} is not complete: it has no {MANIFEST}. Copy the export again as a whole.")
    if TABLES not in names:
        raise CannotMove(f"{path} is a zip file, but no export: it has no {TABLES}.")
    return ExportSource(path)


def _is_sqlite(path: Path) -> bool:
    """Also an empty file with a log beside it, which holds everything then."""
    with path.open("rb") as file:
        head = file.read(16)
    return head.startswith(b"SQLite format 3") or (not head and Path(f"{path}-wal").exists())


def _check_address(old: str, report: Report, *, is_new: bool) -> None:
    """Raise ``CannotMove`` when the old server, as far as that is known, had another address."""
    if not old:
        report.notes.append(
            f"The source does not say which address the old server had. It must be the same as APP_URL here, "
            f"{settings.APP_URL}: passkeys work for one host only, and apps know the server by its address."
        )
        return
    if old == settings.APP_URL:
        return
    same_host = _host(old) == urlsplit(settings.APP_URL).hostname
    broken = [
        (
            "every app must be given the new address, and its people sign in to it once more; "
            "some apps take them for new people then"
        ),
        "ID tokens and access tokens that were given before are from another issuer",
    ]
    if not same_host:
        broken.insert(
            0, "no passkey works any more: it is bound to the host. Everybody needs a login code and a new passkey"
        )
    if not is_new:
        raise CannotMove(
            f"The old server was {old}, and APP_URL is {settings.APP_URL}. With another address "
            + "; ".join(broken)
            + f". Set APP_URL={old}, or use --new-address if that is what you want."
        )
    report.notes += [f"{old} became {settings.APP_URL}: {what}." for what in broken]


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # the source may say anything
        return None


def _bring_rows(arrival: Arrival) -> None:
    for what, bring in (
        ("settings", site.bring_configuration),
        ("people", people.bring),
        ("apps", clients.bring),
        ("APIs", apis.bring),
        ("API keys", keys.bring_api_keys),
        ("refresh tokens", tokens.bring),
        ("sign-up links", site.bring_signup_tokens),
        ("pictures", pictures.bring),
        ("audit log", audit_log.bring),
    ):
        logger.debug("importing %s", what)
        bring(arrival)


def _alone() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
