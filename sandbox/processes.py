"""Ending programs that the sandbox started."""

from __future__ import annotations

import asyncio


async def stop_process(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, and end it when it does not within ten seconds."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
