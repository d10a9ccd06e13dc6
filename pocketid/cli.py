"""The ``pocketid`` command: serve, migrate, export, import, bootstrap, apply, one-time-access-token, key-rotate, encryption-key-rotate, healthcheck, version."""

import argparse
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pocketid
from core.terminal import say, tell
from pocketid import arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit status."""
    parser = arguments.Parser(prog="pocketid", description="A passkey-first OpenID Connect provider.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, run, add_arguments, text in COMMANDS:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        add_arguments(command)
    options = parser.parse_args(argv)
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        tell("pocketid: interrupted. What was not finished has not been kept.")
        return 128 + signal.SIGINT
    return status


# What only the API's document and declared set-up need, when somebody asks for them.
_LATER = ("yaml", "uritemplate", "inflection")


def manage(argv: list[str]) -> int:
    """Django's own commands, as ``manage.py`` runs them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pocketid.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(argv)
    return 0


def version(options: argparse.Namespace) -> int:
    return 0 if say(pocketid.__version__) else 1


def healthcheck(options: argparse.Namespace) -> int:
    from pocketid import env

    if options.unix_socket:
        return _fail("this server does not listen on a Unix socket: leave --unix-socket out")
    try:
        environment = env.from_process()
    except env.InvalidEnvironment as wrong:
        return _fail(str(wrong))
    host = "127.0.0.1" if environment.host in ("0.0.0.0", "::", "") else environment.host  # noqa: S104 - compared, not bound
    base = (options.endpoint or f"http://{host}:{environment.port}").rstrip("/").removesuffix("/healthz")
    url = f"{base}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the operator's own address
            status = answer.status
    except (urllib.error.URLError, OSError, ValueError) as problem:
        return _fail(f"{url}: {problem}")
    if options.verbose:
        say(f"{url}: {status}")
    return 0 if status == 204 else 1


def migrate(options: argparse.Namespace) -> int:
    return _prepare()


def key_rotate(options: argparse.Namespace) -> int:
    if status := _prepare():
        return status
    from oidc import key_rotation

    try:
        key = key_rotation.rotate(options.alg, at_once=options.now)
    except key_rotation.TooSoon as early:
        return _fail(f"{early} If the key has leaked, add --now.")
    except key_rotation.AlreadyRotated:
        return _fail("the key was rotated by somebody else at the same moment")
    say(f"{key.kid} signs {key.algorithm} tokens from now on; the key before it stays published.")
    return 0


def encryption_key_rotate(options: argparse.Namespace) -> int:
    if options.new_key is not None:
        return _fail(
            "--new-key: other users of this machine can read a command line. Set ENCRYPTION_KEY to the new key and"
            " OLD_ENCRYPTION_KEY to the old one, or name files with ENCRYPTION_KEY_FILE and OLD_ENCRYPTION_KEY_FILE."
        )
    if status := _prepare(with_keys=False):
        return status
    from django.conf import settings
    from django.db import DatabaseError

    from pocketid import database, encryption, keyfile

    environment = settings.ENVIRONMENT
    if wrong_keys := _not_two_keys(environment.old_encryption_key, environment.encryption_key):
        return _fail(wrong_keys)
    if not options.force and database.is_used_by_others(environment):
        return _fail("somebody else has the database open. Stop every server first, then run this again.")
    try:
        if not environment.encryption_key:
            with keyfile.exchanging(environment, settings.ENCRYPTION_KEY):
                result = encryption.reencrypt(settings.ENCRYPTION_KEY, keyfile.begin_exchange(environment))
                kept = keyfile.finish_exchange(environment)
        else:
            result, kept = encryption.reencrypt(environment.old_encryption_key, environment.encryption_key), None
    except encryption.NotVerified as wrong:
        return _fail(f"{wrong}. Nothing was changed.")
    except DatabaseError as problem:
        return _fail(f"the database cannot be used: {' '.join(str(problem).split())}. Nothing was changed.")
    except (keyfile.UnusableKeyFile, OSError) as problem:
        return _fail(str(problem))
    for column in result.unreadable:
        tell(f"pocketid: {column} holds values that neither key opens; they stay as they are")
    say(f"{result.values} values are encrypted with the new key.")
    if kept is not None:
        say(f"The new key is in {environment.encryption_key_path}; the old one, which older backups need, in {kept}.")
    return 0


