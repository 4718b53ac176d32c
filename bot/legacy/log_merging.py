"""Several logs as one, in the order of what they tell of: each file is opened when its time comes.

So the beginning of a deployment is found also where the log was rotated before its end, and history stands
in the order in which things happened.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from bot.legacy.log_files import LogFile
from operations.integration.legacy.old_logs import EARLIEST, Finding

_OPEN = 100
_LOOKED_AT = 100

Read = Callable[[LogFile], Generator[Finding, None, None]]
"""Begins at the file's first line each time."""


@dataclass(frozen=True, slots=True, order=True)
class _Head:
    """The next finding of an open file; `number` keeps those of one moment in the order of the files."""

    at: datetime
    number: int
    finding: Finding = field(compare=False)
    rest: Iterator[Finding] = field(compare=False)


def merge_logs(files: Sequence[LogFile], read: Read) -> Iterator[tuple[LogFile, Finding]]:
    """All findings of all files."""
    waiting = sorted(
        ((_first_time(file, read), number) for number, file in enumerate(files)), reverse=True
    )
    heads: list[_Head] = []
    while waiting or heads:
        while waiting and len(heads) < _OPEN and (not heads or waiting[-1][0] <= heads[0].at):
            _, number = waiting.pop()
            _advance(heads, number, read(files[number]))
        if heads:
            head = heapq.heappop(heads)
            yield files[head.number], head.finding
            _advance(heads, head.number, head.rest)


def _advance(heads: list[_Head], number: int, rest: Iterator[Finding]) -> None:
    finding = next(rest, None)
    if finding is not None:
        heapq.heappush(heads, _Head(finding.at, number, finding, rest))


def _first_time(file: LogFile, read: Read) -> datetime:
    """When the first of its entries was; those without a time say when the one before was."""
    with closing(read(file)) as findings:
        times = (finding.at for finding in islice(findings, _LOOKED_AT))
        return next((at for at in times if at > EARLIEST), EARLIEST)
