"""Every periodic job of this server, in one list."""

from datetime import timedelta

from accounts import sessions
from core.jobs import Job
from oidc import backchannel, cleanup

JOBS = (
    Job("delete what has expired", timedelta(hours=1), cleanup.delete_expired),
    Job("deliver logout tokens", timedelta(seconds=5), backchannel.deliver_due, wake=backchannel.queued),
    Job("delete old logout deliveries", timedelta(days=1), backchannel.delete_old),
    Job("delete sessions that have ended", timedelta(hours=1), sessions.delete_expired),
)