def _not_two_keys(old: str, new: str) -> str:
    """What is wrong with them; neither of them is set where the key is in a file."""
    if old and not new:
        return "OLD_ENCRYPTION_KEY is set, but ENCRYPTION_KEY, the new one, is not"
    if new and not old:
        return "OLD_ENCRYPTION_KEY is not set: everything is encrypted with it until now"
    if old and old == new:
        return "ENCRYPTION_KEY and OLD_ENCRYPTION_KEY are the same key. Set ENCRYPTION_KEY to the new one."
    return ""


def bootstrap(options: argparse.Namespace) -> int:
    """Never prints the key: what is printed ends up in logs."""
    if status := _prepare():
        return status
    from accounts.errors import SetupNotAvailable
    from apikeys.bootstrap import make_key

    path: Path = options.api_key_file
    try:
        key = make_key(path, lifetime=timedelta(days=options.expires_in))
    except SetupNotAvailable:
        return _fail(
            "this server has been set up: there is a passkey, an API key or a second person. Nothing was changed."
        )
    except FileExistsError:
        return _fail(f"{path} exists and is not overwritten. Nothing was changed.")
    except OSError as problem:
        return _fail(f"{path} cannot be written: {problem.strerror}. Nothing was changed.")
    say(f"{path} holds an API key of {key.user.username}, who may do everything; it ends on {key.expires_at:%Y-%m-%d}.")
    return 0


def apply(options: argparse.Namespace) -> int:
    """0 when everything is as declared; in a dry run 2 when something would change; 1 when nothing can be done."""
    if status := _prepare():
        return status
    from django.db import DatabaseError

    from pocketid import declared
    from pocketid.declared.document import Refused

    path: Path = options.file
    try:
        changes = declared.apply(path, dry_run=options.dry_run)
    except Refused as refused:
        for problem in refused.problems:
            _fail(f"{path}:{problem.line}: {problem.text}")
        return _fail("nothing was changed")
    except OSError as problem:
        return _fail(f"{path} cannot be read: {problem.strerror}")
    except DatabaseError as problem:
        return _fail(f"the database failed, nothing was changed: {str(problem).strip()}")
    for change in changes:
        say(str(change))
    if not len(changes):
        say("Everything is as declared.")
    elif options.dry_run:
        say(f"Would make {changes.made} and change {len(changes) - changes.made}. Nothing was changed.")
        return 2
    else:
        say(f"Made {changes.made} and changed {len(changes) - changes.made}.")
    return 0


def one_time_access_token(options: argparse.Namespace) -> int:
    if status := _prepare():
        return status
    from django.conf import settings

    from accounts import lifecycle, login_codes
    from accounts.errors import UserNotFound
    from audit import log
    from audit.models import Event

    try:
        user = lifecycle.named(options.user)
    except UserNotFound:
        return _fail(f"nobody has the username or e-mail address {options.user!r}")
    if not user.is_active:
        return _fail(f"{user.username} is disabled and could not sign in with it")
    code = login_codes.create(user, ttl=timedelta(hours=1)).code
    log.record(Event.LOGIN_CODE_CREATED, user=user, request=None, method="pocketid one-time-access-token")
    said = say(
        f'A one-time access token valid for 1 hour has been created for "{user.username}".\n'
        f"Use the following URL to sign in once: {settings.APP_URL}/lc/{code}"
    )
    return 0 if said else _fail("the link could not be written to standard output; run this again for another one")


def import_(options: argparse.Namespace) -> int:
    if status := _prepare():
        return status
    from moving import command
    from moving.errors import CannotMove
    from pocketid import encryption

    def reencrypt(old: str, new: str) -> tuple[str, ...]:
        try:
            return encryption.reencrypt(old, new).unreadable
        except encryption.NotVerified as problem:
            raise CannotMove(f"The export cannot be read: {problem}.") from None

    return command.import_(options, reencrypt)


def export(options: argparse.Namespace) -> int:
    if status := _prepare():
        return status
    from moving import command

    return command.export(options)


