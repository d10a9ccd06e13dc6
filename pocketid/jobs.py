"""Every periodic job of this server, in one list."""

from datetime import timedelta

from accounts import sessions
from core.jobs import Job
from oidc import cleanup

JOBS = (
    Job("delete what has expired", timedelta(hours=1), cleanup.delete_expired),
    Job("delete sessions that have ended", timedelta(hours=1), sessions.delete_expired),
)
