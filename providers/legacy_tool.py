"""HMS-OPS as a process: started as configured, with arguments of its own, never through a shell.

A deployment that was started goes on when this process ends: it has a session of its own, and writes to a
file instead of to us. The file is locked, and the lock is handed down with it: so whoever comes after us
sees whether HMS-OPS is still at work, and has no number of a process to mistake for another's.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from operations.errors import ProviderUnavailable
from operations.integration.dual.ports import LegacyOrder, LegacyResult, LegacyRun
from operations.redaction import clean

_TAIL_BYTES = 8_000
_LARGEST_LOG = 64 * 2**20
_STATUS_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_KEPT = 50
"""Runs that ended, whose result may be asked for once more."""


@dataclass(slots=True)
class ProcessRun:
    """Implements `LegacyRun` for a process of ours."""

    process: subprocess.Popen[bytes]
    log: Path
    result: LegacyResult | None = None

    async def wait(self, seconds: float) -> LegacyResult | None:
        """Its exit code and last lines."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self.result is None:
            self.result = await asyncio.to_thread(self._look)
            if self.result is None:
                if loop.time() >= end:
                    return None
                await asyncio.sleep(_LOOK_SECONDS)
        return self.result

    async def last_line(self) -> str:
        """The newest line that says something."""
        return await asyncio.to_thread(_last_line, self.log)

    def kill(self) -> None:
        """With everything that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _look(self) -> LegacyResult | None:
        code = self.process.poll()
        if code is None:
            _cut(self.log)
            return None
        result = LegacyResult(code, _tail(self.log))
        self.log.unlink(missing_ok=True)
        return result


@dataclass(frozen=True, slots=True)
class LeftRun:
    """Implements `LegacyRun` for a process that was started by one before us: its code is not for us."""

    log: Path

    async def wait(self, seconds: float) -> LegacyResult | None:
        """Its last lines, once it and whatever writes in its place have ended."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (result := await asyncio.to_thread(self._look)) is None:
            if loop.time() >= end:
                return None
            await asyncio.sleep(_LOOK_SECONDS)
        return result

    async def last_line(self) -> str:
        """The newest line that says something."""
        return await asyncio.to_thread(_last_line, self.log)

    def _look(self) -> LegacyResult | None:
        if _is_held(self.log):
            _cut(self.log)
            return None
        result = LegacyResult(None, _tail(self.log))
        self.log.unlink(missing_ok=True)
        return result


class HmsOps:
    """Implements `LegacyTool`. `command` is the program and its first arguments.

    `folder` is where its words are kept while it runs: one of this user's own, made when needed.
    """

    def __init__(self, command: Sequence[str], folder: Path | None = None) -> None:
        self._command = tuple(command)
        self._folder = folder or Path(tempfile.gettempdir()) / f"hms-ops-{os.getuid()}"
        self._runs: dict[str, ProcessRun] = {}

    async def deploy(self, order: LegacyOrder) -> ProcessRun:
        """`hms-ops.sh deploy PROVIDER PROJECT ENVIRONMENT VERSION`."""
        words = ("deploy", order.provider, order.project, order.environment, order.version)
        return await asyncio.to_thread(self._begin, order.run, words)

    async def find(self, run: str) -> LegacyRun | None:
        """Of this process, or left by one before it on this machine."""
        ours = self._runs.get(run)
        if ours is not None:
            return ours
        log = self._log(run)
        return LeftRun(log) if await asyncio.to_thread(log.exists) else None

    async def status(self, project: str, environment: str) -> LegacyResult:
        """`hms-ops.sh status PROJECT ENVIRONMENT`; what does not end is ended, with all it started."""
        name = f"status-{os.getpid()}-{os.urandom(6).hex()}"
        run = await asyncio.to_thread(self._spawn, name, ("status", project, environment))
        try:
            result = await run.wait(_STATUS_SECONDS)
        finally:
            if run.result is None:
                run.kill()
        if result is None:
            await run.wait(_STATUS_SECONDS)
            return LegacyResult(-1, f"no answer within {_STATUS_SECONDS:g} s")
        return result

    def _begin(self, name: str, words: Sequence[str]) -> ProcessRun:
        """Known before the thread ends: whoever stops waiting for it finds it again."""
        ended = [key for key, run in self._runs.items() if run.result is not None]
        for key in ended[:-_KEPT]:
            del self._runs[key]
        run = self._runs[name] = self._spawn(name, words)
        return run

    def _spawn(self, name: str, words: Sequence[str]) -> ProcessRun:
        log = self._log(name)
        try:
            _make_own(self._folder)
            handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        except OSError as exc:
            raise ProviderUnavailable(
                f"{self._folder} cannot be written, so HMS-OPS was not started: {exc.strerror}."
            ) from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            return ProcessRun(self._open(words, handle), log)
        except OSError as exc:
            log.unlink(missing_ok=True)
            raise ProviderUnavailable(
                f"HMS-OPS cannot be started: {exc.strerror}.",
                hint="Check `legacy.command` in hms.yaml.",
            ) from exc
        finally:
            os.close(handle)

    def _open(self, words: Sequence[str], handle: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 -- the configured program, with arguments of its own
            [*self._command, *words],
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
        )

    def _log(self, run: str) -> Path:
        return self._folder / f"{run}.log"


def _make_own(folder: Path) -> None:
    """Raises OSError when it is somebody else's: names in it can be foretold."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(0, "it is somebody else's")


def _is_held(log: Path) -> bool:
    """Whether a process still has it open that was handed it by the one who locked it."""
    try:
        handle = os.open(log, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _cut(log: Path) -> None:
    """Nobody reads so much of it: its end is enough. HMS-OPS appends, so what comes next stays."""
    with suppress(FileNotFoundError):
        if log.stat().st_size <= _LARGEST_LOG:
            return
        with log.open("ab") as stream:
            end = _last_bytes(log)
            stream.truncate(0)
            stream.write(end)


def _last_line(log: Path) -> str:
    lines = _tail(log).splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _tail(log: Path) -> str:
    try:
        return clean(_last_bytes(log).decode("utf-8", "replace"), limit=2000)
    except FileNotFoundError:
        return ""


def _last_bytes(log: Path) -> bytes:
    with log.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - _TAIL_BYTES))
        return stream.read(_TAIL_BYTES)