def serve(options: argparse.Namespace) -> int:
    """Prepare the database, then serve until told to stop."""
    from pocketid import env, listening

    try:
        listening.address(env.from_process())  # before anything is made or migrated
    except (env.InvalidEnvironment, listening.CannotListen) as wrong:
        tell(f"pocketid cannot start: {wrong}")
        return 1
    if status := _prepare():
        return status
    from django.conf import settings
    from django.db import connections
    from django.urls import get_resolver

    from apikeys import static_key
    from pocketid import server
    from pocketid.handler import Handler

    application = Handler()
    get_resolver().url_patterns  # noqa: B018 - imports every view now, so that no request waits for it and all workers share them
    static_key.forget_user_without_key()
    connections.close_all()  # A connection must not be shared by the processes that are about to be made.
    try:
        return server.run(application, settings.ENVIRONMENT)
    except (server.ServerMissing, listening.CannotListen) as wrong:
        return _fail(str(wrong))


def _prepare(*, with_keys: bool = True) -> int:
    """Set Django up, refuse a stranger's database, migrate, and make the first signing key."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pocketid.settings")
    os.umask(0o077)  # The database holds what is nobody else's business on this machine.
    # Optional packages that REST framework loads wherever it finds them, for what nobody uses here: they take a sixth
    # of the start and 17 MiB. ``None`` is Python's own way to say that there is no such module.
    later = [name for name in _LATER if name not in sys.modules]
    sys.modules |= dict.fromkeys(("django.contrib.postgres.fields", "requests", *later), None)  # type: ignore[arg-type]
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    django.setup()
    import rest_framework.compat  # noqa: F401 - looked for them, and found none
    from django.conf import settings

    for name in later:
        del sys.modules[name]
    from core.secrets import CannotDecrypt
    from pocketid import database

    environment = settings.ENVIRONMENT
    try:
        if notice := database.notice_pocket_id(environment):
            tell(notice)  # there is no log yet
        if environment.database.path is not None:
            environment.database.path.parent.mkdir(parents=True, exist_ok=True)
        database.refuse_strangers(environment)
        database.migrate()
        if not with_keys:
            return 0
        from oidc import key_rotation, signing_keys

        key_rotation.prepare("RS256")
        signing_keys.preload()  # also shows whether this is the key that the database was made with
    except database.ForeignDatabase as foreign:
        return _fail(str(foreign))
    except CannotDecrypt as other:
        return _fail(
            f"{other}. ENCRYPTION_KEY, or {environment.encryption_key_path}, must be the one of the first start;"
            " to change it, run: pocketid encryption-key-rotate"
        )
    except ImproperlyConfigured as wrong:
        return _fail(f"DB_CONNECTION_STRING cannot be used: {wrong}")
    except (DatabaseError, OSError) as problem:
        source = "DB_CONNECTION_STRING" if environment.db_connection_string else "DATA_PATH"
        return _fail(f"the database of {source} cannot be used: {' '.join(str(problem).split())}")
    return 0


def _fail(text: str) -> int:
    tell(f"pocketid: {text}")
    return 1


COMMANDS = (
    (
        "serve",
        serve,
        arguments.nothing,
        "bring the database up to date and serve (settings come from the environment)",
    ),
    ("migrate", migrate, arguments.nothing, "bring the database up to date and stop"),
    (
        "key-rotate",
        key_rotate,
        arguments.key_rotate,
        "let the next signing key sign; servers notice by themselves, nothing has to be restarted",
    ),
    (
        "encryption-key-rotate",
        encryption_key_rotate,
        arguments.encryption_key_rotate,
        "encrypt everything in the database anew: with ENCRYPTION_KEY instead of OLD_ENCRYPTION_KEY, or with a new key file",
    ),
    (
        "bootstrap",
        bootstrap,
        arguments.bootstrap,
        "on a new server: make the first administrator and an API key, without a browser",
    ),
    ("apply", apply, arguments.apply, "bring the server to what a YAML file declares; a second run changes nothing"),
    (
        "one-time-access-token",
        one_time_access_token,
        arguments.one_time_access_token,
        "print a link that signs somebody in once, within an hour",
    ),
    ("export", export, arguments.export, "write everything that is in the database to one file"),
    (
        "import",
        import_,
        arguments.import_,
        "take everything from an export, or from a Pocket ID: its data directory or its database",
    ),
    ("healthcheck", healthcheck, arguments.healthcheck, "ask a running server whether it is well; exit status 0 or 1"),
    ("version", version, arguments.nothing, "print the version"),
)


if __name__ == "__main__":
    sys.exit(main())
