"""Every periodic job of this server, in one list."""

from datetime import timedelta

from accounts import login_codes, sessions, signup
from apikeys import expiry
from core import ratelimit
from core.jobs import Job
from oidc import backchannel, cleanup, key_rotation

JOBS = (
    Job("delete what has expired", timedelta(hours=1), cleanup.delete_expired),
    Job("deliver logout tokens", timedelta(seconds=5), backchannel.deliver_due, wake=backchannel.queued),
    Job("rotate signing keys that are due", timedelta(hours=1), key_rotation.rotate_scheduled),
    Job("delete old logout deliveries", timedelta(days=1), backchannel.delete_old),
    Job("delete login codes that have expired", timedelta(hours=1), login_codes.forget_expired),
    Job("delete sign-up tokens that have expired", timedelta(hours=1), signup.forget_expired),
    Job("delete rate limits that do not limit", timedelta(hours=1), ratelimit.forget_full_buckets),
    Job("warn of API keys that expire soon", timedelta(days=1), expiry.warn),
    Job("delete sessions that have ended", timedelta(hours=1), sessions.delete_expired),
)
