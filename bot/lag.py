"""How late the event loop is: one that blocks is seen here, and by the heartbeat."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from bot.metrics import Metrics
from operations.clock import Clock

_EVERY = 0.5
_REMEMBERED = 60.0
_STUCK_SECONDS = 5.0


class LoopLag:
    """Asks again and again to be woken, and measures how late that happens. Spans are in seconds."""

    def __init__(
        self, metrics: Metrics, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._monotonic = monotonic
        self._seen: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            begun = self._monotonic()
            await self._clock.sleep(_EVERY)
            self.observe(max(0.0, self._monotonic() - begun - _EVERY))

    def observe(self, lag: float) -> None:
        """Keep one measurement."""
        self._metrics.loop_lag.observe(lag)
        now = self._monotonic()
        self._seen.append((now, lag))
        while self._seen[0][0] < now - _REMEMBERED:
            self._seen.popleft()
        self._metrics.loop_lag_max.set(self.largest())

    def largest(self) -> float:
        """The largest of the last minute."""
        return max((lag for _, lag in self._seen), default=0.0)

    def is_stuck(self) -> bool:
        """Whether the last measurement was very late, or is overdue: then nobody can rely on this process."""
        if not self._seen:
            return False
        at, lag = self._seen[-1]
        return lag >= _STUCK_SECONDS or self._monotonic() - at >= _STUCK_SECONDS + _EVERY
