"""Every periodic job of this server, in one list."""

from datetime import timedelta

from accounts import cleanup as accounts_cleanup
from accounts import sessions
from apikeys import expiry
from audit import retention
from core import ratelimit
from core.jobs import Job
from oidc import backchannel, cleanup, deliveries, key_rotation, pending

JOBS = (
    Job("delete what has expired of sign-ins to apps", timedelta(hours=1), cleanup.delete_expired),
    Job("delete what has expired of accounts", timedelta(hours=1), accounts_cleanup.delete_expired),
    Job("delete old audit entries", timedelta(hours=1), retention.delete_old),
    Job("drop what strangers left waiting", timedelta(minutes=1), pending.drop_oldest_of_strangers),
    Job("end sessions whose time is over", timedelta(seconds=30), sessions.end_expired),
    Job("deliver logout tokens", timedelta(seconds=5), deliveries.deliver_due, wake=backchannel.queued),
    Job("rotate signing keys that are due", timedelta(hours=1), key_rotation.rotate_scheduled),
    Job("delete rate limits that do not limit", timedelta(hours=1), ratelimit.forget_full_buckets),
    Job("warn of API keys that expire soon", timedelta(hours=1), expiry.warn),
)
