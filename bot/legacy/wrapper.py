"""`hms-ops`, the old name: says once a day that it is gone, and hands every command to `hms-sys`.

It replaces itself by `hms-sys` with the same arguments, so that quoting, standard streams, signals and the
exit code are the new program's own. It never runs what it reads, and writes nothing to standard output.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "deploy": ("deploy",),
    "status": ("status",),
    "monitor": ("monitor",),
    "errors": ("errors",),
    "logs": ("logs",),
    "help": ("help",),
    "--help": ("help",),
    "-h": ("help",),
    "": ("help",),
}
"""What HMS-OPS could do, and what it is called now."""

_UNKNOWN = 1
_NOT_RUN = 126
_MISSING = 127

Replace = Callable[[str, list[str]], object]


def main() -> None:
    """The program."""
    sys.exit(run(sys.argv, os.environ, os.execv))


def run(argv: Sequence[str], environ: Mapping[str, str], replace: Replace) -> int:
    """The exit code, when `replace` was not called or came back."""
    words = list(argv[1:])
    _warn(environ, datetime.now(UTC))
    known = _COMMANDS.get(words[0] if words else "")
    if known is None:
        _say(
            f"hms-ops: “{words[0]}” was no command of HMS-OPS. `hms-sys help` lists what there is."
        )
        return _UNKNOWN
    program = _program(argv[0])
    if program is None:
        _say("hms-ops: hms-sys is not installed beside this program, nor is it on the PATH.")
        return _MISSING
    try:
        replace(program, [program, *known, *words[1:]])
    except OSError as exc:
        _say(f"hms-ops: {program} cannot be run: {exc.strerror}.")
    return _NOT_RUN


def _program(own: str) -> str | None:
    """`hms-sys` as installed with this very program, else the one on the PATH."""
    beside = Path(own).resolve().with_name("hms-sys")
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("hms-sys")


def _warn(environ: Mapping[str, str], now: datetime) -> None:
    """Once a day for each user; where that cannot be kept, each time: a warning too many harms nobody."""
    stamp = _stamp(environ)
    day = f"{now:%Y-%m-%d}"
    try:
        if stamp.read_text(encoding="utf-8").strip() == day:
            return
    except (OSError, UnicodeError):
        pass
    _say("hms-ops is deprecated: HMS-OPS was replaced by HMS-SYS. Say `hms-sys` instead.")
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(day, encoding="utf-8")
    except OSError:
        pass


def _stamp(environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "/")) / ".local/state")
    return Path(home) / "hms-sys" / "hms-ops-warned"


def _say(text: str) -> None:
    """As far as anybody listens: cron tables close standard error, and the command counts more."""
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
