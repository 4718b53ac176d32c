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

from bot.streams import hold_streams
from operations.integration.legacy.renaming import COMMANDS, renamed

_COMMANDS: Mapping[str, tuple[str, ...]] = {
    **{command: (command,) for command in COMMANDS},
    "--help": ("help",),
    "-h": ("help",),
    "": ("help",),
}
"""What HMS-OPS could do, and what is handed on."""

_STAMP = "hms-ops-warned-"
_UNKNOWN = 1
_NOT_RUN = 126
_MISSING = 127

Replace = Callable[[str, list[str]], object]


def main() -> None:
    """The program."""
    hold_streams()
    sys.exit(run(sys.argv, os.environ, os.execv))


def run(argv: Sequence[str], environ: Mapping[str, str], replace: Replace) -> int:
    """The exit code, when `replace` was not called or came back."""
    words = list(argv[1:])
    _warn(environ, datetime.now(UTC))
    known = _COMMANDS.get(words[0] if words else "")
    if known is None:
        _say(f"hms-ops: “{_plain(words[0])}” is not known to this wrapper{_instead(words[0])}")
        return _UNKNOWN
    program = _program(argv[0])
    if program is None:
        _say("hms-ops: hms-sys is not installed beside this program, nor is it on the PATH.")
        return _MISSING
    try:
        replace(program, [program, *renamed([*known, *words[1:]])])
    except OSError as exc:
        _say(f"hms-ops: {program} cannot be run: {exc.strerror}.")
    return _NOT_RUN


def _instead(word: str) -> str:
    """What HMS-SYS has by that name is said, and not run: an HMS-OPS may have meant something else by it."""
    from handlers.language.verbs import COMMAND_LINE_ONLY, verb_named

    if verb_named(word) is not None or word in COMMAND_LINE_ONLY:
        return f"; `hms-sys {word}` exists."
    return ". `hms-sys help` lists what there is."


def _plain(word: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in word)


def _program(own: str) -> str | None:
    """`hms-sys` as installed with this very program, else the one on the PATH."""
    beside = Path(own).resolve().with_name("hms-sys")
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("hms-sys")


def _warn(environ: Mapping[str, str], now: datetime) -> None:
    """Once a day for each user; where that cannot be kept, each time: a warning too many harms nobody."""
    folder = _folder(environ)
    stamp = folder / f"{_STAMP}{now:%Y-%m-%d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stamp.touch(exist_ok=False)
    except FileExistsError:
        if stamp.exists():
            return
    except OSError:
        pass
    else:
        _forget_former(folder, stamp)
    _say("hms-ops is deprecated: HMS-OPS was replaced by HMS-SYS. Say `hms-sys` instead.")


def _forget_former(folder: Path, stamp: Path) -> None:
    with suppress(OSError):
        for former in folder.glob(f"{_STAMP}*"):
            if former != stamp:
                former.unlink()


def _folder(environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME", "/")) / ".local/state")
    return Path(home) / "hms-sys"


def _say(text: str) -> None:
    """As far as anybody listens: cron tables close standard error, and the command counts more."""
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
