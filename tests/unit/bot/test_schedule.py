from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.schedule import Job, running_jobs
from bot.supervision import Supervisor

SOON = timedelta(milliseconds=10)


async def test_a_job_runs_again_and_again_also_after_it_failed() -> None:
    runs: list[int] = []
    enough = asyncio.Event()

    async def fail() -> None:
        runs.append(1)
        if len(runs) == 3:
            enough.set()
        raise RuntimeError("a bug")

    async with running_jobs([Job("failing", SOON, fail)], Supervisor(SystemClock())):
        async with asyncio.timeout(5):
            await enough.wait()


async def test_a_job_that_still_runs_at_the_end_is_stopped_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    caplog.set_level(logging.ERROR)
    async with running_jobs([Job("hanging", SOON, hang)], Supervisor(SystemClock())):
        async with asyncio.timeout(5):
            await begun.wait()
    async with asyncio.timeout(5):
        await stopped.wait()
    await asyncio.sleep(0)

    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert errors == []
