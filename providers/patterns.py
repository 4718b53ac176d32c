"""Looks for a configured regular expression in an outsider's text, for so long and no longer.

Some patterns take for ever on some texts, and Python's `re` holds the interpreter meanwhile: no deadline
of asyncio and no thread would end it. It does heed signals, so a timer of the process's own CPU time does.
"""

from __future__ import annotations

import re
import signal
from types import FrameType

LONGEST_SECONDS = 0.1
"""Of CPU time. Nothing else happens in this process meanwhile."""


class TooSlow(Exception):
    """The pattern was not done with the text in time."""


def is_found(pattern: str, text: str) -> bool:
    """Whether it matches anywhere; raises TooSlow. Only for the main thread, where signals arrive."""
    former = signal.signal(signal.SIGVTALRM, _give_up)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST_SECONDS)
        try:
            return re.search(pattern, text) is not None
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.signal(signal.SIGVTALRM, former)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise TooSlow
