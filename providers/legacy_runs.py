"""What runs of HMS-OPS leave behind: their words, who they are, and how they ended. Files, kept for weeks.

A run's log is locked, and the lock is handed down with it: so whoever comes after us sees whether HMS-OPS is
still at work, and has no number of a process to mistake for another's. Its end is written by `legacy_keeper`.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from operations.errors import ProviderUnavailable
from operations.redaction import clean

_KEPT_SECONDS = 14 * 86_400.0
_READ_BYTES = 64_000
_SHOWN = 2000
_MASK = "[redacted]"


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a run. `is_open`: it is at work. `error`: it was never started, and why.

    `exit_code` is None while it is at work, and when nobody was left to write it down.
    """

    is_open: bool
    pid: int = 0
    exit_code: int | None = None
    error: str = ""

    @property
    def place(self) -> str:
        """For people who want to end it."""
        return f"process {self.pid} on {socket.gethostname()}" if self.pid else ""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Two files for each run, below a folder for each target. `secrets` are masked in what is read."""

    folder: Path
    secrets: Sequence[str] = ()

    def log(self, name: str) -> Path:
        """Where the run `PROJECT/ENVIRONMENT/NAME` writes to."""
        return self.folder / f"{name}.log"

    def record(self, name: str) -> Path:
        """Where it stands how that went."""
        return self.folder / f"{name}.json"

    def create(self, name: str) -> int:
        """The open log, locked. Raises ProviderUnavailable when it is there, or cannot be made."""
        try:
            _make_own(self.folder)
            log = self.log(name)
            log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            handle = os.open(log, flags, 0o600)
        except OSError as exc:
            raise ProviderUnavailable(
                f"{self.folder} cannot be written, so HMS-OPS was not started: {exc.strerror}.",
                hint="`legacy.state_directory` in hms.yaml says where it keeps what HMS-OPS did.",
            ) from exc
        fcntl.flock(handle, fcntl.LOCK_EX)
        return handle

    def trace(self, name: str) -> Trace | None:
        """Of any run, whoever began it; None: nothing is left of it here."""
        log = self.log(name)
        if not log.exists() and not self.record(name).exists():
            return None
        held = _is_held(log)  # looked at first: the end is written before the lock is let go
        facts = _read(self.record(name))
        pid, code, error = facts.get("pid"), facts.get("exit"), facts.get("error")
        has_ended = isinstance(code, int) or isinstance(error, str)
        return Trace(
            is_open=held and not has_ended,
            pid=pid if isinstance(pid, int) else 0,
            exit_code=code if isinstance(code, int) else None,
            error=error if isinstance(error, str) else "",
        )

    def open_of(self, target_name: str) -> Iterator[tuple[str, Trace]]:
        """Runs that are at work on a target, by name."""
        for log in sorted((self.folder / target_name).glob("*.log")):
            name = f"{target_name}/{log.stem}"
            found = self.trace(name)
            if found is not None and found.is_open:
                yield name, found

    def tail(self, name: str) -> str:
        """Its last lines, without secrets."""
        with suppress(FileNotFoundError):
            text = _last_lines(self.log(name))
            for secret in self.secrets:
                text = text.replace(secret, _MASK)
            plain = clean(text, limit=_READ_BYTES)
            return plain if len(plain) <= _SHOWN else f"…{plain[1 - _SHOWN :]}"
        return ""

    def remove(self, name: str) -> None:
        """Forget a run."""
        for file in (self.log(name), self.record(name)):
            file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Forget what was last written to two weeks ago and is at work no more."""
        before = time.time() - _KEPT_SECONDS
        for file in self.folder.rglob("*.*"):
            with suppress(OSError):
                if file.lstat().st_mtime < before and not _is_held(file.with_suffix(".log")):
                    file.unlink()


def _make_own(folder: Path) -> None:
    """Raises OSError when it is somebody else's: names in it can be foretold."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(0, "it is somebody else's")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def _is_held(log: Path) -> bool:
    """Whether a process still has it open that was handed it by the one who locked it."""
    try:
        handle = os.open(log, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _read(record: Path) -> dict[str, object]:
    try:
        found = json.loads(record.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _last_lines(log: Path) -> str:
    """Whole lines only: of a secret that is cut in two nobody can tell that it is one."""
    with log.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _READ_BYTES))
        read = stream.read(_READ_BYTES)
    text = read.decode("utf-8", "replace")
    return text if size <= _READ_BYTES else text.partition("\n")[2]
