"""One poll for all: the rollouts of a cluster are read together, however many are followed.

There is no task of its own. One of the followers reads for all of them while the others wait; when it
goes away in the middle, the next one takes over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from operations.clock import Clock
from operations.errors import ProviderError
from providers.aws.records import RECORDS_A_CALL, Record
from providers.aws.services import SERVICES_A_CALL, Service

T = TypeVar("T")
Fetch = Callable[[Sequence[str]], Awaitable[Mapping[str, T]]]

SLOWEST = 30.0
"""Seconds between rounds at the most, however long AWS has been refusing."""


@dataclass(eq=False, slots=True)
class Subject:
    """What one follower watches; `record` may become known later."""

    service: str
    record: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """One reading of everything that was followed when it began.

    `errors` are by service and by record: what could not be read this time.
    """

    number: int
    at: datetime
    asked: frozenset[str] = frozenset()
    services: Mapping[str, Service] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    errors: Mapping[str, ProviderError] = field(default_factory=dict)


class Board:
    """The shared readings of one cluster."""

    def __init__(
        self,
        *,
        services: Fetch[Service],
        records: Fetch[Record],
        clock: Clock,
        seconds: float,
    ) -> None:
        self._services = services
        self._records = records
        self._clock = clock
        self._seconds = seconds
        self._subjects: set[Subject] = set()
        self._round = Round(0, clock.now())
        self._due = clock.now()
        self._failures = 0
        self._reading = False
        self._changed = asyncio.Event()

    @property
    def latest(self) -> int:
        """Number of the newest round."""
        return self._round.number

    @contextmanager
    def following(self, subject: Subject) -> Iterator[None]:
        """Take part in the rounds."""
        self._subjects.add(subject)
        try:
            yield
        finally:
            self._subjects.discard(subject)

    async def after(self, number: int, subject: Subject) -> Round:
        """The first round later than `number` that asked for the subject's service."""
        while self._round.number <= number or subject.service not in self._round.asked:
            if self._reading:
                await self._changed.wait()
            else:
                await self._lead()
        return self._round

    async def _lead(self) -> None:
        self._reading = True
        try:
            wait = (self._due - self._clock.now()).total_seconds()
            if wait > 0:
                await self._clock.sleep(wait)
            self._round = await self._read_all()
            self._plan_next()
        finally:
            self._reading = False
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    def _plan_next(self) -> None:
        self._failures = self._failures + 1 if self._round.errors else 0
        seconds = min(self._seconds * 2**self._failures, max(SLOWEST, self._seconds))
        self._due = self._round.at + timedelta(seconds=seconds)

    async def _read_all(self) -> Round:
        at = self._clock.now()
        names = sorted({s.service for s in self._subjects})
        arns = sorted({s.record for s in self._subjects if s.record})
        services: dict[str, Service] = {}
        records: dict[str, Record] = {}
        errors: dict[str, ProviderError] = {}
        async with asyncio.TaskGroup() as group:
            for batch in _batches(names, SERVICES_A_CALL):
                group.create_task(
                    _fetch(self._services, batch, services, errors), name="ecs-services"
                )
            for batch in _batches(arns, RECORDS_A_CALL):
                group.create_task(_fetch(self._records, batch, records, errors), name="ecs-records")
        return Round(self._round.number + 1, at, frozenset(names), services, records, errors)


async def _fetch(
    fetch: Fetch[T], batch: Sequence[str], found: dict[str, T], errors: dict[str, ProviderError]
) -> None:
    try:
        found.update(await fetch(batch))
    except ProviderError as exc:
        errors.update(dict.fromkeys(batch, exc))


def _batches(names: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))
