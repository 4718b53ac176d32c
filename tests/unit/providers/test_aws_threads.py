"""Blocking calls beside the loop: their results, their errors, their number, and their end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from providers.aws.threads import Threads

_ROOT = Path(__file__).parents[3]
_STUCK = """
import asyncio, time
from providers.aws.threads import Threads

async def main():
    try:
        async with asyncio.timeout(0.05):
            await Threads(1, "stuck").run(lambda: time.sleep(60))
    except TimeoutError:
        pass

asyncio.run(main())
"""


def _fail() -> None:
    raise ValueError("no")


async def test_a_calls_result_and_its_error_reach_the_one_who_waits() -> None:
    threads = Threads(2, "test")

    assert await threads.run(lambda: 6 * 7) == 42
    with pytest.raises(ValueError, match="no"):
        await threads.run(_fail)


async def test_a_call_that_nobody_awaits_any_more_keeps_its_place() -> None:
    threads, gate = Threads(1, "test"), threading.Event()
    stuck = asyncio.create_task(threads.run(gate.wait))  # noqa: TID251 -- it is cancelled below
    await asyncio.sleep(0)
    stuck.cancel()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await threads.run(lambda: None)
    gate.set()

    await threads.run(lambda: None)


def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", _STUCK], check=True, cwd=_ROOT, timeout=30)

    assert time.monotonic() - begun < 20
