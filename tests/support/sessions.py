"""The sessions of a running server, brought to their end without waiting for it."""

import subprocess
import sys
from datetime import timedelta

from tests.support.server import ROOT, Server

_END = """
import django; django.setup()
import sys
from datetime import timedelta
from django.utils import timezone
from accounts.models import Session
rows = Session.objects.filter(pk__in=sys.argv[2:]) if sys.argv[2:] else Session.objects.all()
print(rows.update(expires_at=timezone.now() - timedelta(seconds=float(sys.argv[1]))))
"""
_SID = """
import django; django.setup()
import sys
from accounts import sessions
print(sessions.find(sys.argv[1]).pk)
"""


def let_time_run_out(server: Server, *sids: str, ago: timedelta = timedelta(seconds=11)) -> int:
    """The time of these sessions, or of all, was over a moment ``ago``; how many that are."""
    return int(run_python(server, _END, str(ago.total_seconds()), *sids))


def sid_of(server: Server, key: str) -> str:
    """The ``sid`` of the session whose cookie has this value."""
    return run_python(server, _SID, key)


def run_python(server: Server, script: str, *arguments: str) -> str:
    """What a script says that runs beside the server, on its database."""
    environment = server.environment | {"DJANGO_SETTINGS_MODULE": "pocketid.settings"}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
