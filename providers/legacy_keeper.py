"""The program that runs HMS-OPS and writes down how it ended; it needs nobody to be there for that.

    python -I -S legacy_keeper.py RECORD PROGRAM [ARGUMENT …]

Whoever started it may be killed at any time, so it is a process by itself, of the standard library only. On
standard output it says once whether HMS-OPS was started: `started PID` or `failed REASON`. Standard error is
the file that HMS-OPS writes to, opened for appending.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

LARGEST_LOG = 64 * 2**20
"""Bytes. Nobody reads so much of it: when there is more, its end is enough."""
_KEPT_BYTES = 64_000
_LOOK_SECONDS = 0.2
_OUTPUT = 2


def keep(record: Path, command: Sequence[str]) -> int:
    """Run it to its end; the exit code, 128 and more for a signal."""
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, _stay)  # a handler, unlike SIG_IGN, is not handed down to HMS-OPS
    try:
        process = subprocess.Popen(  # noqa: S603 -- the configured program, never through a shell
            command, stdin=subprocess.DEVNULL, stdout=_OUTPUT, stderr=_OUTPUT
        )
    except OSError as exc:
        _write(record, {"error": exc.strerror})
        _tell(f"failed {exc.strerror}")
        return 126
    _write(record, {"pid": process.pid})
    _tell(f"started {process.pid}")
    code = _wait(process, record.with_suffix(".log"))
    _write(record, {"pid": process.pid, "exit": code})
    return code if code >= 0 else 128 - code


def _stay(_number: int, _frame: object) -> None:
    """Whoever ends everything ends HMS-OPS too, and that has to be written down."""


def _wait(process: subprocess.Popen[bytes], log: Path) -> int:
    while True:
        try:
            return process.wait(_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(OSError):
                _cut(log)


def _cut(log: Path) -> None:
    """HMS-OPS appends, so what comes next stays."""
    size = os.fstat(_OUTPUT).st_size
    if size > LARGEST_LOG:
        with log.open("rb") as stream:
            stream.seek(size - _KEPT_BYTES)
            end = stream.read(_KEPT_BYTES)
        os.ftruncate(_OUTPUT, 0)
        os.write(_OUTPUT, end)


def _tell(word: str) -> None:
    with suppress(OSError):
        os.write(1, word.encode() + b"\n")
        os.close(1)


def _write(record: Path, facts: dict[str, object]) -> None:
    """Whole or not at all, whatever happens to the machine; a folder that is gone is not made anew."""
    part = record.with_suffix(".part")
    with suppress(OSError):
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            json.dump(facts, stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(record)


if __name__ == "__main__":
    sys.exit(keep(Path(sys.argv[1]), sys.argv[2:]))
