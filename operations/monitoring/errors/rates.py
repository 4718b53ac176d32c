"""Checks of error rates, asked of the central log; every other check is asked of whoever asks those."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

from operations.clock import Clock
from operations.durations import say_duration
from operations.errors import OperationError
from operations.monitoring.check import Check, CheckKind, Observation, Outcome
from operations.monitoring.errors.group import ErrorCount
from operations.monitoring.ports import Prober

_LONGEST_TITLE = 80


class ErrorRates(Protocol):
    """Counts errors."""

    async def count(self, project: str, environment: str, span: timedelta) -> ErrorCount:
        """Of one target, up to now; raises StorageError."""
        ...


class RateProber:
    """The port `Prober` over another one. A target that says nothing has no errors."""

    def __init__(self, inner: Prober, rates: ErrorRates, clock: Clock) -> None:
        self._inner = inner
        self._rates = rates
        self._clock = clock

    async def ask(self, check: Check) -> Observation:
        """Within the check's timeout."""
        if check.kind is not CheckKind.ERROR_RATE:
            return await self._inner.ask(check)
        begun = self._clock.now()
        outcome, detail = await self._judge(check)
        now = self._clock.now()
        return Observation(
            outcome=outcome, at=now, detail=detail, took=max(now - begun, timedelta(0))
        )

    async def _judge(self, check: Check) -> tuple[Outcome, str]:
        try:
            async with asyncio.timeout(check.timeout.total_seconds()):
                found = await self._rates.count(check.project, check.environment, check.span)
        except (OperationError, TimeoutError):
            return Outcome.INCONCLUSIVE, "could not ask: the database did not answer"
        outcome = Outcome.FAILING if found.count > check.limit else Outcome.OK
        return outcome, _say(found)


def _say(found: ErrorCount) -> str:
    """`812 errors in 5 m, most often E-12: TimeoutError: no answer`."""
    number = f"{found.count} error" if found.count == 1 else f"{found.count} errors"
    said = f"{number} in {say_duration(found.span)}"
    if found.worst is None:
        return said
    title = found.worst.title
    short = title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"
    most = "most often " if found.count > 1 else ""
    return f"{said}, {most}{found.worst.label}: {short}"
