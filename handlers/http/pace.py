"""How often a caller may call: a bucket of tokens that fills up as time goes by.

It is this process's own: with several replicas a caller has as many buckets as there are.
"""

from __future__ import annotations

from operations.clock import Clock


class TokenBucket:
    """Holds a minute's worth at most, so that a caller who was quiet may call in a burst."""

    def __init__(self, a_minute: int, clock: Clock) -> None:
        self._a_minute = a_minute
        self._clock = clock
        self._tokens = float(a_minute)
        self._seen = clock.now()

    def take(self) -> float:
        """Take one; 0 when there was one, else the seconds until there is."""
        now = self._clock.now()
        passed = max(0.0, (now - self._seen).total_seconds())
        self._seen = now
        self._tokens = min(self._a_minute, self._tokens + passed * self._a_minute / 60)
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) * 60 / self._a_minute
