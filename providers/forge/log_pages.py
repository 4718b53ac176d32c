"""A site's application log, of which Forge gives the whole file and nothing else.

What was read is known by a fingerprint of the last lines: they are looked for where they were, then, should
the front of the file be gone, anywhere. A file without them is another one, of which all is new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from operations.monitoring.errors.log_ports import LogLine, LogPage

_REMEMBERED = 5
"""Lines that a fingerprint is of."""
_MOST_TEXT = 16 * 1024 * 1024
"""Characters of the file's end that are looked at."""


@dataclass(frozen=True, slots=True)
class _Cursor:
    """`count` lines were read, the last of which have the fingerprint `mark`.

    `half` is the fingerprint of a last line without its end, which may have been in the writing; once it
    stays as it is, it has been `told`.
    """

    count: int
    mark: str
    half: str = ""
    told: bool = False

    @classmethod
    def load(cls, text: str) -> _Cursor:
        """Reads what `dump` wrote; anything else raises ValueError, KeyError or TypeError."""
        body = json.loads(text)
        return cls(int(body["count"]), str(body["mark"]), str(body["half"]), bool(body["told"]))

    def dump(self) -> str:
        """As text for the database: no line of the log is in it."""
        body = {"count": self.count, "mark": self.mark, "half": self.half, "told": self.told}
        return json.dumps(body, separators=(",", ":"))

    def find(self, lines: Sequence[str]) -> int:
        """How many of the lines have been read."""
        if not self.count:
            return 0
        if self.count <= len(lines) and _mark(lines, self.count) == self.mark:
            return self.count
        ends = range(len(lines), 0, -1)
        return next((end for end in ends if _mark(lines, end) == self.mark), 0)


def read_page(content: str, cursor: str, *, limit: int) -> LogPage:
    """The new lines of a file; times are left to whoever reads what Laravel wrote."""
    lines, half = _split(content[-_MOST_TEXT:])
    former = _load(cursor)
    if former is None:
        here = _Cursor(len(lines), _mark(lines, len(lines)), _half(half), told=True)
        return LogPage(lines=[], cursor=here.dump())
    if not content:
        # An emptied file, or one that Forge does not show just now: what comes next tells.
        return LogPage(lines=[], cursor=cursor)
    return _read_on(lines, half, former, limit)


def _read_on(lines: Sequence[str], half: str, former: _Cursor, limit: int) -> LogPage:
    begin = former.find(lines)
    if former.told and begin < len(lines) and _half(lines[begin]) == former.half:
        begin += 1  # it has its end now
    end = min(len(lines), begin + limit)
    fresh, is_end = list(lines[begin:end]), end == len(lines)
    stays = is_end and bool(half) and _half(half) == former.half
    if stays and not (former.told and not fresh):
        fresh.append(half)
    return LogPage(
        lines=[LogLine(None, line) for line in fresh],
        cursor=_Cursor(end, _mark(lines, end), _half(half) if is_end else "", stays).dump(),
        more=not is_end,
        settled=is_end and (stays or not half),
    )


def _half(line: str) -> str:
    return _fingerprint(line) if line else ""


def _load(cursor: str) -> _Cursor | None:
    try:
        return _Cursor.load(cursor) if cursor else None
    except (ValueError, KeyError, TypeError):
        return None


def _split(content: str) -> tuple[list[str], str]:
    """Whole lines, and the last one when it has no end."""
    *lines, half = content.replace("\r\n", "\n").split("\n")
    return lines, half


def _mark(lines: Sequence[str], end: int) -> str:
    """The fingerprint of the last lines before `end`."""
    return _fingerprint("\n".join(lines[max(0, end - _REMEMBERED) : end]))


def _fingerprint(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=12).hexdigest()
