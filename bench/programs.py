"""The programs that are measured, each in a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

_ALWAYS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Program:
    """A running one, and where it writes its log."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def resident_mb(self) -> float:
        """Resident memory in MB (10^6 bytes)."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]


@asynccontextmanager
async def running(words: Sequence[str], variables: Mapping[str, str]) -> AsyncIterator[Program]:
    """Run `python WORDS` with these variables and little else; it is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as place:
        log = Path(place) / "log"
        with log.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *words,
                env=environment(variables),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        try:
            yield Program(process, log)
        finally:
            await _stop(process)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """A program's whole environment: what every one needs, and these variables."""
    kept = {name: os.environ[name] for name in _ALWAYS if name in os.environ}
    return {**kept, "NO_PROXY": "*", **variables}


async def until_ready(program: Program, port: int, paths: Sequence[str]) -> None:
    """Ask every few milliseconds until all paths answer 200; raises RuntimeError with the log."""
    try:
        async with asyncio.timeout(_PATIENCE), aiohttp.ClientSession() as session:
            while not await _are_ready(session, port, paths):
                if program.process.returncode is not None:
                    raise TimeoutError
                await asyncio.sleep(0.005)
    except TimeoutError as exc:
        raise RuntimeError(f"The program did not come up:\n{program.tail()}") from exc


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _are_ready(session: aiohttp.ClientSession, port: int, paths: Sequence[str]) -> bool:
    try:
        for path in paths:
            async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
                if answer.status != 200:
                    return False
    except aiohttp.ClientError:
        return False
    return True


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
