"""From lines to entries: a stack trace is one entry, whatever number of lines it was written in.

Pure, and linear in the text. Every line ends up in exactly one entry, in the order of its stream. The
last entry of a stream may go on in lines that are yet to come: it is given back as open, to be passed in
again with the next lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from operations.monitoring.errors.event import Level
from operations.monitoring.errors.levels import level_of
from operations.monitoring.errors.log_ports import LogLine

LONGEST_LINE = 16 * 1024
"""Characters. What is beyond is cut off before anything looks at the line."""
MOST_LINES = 400
MOST_TEXT = 64 * 1024
"""An entry that is longer is ended, and what follows begins another."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines that belong together, of one stream; `at` is the first one's time."""

    at: datetime | None
    stream: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """`done` are complete, in the order in which they were completed; `open` may go on, one a stream."""

    done: Sequence[Entry]
    open: Sequence[Entry]


def join(former: Sequence[Entry], lines: Iterable[LogLine]) -> Joined:
    """Put lines to entries, the open ones of before first."""
    drafts = {entry.stream: _draft_of(entry) for entry in former}
    done: list[Entry] = []
    for line in lines:
        text = line.text[:LONGEST_LINE]
        draft = drafts.get(line.stream)
        if draft is not None and draft.takes(text):
            draft.add(text)
            continue
        if draft is not None:
            done.append(draft.entry())
        drafts[line.stream] = _Draft(line.at, line.stream, text)
    return Joined(done=done, open=[draft.entry() for draft in drafts.values()])


_HEAD = re.compile(
    r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d"  # ISO 8601, Laravel
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "  # syslog
    r"|[IWEF]\d{4} \d\d:\d\d:\d\d"  # klog
)
_PYTHON = re.compile(r"(?:  [+|] )?(?:Exception Group )?Traceback \(most recent call last\):")
_CHAIN = re.compile(
    r"During handling of the above exception, another exception occurred:"
    r"|The above exception was the direct cause of the following exception:"
)
_THROWN = re.compile(
    r"(?:Exception in thread \"[^\"]{0,200}\" |Uncaught )?"
    r"[A-Za-z_][\w.$\\]{0,200}(?:Exception|Error|Throwable)\b(?::|$)"
)
_GO = re.compile(r"panic: |fatal error: |goroutine \d+ \[")
_GO_FRAME = re.compile(
    r"goroutine \d+ \[|[\w./*()\-{}·]+\(.*\)$|created by |exit status \d|\[signal "
)
_BELONGS = re.compile(
    r"[ \t]"  # indented: a frame, or a message that goes on
    r"|at [\w.$<>/]+\("  # Java, frames that lost their indentation
    r"|Caused by: |Suppressed: |\.\.\. \d+ "
    r"|#\d+ |Stack trace:|\[stacktrace\]|\[previous exception\]"  # PHP, Laravel
    r"|\"?[\]})]{1,9}[,;\"]?\s*$"  # the end of what was begun above
)


class _Trace(Enum):
    """Where a draft stands within a stack trace."""

    NONE = auto()
    FRAMES = auto()  # Python's: the exception's own line is yet to come
    TOLD = auto()  # Python's: the exception was named; another may be chained to it
    GO = auto()


@dataclass(slots=True)
class _Draft:
    """An entry in the making."""

    at: datetime | None
    stream: str
    first: str
    lines: list[str] = field(default_factory=list)
    size: int = 0
    trace: _Trace = _Trace.NONE
    is_plain: bool = True  # no line has been added that only a stack trace has

    def __post_init__(self) -> None:
        self.add(self.first)

    def entry(self) -> Entry:
        """As a value."""
        return Entry(self.at, self.stream, tuple(self.lines))

    def add(self, text: str) -> None:
        """Let a line belong to it."""
        self.lines.append(text)
        self.size += len(text)
        if _PYTHON.match(text):
            self.trace, self.is_plain = _Trace.FRAMES, False
        elif _GO.match(text):
            self.trace, self.is_plain = _Trace.GO, False
        elif self.trace is _Trace.FRAMES and _is_told(text):
            self.trace = _Trace.TOLD
        elif len(self.lines) > 1 and text.strip():
            self.is_plain = False

    def takes(self, text: str) -> bool:
        """Whether a line belongs to it."""
        if len(self.lines) >= MOST_LINES or self.size + len(text) > MOST_TEXT:
            return False
        if _is_document(self.first):
            return False
        if not text.strip():
            return True
        if _HEAD.match(text) or _is_document(text):
            return False
        if _BELONGS.match(text):
            return True
        return self._goes_on(text)

    def _goes_on(self, text: str) -> bool:
        """Lines that are not indented, and belong to a trace by what came before them."""
        if _PYTHON.match(text):
            return (self.trace is _Trace.NONE and self._tells_of_trouble()) or self._is_chained()
        if self.trace is _Trace.FRAMES:
            return True
        if self.trace is _Trace.GO:
            return bool(_GO_FRAME.match(text))
        if self.trace is _Trace.TOLD:
            return bool(_CHAIN.match(text))
        return self.is_plain and bool(_THROWN.match(text)) and self._tells_of_trouble()

    def _is_chained(self) -> bool:
        last = next((line for line in reversed(self.lines) if line.strip()), "")
        return self.trace is _Trace.TOLD and bool(_CHAIN.match(last))

    def _tells_of_trouble(self) -> bool:
        """Loggers write a message, and the exception's trace in the lines after it."""
        if _THROWN.match(self.first):
            return False
        level = level_of(self.first)
        return level is not None and level >= Level.WARNING


def _draft_of(entry: Entry) -> _Draft:
    draft = _Draft(entry.at, entry.stream, entry.lines[0])
    for line in entry.lines[1:]:
        draft.add(line)
    return draft


def _is_told(text: str) -> bool:
    return bool(text.strip()) and not text[0].isspace()


def _is_document(text: str) -> bool:
    """A line that is JSON on its own, by its looks."""
    return text.startswith("{") and text.rstrip().endswith("}") and '"' in text
