"""The HTTP server around the application: gunicorn, or granian for those who installed it."""

import gc
import os
import signal
from contextlib import suppress
from importlib import import_module
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.core.handlers.wsgi import WSGIHandler
from gunicorn.app.base import BaseApplication
from gunicorn.http import message

from core import jobs
from core.terminal import tell
from pocketid import __version__, listening
from pocketid.env import Environment

# Bytes of an address with its query: apps send whole ID tokens as hints, and a state of any length. gunicorn's own end, 8190,
# answers with a page of its own, and no setting goes beyond it.
REQUEST_LINE = 32_768
NEEDED_BY_WORKERS = ("pocketid.encryption", "pocketid.jobs")  # loaded before there are any, so that they share it
GRACE = 10  # seconds for requests that are being answered when the server is asked to end


class ServerMissing(Exception):
    """The text is the one line the operator sees."""


def run(application: WSGIHandler, environment: Environment) -> int:
    """Serve until told to stop; raise ``ServerMissing`` or ``listening.CannotListen``."""
    if environment.server == "granian":
        return _granian(environment)
    for name in NEEDED_BY_WORKERS:
        import_module(name)
    gc.collect()
    gc.freeze()  # What is loaded by now is shared by all workers as long as the collector leaves it alone.
    _Gunicorn(application, environment).run()
    return 0


def workers(environment: Environment) -> int:
    """More writers than two only queue for SQLite's one lock."""
    return environment.workers or (2 if environment.database.engine == "sqlite" else os.cpu_count() or 2)


def threads(environment: Environment) -> int:
    return environment.threads or (2 if environment.database.engine == "sqlite" else 4)


class _Gunicorn(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    def __init__(self, application: WSGIHandler, environment: Environment) -> None:
        self.application, self.environment = application, environment
        super().__init__()

    def load_config(self) -> None:
        ip = listening.address(self.environment)
        host = f"[{ip}]" if ":" in ip else ip
        message.MAX_REQUEST_LINE = REQUEST_LINE
        for name, value in {
            "bind": f"{host}:{self.environment.port}",
            "worker_class": "pocketid.worker.Worker",
            "workers": workers(self.environment),
            "threads": threads(self.environment),
            "keepalive": 75,
            "limit_request_line": REQUEST_LINE,
            "preload_app": True,
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108, PTH112 - heartbeats must not wait for a disk
            "sendfile": False,  # it would wait for ever for somebody who takes nothing; see pocketid.worker
            "graceful_timeout": GRACE,
            "loglevel": "warning",
            "control_socket_disable": True,  # one for all servers of a user, and nobody here uses it
            "post_fork": lambda _server, _worker: begin(),
            "when_ready": lambda _server: _announce(self.environment),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:  # noqa: ANN401 - a WSGI application
        return self.application


def _granian(environment: Environment) -> int:
    try:
        from granian import Granian
        from granian.constants import Interfaces
    except ImportError:
        raise ServerMissing(
            "SERVER=granian, but granian is not installed; install requirements/granian.txt or use gunicorn."
        ) from None
    ip = listening.address(environment)
    _announce(environment)
    os.register_at_fork(after_in_child=_end_when_asked)
    Granian(
        "pocketid.wsgi:application",
        address=ip,
        port=environment.port,
        interface=Interfaces.WSGI,
        workers=workers(environment),
        blocking_threads=threads(environment),
        log_enabled=False,
        workers_kill_timeout=GRACE,
    ).serve()
    return 0


def _end_when_asked() -> None:
    """In a worker of granian's until it listens to signals itself, which it does once it has loaded the application.

    Its parent's way to hear them, which it was born with, notes them for the parent only: asked to end in that second,
    it would go on for ever, and the parent would wait for it.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def begin() -> None:
    """In each worker, because neither connections nor threads survive a fork."""
    from pocketid import database, encryption
    from pocketid.jobs import JOBS

    database.hold_open()
    encryption.refuse_another()
    jobs.start(JOBS)


def _announce(environment: Environment) -> None:
    print(f"pocketid {__version__} is ready at {environment.app_url}", flush=True)  # noqa: T201 - said before anything is logged
    if problem := no_passkeys_at(environment.app_url):
        tell(f"pocketid: {problem}")


def no_passkeys_at(app_url: str) -> str:
    """Why browsers make no passkeys for pages at this address, and what to do; ``""`` if they do.

    A passkey is bound to a domain, and to pages that nobody can have changed on the way (WebAuthn Level 3, sections 5.1.3
    and 13.4.9; Secure Contexts, section 3.1).
    """
    parts = urlsplit(app_url)
    host = parts.hostname or ""
    with suppress(ValueError):
        ip_address(host)
        return (
            f"no browser makes a passkey for a bare address such as {host}. Give the server a name, "
            "and set APP_URL to it, such as https://id.example.org; on this machine http://localhost does."
        )
    if parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"):
        return ""
    return (
        "browsers make passkeys only for https. Put a proxy with a certificate in front of this server, "
        f"and set APP_URL to https://{host}; only on this machine http://localhost does too."
    )
