"""Standard streams that are always there: cron tables and daemons start programs with some of them closed."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def hold_streams() -> None:
    """Open what is closed onto nothing, before a file or a connection takes its number.

    Programs that replace this one keep them so.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            _open_nothing(number)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for as long as we run
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the same
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the same


def _open_nothing(number: int) -> None:
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_RDWR)
        if nothing == number:
            os.set_inheritable(nothing, True)
        else:
            os.dup2(nothing, number)
            os.close(nothing)
