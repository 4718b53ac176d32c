"""How far a log has been read: the reader's own cursor, and the entries that may go on.

An application may be in the midst of writing a stack trace when its log is read. What there is of it is
kept with the cursor, so that whoever reads next puts it together, and nothing is stored in two halves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from operations.monitoring.errors.lines import Entry, join
from operations.monitoring.errors.log_ports import LogPage
from operations.redaction import clean

_MOST_KEPT = 256 * 1024
"""Characters of open entries, all streams together; when there are more, all of them are ended."""
_LONGEST_KEPT = 4000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Position:
    """`cursor` "" is a source that was never read."""

    cursor: str = ""
    open: Sequence[Entry] = ()

    @classmethod
    def load(cls, text: str) -> Position:
        """Reads what `dump` wrote; a text of any other kind is a beginning."""
        try:
            body = json.loads(text) if text else {}
            return cls(body.get("cursor", ""), [_load(entry) for entry in body.get("open", ())])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            return cls()

    def dump(self) -> str:
        """As text for the database, without anybody's secrets."""
        body: dict[str, object] = {"cursor": self.cursor}
        if self.open:
            body["open"] = [_dump(entry) for entry in self.open]
        return json.dumps(body, separators=(",", ":"))

    def advance(self, page: LogPage) -> tuple[Sequence[Entry], Position]:
        """The entries that a page completes, and the position after it.

        An entry is complete when another begins in its stream, or when its stream has fallen silent.
        """
        joined = join(self.open, page.lines)
        spoke = {line.stream for line in page.lines}
        done, left = list(joined.done), list[Entry]()
        for entry in joined.open:
            may_go_on = not page.settled and (page.more or entry.stream in spoke)
            (left if may_go_on else done).append(entry)
        if sum(len(line) for entry in left for line in entry.lines) > _MOST_KEPT:
            done, left = [*done, *left], []
        return done, Position(page.cursor, left)


def _dump(entry: Entry) -> dict[str, object]:
    return {
        "at": None if entry.at is None else (entry.at - _EPOCH) // _MICROSECOND,
        "stream": entry.stream,
        "lines": [clean(line, limit=_LONGEST_KEPT) for line in entry.lines],
    }


def _load(body: dict[str, object]) -> Entry:
    at, stream, lines = body["at"], body["stream"], body["lines"]
    if not isinstance(stream, str) or not isinstance(lines, list) or not lines:
        raise ValueError("no entry")
    when = _EPOCH + timedelta(microseconds=at) if isinstance(at, int) else None
    return Entry(when, stream, tuple(str(line) for line in lines))
