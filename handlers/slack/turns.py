"""Waiting for a turn within Slack's limits, for as long as that is worth holding a notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from handlers.delivery import NotYet
from handlers.slack.pace import Pace
from operations.clock import Clock
from operations.outbox import Urgency

PATIENCE = 5.0
_LOOK = 0.25


class Turns:
    """Raises NotYet rather than wait for long; progress, soon out of date, and redraws never wait."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock

    async def post(self, channel: str) -> None:
        """Until a message may be posted to the channel."""
        await self._wait(lambda now: self._pace.post(channel, now), PATIENCE)

    async def edit(self, subject: str, urgency: Urgency) -> None:
        """Until the subject's message may be edited."""
        patience = 0.0 if urgency >= Urgency.PROGRESS else PATIENCE
        await self._wait(lambda now: self._pace.edit(subject, urgency, now), patience)

    def block(self, seconds: float) -> None:
        """Slack said Retry-After: nothing goes out before."""
        now = self._clock.now()
        for call in ("post", "edit"):
            self._pace.block(call, now, seconds)

    async def _wait(self, ask: Callable[[datetime], float], patience: float) -> None:
        waited = 0.0
        while (pause := ask(self._clock.now())) > 0:
            if waited + pause > patience:
                raise NotYet(pause)
            step = min(pause, _LOOK)
            await self._clock.sleep(step)
            waited += step
