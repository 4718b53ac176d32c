"""HMS-OPS as a process: started as configured, with arguments of its own, never through a shell.

A deployment that was started goes on when this process ends: it has a session of its own, and writes to a
file instead of to us.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from operations.errors import ProviderUnavailable
from operations.integration.dual.ports import LegacyResult
from operations.redaction import clean

_TAIL_BYTES = 8_000
_STATUS_SECONDS = 60.0


@dataclass(slots=True)
class ProcessRun:
    """Implements `LegacyRun`."""

    process: asyncio.subprocess.Process
    log: Path

    async def wait(self, seconds: float) -> LegacyResult | None:
        """Its exit code and last lines."""
        try:
            async with asyncio.timeout(seconds):
                code = await self.process.wait()
        except TimeoutError:
            return None
        output = await asyncio.to_thread(_tail, self.log)
        await asyncio.to_thread(self.log.unlink, missing_ok=True)
        return LegacyResult(code, output)

    async def last_line(self) -> str:
        """The newest line that says something."""
        lines = (await asyncio.to_thread(_tail, self.log)).splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class HmsOps:
    """Implements `LegacyTool`. `command` is the program and its first arguments."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    async def deploy(
        self, provider: str, project: str, environment: str, version: str
    ) -> ProcessRun:
        """`hms-ops.sh deploy PROVIDER PROJECT ENVIRONMENT VERSION`."""
        return await self._start("deploy", provider, project, environment, version)

    async def status(self, project: str, environment: str) -> LegacyResult:
        """`hms-ops.sh status PROJECT ENVIRONMENT`."""
        run = await self._start("status", project, environment)
        result = await run.wait(_STATUS_SECONDS)
        if result is not None:
            return result
        with suppress(ProcessLookupError):
            run.process.kill()
        await run.wait(_STATUS_SECONDS)
        return LegacyResult(-1, f"no answer within {_STATUS_SECONDS:g} s")

    async def _start(self, *words: str) -> ProcessRun:
        handle, name = await asyncio.to_thread(tempfile.mkstemp, prefix="hms-ops-")
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                start_new_session=True,
            )
        except OSError as exc:
            await asyncio.to_thread(os.unlink, name)
            raise ProviderUnavailable(
                f"HMS-OPS cannot be started: {exc.strerror}.",
                hint="Check `legacy.command` in hms.yaml.",
            ) from exc
        finally:
            os.close(handle)
        return ProcessRun(process, Path(name))


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - _TAIL_BYTES))
            return clean(stream.read().decode("utf-8", "replace"), limit=2000)
    except FileNotFoundError:
        return ""
