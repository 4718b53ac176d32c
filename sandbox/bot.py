"""Runs the real bot as a process of its own, and starts it again when it ends: try `kill -9`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp

from sandbox.processes import stop_process

Say = Callable[[str], None]

_ALWAYS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")


async def keep_bot(variables: dict[str, str], log: Path, say: Say) -> None:
    """Run until cancelled."""
    environ = {name: os.environ[name] for name in _ALWAYS if name in os.environ} | variables
    while True:
        with log.open("ab") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "serve",
                env=environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        try:
            await process.wait()
        finally:
            await stop_process(process)
        say(f"The bot (pid {process.pid}) ended with {process.returncode}; it is started again.")
        await asyncio.sleep(1)


async def wait_until_ready(variables: dict[str, str], seconds: float = 30.0) -> bool:
    """Whether the bot answered in time, its socket connected."""
    url = f"http://{variables['HMS_HOST']}:{variables['HMS_PORT']}"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        for _ in range(int(seconds * 10)):
            try:
                async with (
                    session.get(f"{url}/healthz") as alive,
                    session.get(f"{url}/readyz") as ready,
                ):
                    if alive.status == ready.status == 200:
                        return True
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)
    return False
