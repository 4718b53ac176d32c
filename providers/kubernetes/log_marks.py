"""How far each pod's log has been read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

SECOND = 1_000_000_000


class Stamped(Protocol):
    """A line with its time in nanoseconds since 1970."""

    @property
    def at(self) -> int: ...


T = TypeVar("T", bound=Stamped)


@dataclass(frozen=True, slots=True)
class Mark:
    """`at` is the latest time that was read, 0 none; of its second, `count` lines from `first` on were read.

    The lines are counted, as two streams of one container may write theirs slightly out of order.
    `first` tells whether it is still the same log: it may have been rotated, or be another instance's.
    """

    at: int = 0
    count: int = 0
    first: int = 0
    restarts: int = 0

    @property
    def since(self) -> int:
        """The whole second from which to ask."""
        return self.at // SECOND * SECOND

    def newer(self, lines: Sequence[T]) -> list[T]:
        """Those of the lines since that second that have not been read."""
        if not self.count:
            return [line for line in lines if line.at >= self.at]
        if len(lines) >= self.count and lines[0].at == self.first:
            return list(lines[self.count :])
        return [line for line in lines if line.at > self.at]

    def after(self, lines: Sequence[Stamped]) -> Mark:
        """The mark when these have been read as well."""
        if not lines:
            return self
        at = max([self.at, *(line.at for line in lines)])
        kept = [line.at for line in lines if line.at >= at // SECOND * SECOND]
        return replace(self, at=at, count=len(kept), first=kept[0] if kept else 0)

    def beyond(self) -> Mark:
        """The mark when the rest of its second is given up."""
        return replace(self, at=self.since + SECOND, count=0, first=0)


def load_marks(cursor: str) -> Mapping[str, Mark]:
    """Reads what `dump_marks` wrote; what it cannot read was never read."""
    try:
        body = json.loads(cursor)
        return {key: Mark(*(int(n) for n in numbers)) for key, numbers in body.items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def dump_marks(marks: Mapping[str, Mark]) -> str:
    """Marks by the pods' uids."""
    return json.dumps(
        {key: [mark.at, mark.count, mark.first, mark.restarts] for key, mark in marks.items()},
        separators=(",", ":"),
    )
