"""Token buckets that all processes share (contract section 1.5): one row and one statement for each attempt.

A bucket is kept as the time at which it will be full again (GCRA), so that one conditional upsert both asks and takes.
The table is siteconfig's, because core has none. What stands for a secret fails closed, the rest fails open.
"""

import ipaddress
import logging
import math
import threading
import time
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError, connection

from core import batches
from core.errors import RateLimited

logger = logging.getLogger("pocketid.ratelimit")

TABLE = "siteconfig_ratebucket"


@dataclass(frozen=True)
class Limit:
    """``burst`` attempts at once, then one more every ``seconds``. ``guards`` says that refusing is the safe mistake."""

    name: str
    seconds: float
    burst: int
    guards: bool = True


API = Limit("api", 0.01, 300, guards=False)
SIGNUP = Limit("signup", 30, 10)
WEBAUTHN_LOGIN = Limit("webauthn-login", 5, 10)
WEBAUTHN_REAUTHENTICATE = Limit("webauthn-reauthenticate", 10, 5)
SETUP = Limit("setup", 10, 5)
LOGIN_CODE = Limit("one-time-access-token", 10, 5)
LOGIN_CODE_EMAIL = Limit("one-time-access-email", 300, 5)
DEVICE_LOGIN_CREATE = Limit("device-login-create", 10, 5)
DEVICE_LOGIN_EXCHANGE = Limit("device-login-exchange", 2, 10)
DEVICE_LOGIN_VERIFICATION = Limit("device-login-verification", 10, 5)
# Requests of strangers that wait for their sign-in. Behind one address may be a whole company on a Monday morning, and all
# of them where the proxy is not trusted. With what comes in the hour that a request waits, it stays below what all
# addresses together may leave (``oidc.pending``), so that nobody alone pushes others out.
WAITING = Limit("waiting-authorization", 0.2, 1500, guards=False)
USER_CODE = Limit("device-user-code", 5, 20)  # of the device flow (RFC 8628 section 5.1)
SEND_EMAIL_VERIFICATION = Limit("send-email-verification", 300, 1)
VERIFY_EMAIL = Limit("verify-email", 10, 5)


def take(limit: Limit, address: str, *, cost: int = 1) -> None:
    """Take ``cost`` tokens of ``address``'s bucket; raise ``RateLimited`` when they are not there."""
    if is_off():
        return
    try:
        wait = _take(f"{limit.name}:{bucket_of(address)}", limit, cost, time.time())
    except DatabaseError:
        logger.exception("the rate limit %s cannot be kept", limit.name)
        wait = limit.seconds if limit.guards else 0
    if wait > 0:
        raise RateLimited(math.ceil(wait))


def is_off() -> bool:
    environment = settings.ENVIRONMENT
    return bool(environment.disable_rate_limiting or environment.app_env == "test")


@lru_cache(maxsize=4096)  # the same few addresses come with request after request
def bucket_of(address: str) -> str:
    """Whoever holds one IPv6 address holds its whole /64 (attacks.md D12)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed.packed[:8] + bytes(8), 64)))
    return str(parsed)


def _take(bucket: str, limit: Limit, cost: int, now: float) -> float:
    """Seconds until the tokens would be there; 0 when they were, and are taken."""
    needed, room = limit.seconds * cost, limit.seconds * limit.burst
    latest = "GREATEST" if connection.vendor == "postgresql" else "MAX"
    full_again = f"{latest}({TABLE}.full_at, %s) + %s"
    with connection.cursor() as cursor:
        # The WHERE decides: an empty bucket is left as it is, and no row comes back.
        cursor.execute(
            f"INSERT INTO {TABLE} (name, full_at) VALUES (%s, %s) "  # noqa: S608 - the names are constants of this file
            f"ON CONFLICT (name) DO UPDATE SET full_at = {full_again} WHERE {full_again} <= %s RETURNING full_at",
            [bucket, now + needed, now, needed, now, needed, now + room],
        )
        if cursor.fetchone() is not None:
            return 0
        cursor.execute(f"SELECT full_at FROM {TABLE} WHERE name = %s", [bucket])  # noqa: S608 - as above
        found = cursor.fetchone()
    return max(float(found[0]) + needed - room - now, 0.001) if found else 0


def forget_full_buckets() -> int:
    """A bucket that is full again is as good as none; a periodic job. The number of rows that are gone."""
    total, gone = 0, batches.SIZE
    with connection.cursor() as cursor:
        while gone >= batches.SIZE:
            now = time.time()
            # The second condition is for PostgreSQL, which looks again at a row that somebody else has just changed.
            cursor.execute(
                f"DELETE FROM {TABLE} WHERE name IN (SELECT name FROM {TABLE} WHERE full_at < %s LIMIT %s) AND full_at < %s",  # noqa: S608 - as above
                [now, batches.SIZE, now],
            )
            gone = int(cursor.rowcount)
            total += gone
    return total


class Throttle:
    """A limit that must not cost a statement for each request, such as the general one on everything under ``/api``.

    A process counts for itself and pays the shared bucket in portions. Whoever asks for less than a portion in each
    window (of the general one: in a second, which is a quarter of what is allowed) is never looked up; of whoever asks for
    more, every request is paid for.
    """

    PORTION, WINDOW, MAX_ADDRESSES = 25, 1.0, 10_000

    def __init__(self, limit: Limit = API, *, window: float = WINDOW) -> None:
        self.limit, self.window, self._lock = limit, window, threading.Lock()
        self._counts: dict[str, tuple[float, int, bool]] = {}  # since when, how many unpaid, whether some were paid
        self._blocked: dict[str, float] = {}  # until when

    def check(self, address: str) -> None:
        """Count one request; raise ``RateLimited``."""
        if is_off():
            return
        bucket, now = bucket_of(address), time.monotonic()
        if (until := self._blocked.get(bucket, 0.0)) > now:
            raise RateLimited(math.ceil(until - now))
        if not self._is_due(bucket, now):
            return
        try:
            take(self.limit, address, cost=self.PORTION)
        except RateLimited as refused:
            with self._lock:
                self._blocked[bucket] = now + self.PORTION * self.limit.seconds
                # Those before have passed, and are still to be paid.
                self._counts[bucket] = (now, self.PORTION - 1, True)
            # Whole seconds are what the answer says; of the general limit a portion comes back in a quarter of one.
            raise RateLimited(math.ceil(self.PORTION * self.limit.seconds)) from refused

    def _is_due(self, bucket: str, now: float) -> bool:
        with self._lock:
            if len(self._counts) >= self.MAX_ADDRESSES:
                # All at once and not the oldest: a flood from everywhere must not be made dearer by looking for them.
                self._counts.clear()
                self._blocked = {name: until for name, until in self._blocked.items() if until > now}
            since, unpaid, has_paid = self._counts.get(bucket, (now, 0, False))
            if now - since >= self.window:
                since, unpaid, has_paid = now, unpaid if has_paid else 0, False
            is_due = unpaid + 1 >= self.PORTION
            self._counts[bucket] = (since, 0 if is_due else unpaid + 1, has_paid or is_due)
            return is_due


throttle = Throttle()
waiting = Throttle(WAITING, window=60.0)
