"""What the process does again and again: jobs at intervals by APScheduler, and loops that never end.

Every replica runs all of it. What a job does must be safe to do twice: it claims in the database what is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from operations.errors import OperationError
from operations.guard import Guard

_LOG = structlog.get_logger("hms.schedule")

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is called every so often, never twice at once; one that was missed is not made up for.

    What it returns is nobody's concern.
    """

    name: str
    every: timedelta
    run: Work


@dataclass(frozen=True, slots=True)
class Loop:
    """`run` goes on until it is cancelled."""

    name: str
    run: Callable[[], Awaitable[None]]


@asynccontextmanager
async def running_jobs(jobs: Iterable[Job], guard: Guard) -> AsyncIterator[None]:
    """Runs the jobs within the block. A bug in one is logged, and the others go on."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    for job in jobs:
        scheduler.add_job(
            _guarded(job, guard),
            "interval",
            seconds=job.every.total_seconds(),
            id=job.name,
            name=job.name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


def _guarded(job: Job, guard: Guard) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        try:
            await job.run()
        except OperationError as exc:
            _LOG.warning("a job has to wait", job=job.name, why=exc.message)

    async def guarded() -> None:
        # APScheduler cancels at its end what still runs, and would log each as an error with its trace.
        # This is the outermost frame of the job's own task: nobody is left who waits for the cancellation.
        with suppress(asyncio.CancelledError):
            await guard(job.name, run)

    return guarded
