"""One of HMS-OPS's logs, read from its beginning: what each entry tells of, and when that was.

Pure, and in memory that does not grow with the log. What is not understood is said to be so, never guessed.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice

from operations.integration.legacy.old_errors import Reader
from operations.integration.legacy.records import DeploymentLine, read_deployment
from operations.monitoring.errors.lines import Entry, join
from operations.monitoring.errors.log_ports import LogLine
from operations.monitoring.errors.past import OldError

_TOGETHER = 200
_REMEMBERED = 20_000
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
"""A clock that shows less was never set."""
_AHEAD = timedelta(minutes=5)


class Nothing(StrEnum):
    """Why an entry becomes nothing."""

    OTHER = "other"  # it is understood, and tells of no end of a deployment and of no error
    IMPOSSIBLE_TIME = "impossible_time"
    NOT_UNDERSTOOD = "not_understood"


Told = DeploymentLine | OldError | Nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`line` is where the entry begins, from 1, `size` how many lines it has that are not empty.

    `at` is when it was; of one without a time, when the one before was.
    """

    at: datetime
    line: int
    size: int
    told: Told
    text: str = ""


@dataclass(slots=True)
class OldLog:
    """`only_errors`: it is a log of errors, so that none of its lines is the end of a deployment."""

    reader: Reader
    now: datetime
    only_errors: bool
    _at: datetime = EARLIEST
    _anchor: str = ""
    _seen: OrderedDict[bytes, int] = field(default_factory=OrderedDict)

    def read(self, lines: Iterable[str]) -> Generator[Finding, None, None]:
        """What every entry tells of, in their order. Lines are to be tidy; see `stamps`."""
        number = 1
        for entry in _entries(lines):
            size = sum(1 for line in entry.lines if line.strip())
            if size:
                yield self._read(entry.lines, number, size)
            number += len(entry.lines)

    def _read(self, lines: Sequence[str], number: int, size: int) -> Finding:
        told = self._told(lines)
        if isinstance(told, Nothing):
            return Finding(at=self._at, line=number, size=size, told=told, text=lines[0][:1000])
        return Finding(at=self._at, line=number, size=size, told=told)

    def _told(self, lines: Sequence[str]) -> Told:
        head = lines[0]
        deployment = None if self.only_errors else read_deployment(head, self.reader.zone)
        if deployment is not None:
            return deployment if self._believe(deployment.at, head) else Nothing.IMPOSSIBLE_TIME
        event = self.reader.read(lines)
        if event is None:
            return self._told_without_time(lines)
        if not self._believe(event.at, head):
            return Nothing.IMPOSSIBLE_TIME
        return OldError(self._key(head), event) if event.level.is_error else Nothing.OTHER

    def _told_without_time(self, lines: Sequence[str]) -> Told:
        """A stack trace belongs to the line before it, however that ended."""
        event = self.reader.read(lines, self._at) if self._anchor else None
        if event is None or not event.level.is_error:
            return Nothing.NOT_UNDERSTOOD
        return OldError(self._key("\n".join([self._anchor, *lines])), event)

    def _believe(self, at: datetime, head: str) -> bool:
        if not EARLIEST <= at <= self.now + _AHEAD:
            return False
        self._at, self._anchor = at, head
        return True

    def _key(self, text: str) -> int:
        """The same whenever the line is read, in whatever zone and file; equal lines are numbered."""
        digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        number = self._seen.pop(digest, 0) + 1
        self._seen[digest] = number
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        numbered = hashlib.sha256(digest + str(number).encode()).digest()
        return int.from_bytes(numbered[:8], "big") >> 1


def _entries(lines: Iterable[str]) -> Iterator[Entry]:
    open_entries: Sequence[Entry] = ()
    rest = iter(lines)
    while chunk := [LogLine(None, line) for line in islice(rest, _TOGETHER)]:
        joined = join(open_entries, chunk)
        yield from joined.done
        open_entries = joined.open
    yield from open_entries
