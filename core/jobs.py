"""Work that is done from time to time. A job is harmless when run twice or on two nodes at once."""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import close_old_connections

logger = logging.getLogger("pocketid.jobs")


@dataclass(frozen=True)
class Job:
    """``run`` is called ``every`` so often, and at once when ``wake`` is set in this process."""

    name: str
    every: timedelta
    run: Callable[[], object]
    wake: threading.Event = field(default_factory=threading.Event)


def start(jobs: Sequence[Job]) -> None:
    """A thread of this process for each of ``jobs``; they end with the process."""
    for job in jobs:
        threading.Thread(target=_forever, args=(job,), name=f"job: {job.name}", daemon=True).start()


def _forever(job: Job) -> None:
    seconds = job.every.total_seconds()
    # Not while the server starts, and spread out, so that the processes of a node do not all begin at once.
    job.wake.wait(random.uniform(0.1, 1) * min(seconds, 600))  # noqa: S311 - no secret
    while True:
        job.wake.clear()
        run(job)
        job.wake.wait(seconds)


def run(job: Job) -> None:
    """Run one job; what goes wrong is logged and does not stop the next."""
    close_old_connections()
    try:
        job.run()
    except Exception:
        logger.exception("the job %r failed", job.name)
    finally:
        close_old_connections()
