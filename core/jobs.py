"""Work that is done from time to time. A job is harmless when run twice or on two nodes at once."""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import close_old_connections

logger = logging.getLogger("pocketid.jobs")


@dataclass(frozen=True)
class Job:
    name: str
    every: timedelta
    run: Callable[[], object]


def start(jobs: Sequence[Job]) -> None:
    """One thread of this process for all ``jobs``; it ends with the process."""
    threading.Thread(target=_forever, args=(jobs,), name="jobs", daemon=True).start()


def _forever(jobs: Sequence[Job]) -> None:
    clock = threading.Event()
    # Spread out, so that the processes of a node do not all begin at once.
    left = {job.name: random.uniform(0, min(job.every.total_seconds(), 60)) for job in jobs}  # noqa: S311 - no secret
    while True:
        wait = min(left.values())
        clock.wait(wait)
        for job in jobs:
            left[job.name] -= wait
            if left[job.name] <= 0:
                run(job)
                left[job.name] = job.every.total_seconds()


def run(job: Job) -> None:
    """Run one job; what goes wrong is logged and does not stop the next."""
    close_old_connections()
    try:
        job.run()
    except Exception:
        logger.exception("the job %r failed", job.name)
    finally:
        close_old_connections()
