"""HMS-OPS as a process: started as configured, with arguments of its own, never through a shell.

A deployment that was started goes on when this process ends: it has a session and a keeper of its own, and
writes to files instead of to us (see `legacy_runs`).
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from operations.errors import ProviderUnavailable
from operations.integration.dual.ports import LegacyOrder, LegacyResult, LegacyRun
from providers.legacy_keeper import LARGEST_LOG
from providers.legacy_runs import RunFiles, Trace

_KEEPER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("legacy_keeper.py")))
_START_SECONDS = 20.0
_LOOK_SECONDS = 0.1
_KILL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class KeptRun:
    """Implements `LegacyRun`, for what this process started and for what one before it did.

    `keeper` is ours to wait for, when it was this process.
    """

    files: RunFiles
    name: str
    keeper: subprocess.Popen[bytes] | None = None

    async def wait(self, seconds: float) -> LegacyResult | None:
        """Its exit code and last lines. Raises ProviderUnavailable when it was never started."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (result := await asyncio.to_thread(self._look)) is None:
            if loop.time() >= end:
                return None
            await asyncio.sleep(_LOOK_SECONDS)
        return result

    async def last_line(self) -> str:
        """The newest line that says something."""
        lines = (await asyncio.to_thread(self.files.tail, self.name)).splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    async def place(self) -> str:
        """Its process and this machine."""
        found = await asyncio.to_thread(self.files.trace, self.name)
        return found.place if found else ""

    def _look(self) -> LegacyResult | None:
        found = self.files.trace(self.name) or Trace(is_open=self._is_kept())
        if found.is_open:
            return None
        if self.keeper is not None:
            self.keeper.wait()  # it wrote the end, or was killed
        if found.error:
            raise _not_started(found.error)
        return LegacyResult(found.exit_code, self.files.tail(self.name))

    def _is_kept(self) -> bool:
        """Whether it is at work for all that somebody took its files away."""
        return self.keeper is not None and self.keeper.poll() is None


class HmsOps:
    """Implements `LegacyTool`. `command` is the program and its first arguments.

    `environ` is all that it gets to see of ours. A status that takes longer than `status_seconds` is ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        files: RunFiles,
        environ: Mapping[str, str] | None = None,
        *,
        status_seconds: float = 60.0,
    ) -> None:
        self._command = tuple(command)
        self._files = files
        self._environ = dict(environ or {})
        self._status_seconds = status_seconds
        self._ours: dict[str, KeptRun] = {}

    async def deploy(self, order: LegacyOrder) -> KeptRun:
        """`hms-ops.sh deploy PROVIDER PROJECT ENVIRONMENT VERSION`."""
        words = ("deploy", order.provider, order.project, order.environment, order.version)
        return await asyncio.to_thread(self._begin, _name(order), words)

    async def find(self, order: LegacyOrder) -> LegacyRun | None:
        """Of this process, or left by one before it on this machine."""
        name = _name(order)
        if ours := self._ours.get(name):
            return ours
        found = await asyncio.to_thread(self._files.trace, name)
        return KeptRun(self._files, name) if found else None

    async def at_work(self, project: str, environment: str) -> LegacyRun | None:
        """The first that has not ended."""
        name = await asyncio.to_thread(self._first_open, f"{project}/{environment}")
        return self._ours.get(name, KeptRun(self._files, name)) if name else None

    async def status(self, project: str, environment: str) -> LegacyResult:
        """`hms-ops.sh status PROJECT ENVIRONMENT`; what does not end is ended, with all it started."""
        name = f"status-{os.getpid()}-{os.urandom(6).hex()}"
        process = await asyncio.to_thread(self._ask, name, ("status", project, environment))
        try:
            code = await _end_of(process, self._status_seconds, self._files.log(name))
            if code is None:
                return LegacyResult(None, await asyncio.to_thread(self._why_ended, name))
            return LegacyResult(code, await asyncio.to_thread(self._files.tail, name))
        finally:
            await asyncio.to_thread(self._clear, process, name)

    def _clear(self, process: subprocess.Popen[bytes], name: str) -> None:
        _kill(process)
        self._files.remove(name)

    def _why_ended(self, name: str) -> str:
        if _is_too_long(self._files.log(name)):
            return f"it did not stop talking: more than {LARGEST_LOG // 2**20} MiB"
        return f"no answer within {self._status_seconds:g} s"

    def _first_open(self, target_name: str) -> str:
        return next((name for name, _ in self._files.open_of(target_name)), "")

    def _begin(self, name: str, words: Sequence[str]) -> KeptRun:
        self._forget_ended()
        self._files.sweep()
        handle = self._files.create(name)
        try:
            record = str(self._files.record(name))
            keeper = self._spawn(
                [*_KEEPER, record, *self._command, *words], subprocess.PIPE, handle
            )
        finally:
            os.close(handle)
        run = self._ours[name] = KeptRun(self._files, name, keeper)
        _, failed, reason = _first_word(keeper).partition("failed ")
        if failed:
            keeper.wait()
            raise _not_started(reason)
        return run

    def _forget_ended(self) -> None:
        """Their files tell the rest."""
        for name, run in list(self._ours.items()):
            if run.keeper is None or run.keeper.poll() is not None:
                del self._ours[name]

    def _ask(self, name: str, words: Sequence[str]) -> subprocess.Popen[bytes]:
        handle = self._files.create(name)
        try:
            return self._spawn([*self._command, *words], handle, handle)
        except ProviderUnavailable:
            self._files.remove(name)
            raise
        finally:
            os.close(handle)

    def _spawn(self, command: Sequence[str], stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 -- the configured program, with arguments of its own
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=self._environ,
                start_new_session=True,
            )
        except OSError as exc:
            raise _not_started(exc.strerror) from exc


def _name(order: LegacyOrder) -> str:
    return f"{order.project}/{order.environment}/{order.run}"


def _not_started(reason: str | None) -> ProviderUnavailable:
    return ProviderUnavailable(
        f"HMS-OPS cannot be started: {reason}.", hint="Check `legacy.command` in hms.yaml."
    )


def _first_word(keeper: subprocess.Popen[bytes]) -> str:
    """Whether it could start HMS-OPS; "" when it does not say in time, and its files will tell."""
    if keeper.stdout is None:
        return ""
    with keeper.stdout as stream:
        ready, _, _ = select.select([stream], [], [], _START_SECONDS)
        return stream.readline().decode("utf-8", "replace").strip() if ready else ""


async def _end_of(process: subprocess.Popen[bytes], seconds: float, log: Path) -> int | None:
    """None: it has not ended within the time, or it fills the disk."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (code := process.poll()) is None:
        if loop.time() >= end or await asyncio.to_thread(_is_too_long, log):
            return None
        await asyncio.sleep(_LOOK_SECONDS)
    return code


def _is_too_long(log: Path) -> bool:
    """Nobody keeps a status short, as the keeper does the log of a deployment."""
    with suppress(OSError):
        return log.stat().st_size > LARGEST_LOG
    return False


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With everything that it started and that has not gone away from it."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # One that hangs in the kernel, on a dead network share, does not even hear of that.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_KILL_SECONDS)
