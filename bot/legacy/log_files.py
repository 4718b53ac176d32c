"""HMS-OPS's log files: which there are, and their lines, whatever is in them.

A line is read up to a length and its rest is passed over, so that a file of one line needs no memory. A last
line that is still being written is left for the next time.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path

from bot.legacy.tree import walk_files
from operations.errors import InvalidRequest
from operations.integration.legacy.stamps import tidy_line

_LOG_NAME = re.compile(
    r"(?:.*\.(?:log|jsonl|ndjson)|(?:.*[._-])?(?:logs?|errors?|deployments?))(?:[.-][\w.-]{1,40})?",
    re.I,
)
_ERROR_NAME = re.compile(r"(?<![a-z])err|exception|laravel|php", re.I)
_LONGEST = 16 * 1024
_PIECE = 1 << 20
_WRITING = timedelta(minutes=1)
"""A file that was changed so lately may be written to just now."""


@dataclass(slots=True)
class LogFile:
    """`trouble` is why it could not be read to its end; `is_unfinished`: its last line was left out."""

    path: Path
    trouble: str = ""
    is_unfinished: bool = False

    @property
    def tells_only_errors(self) -> bool:
        """By its name."""
        return _ERROR_NAME.search(self.path.name) is not None

    def lines(self, now: datetime) -> Iterator[str]:
        """Tidy. What cannot be read ends them, and is told by `trouble`."""
        try:
            with _open(self.path) as stream:
                yield from self._read(stream, now)
        except (OSError, EOFError, zlib.error) as exc:
            self.trouble = str(getattr(exc, "strerror", "") or exc)

    def _read(self, stream: BufferedReader | gzip.GzipFile, now: datetime) -> Iterator[str]:
        while raw := stream.readline(_LONGEST):
            is_whole = raw.endswith(b"\n") or (len(raw) == _LONGEST and _pass_over(stream))
            if not is_whole and self._is_being_written(now):
                self.is_unfinished = True
                return
            yield tidy_line(raw.decode("utf-8", "replace").rstrip("\r\n"))

    def _is_being_written(self, now: datetime) -> bool:
        if self.path.suffix == ".gz":
            return False
        changed = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        return now - changed < _WRITING


def find_logs(root: str) -> list[LogFile]:
    """The file, or all logs of the folder by their names; raises InvalidRequest where there is none."""
    path = Path(root)
    if path.is_file():
        return [LogFile(path)]
    found = [LogFile(each) for each in walk_files(path) if _LOG_NAME.fullmatch(each.name)]
    if not found:
        raise InvalidRequest(f"{root} holds no log files.", hint="Name the folder `logs/`.")
    return found


@contextmanager
def _open(path: Path) -> Iterator[BufferedReader | gzip.GzipFile]:
    """Without waiting for anybody to write to what became a pipe meanwhile."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError("It is no plain file.")
        if path.suffix != ".gz":
            yield stream
            return
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield unpacked


def _pass_over(stream: BufferedReader | gzip.GzipFile) -> bool:
    """What is left of a line; False where the file ends in it."""
    while raw := stream.readline(_PIECE):
        if raw.endswith(b"\n"):
            return True
    return False
