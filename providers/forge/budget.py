"""The requests a minute that Forge allows a user, shared by everything this process does there.

Counts the requests of the last sixty seconds. A bucket that refills steadily would let twice the limit
through in its first minute, and Forge counts in fixed windows: only a sliding count fits both.
Others spend from the same limit (people, replicas), so what the answers' headers say is heeded as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum

from operations.clock import Clock
from operations.errors import ProviderUnavailable

WINDOW = 60.0
FOLLOWERS_SHARE = 0.6
RESERVE = 0.25


class Errand(Enum):
    """What a request is for. Background ones leave a reserve, so that a start never waits for them."""

    URGENT = "urgent"
    BACKGROUND = "background"


class Budget:
    """`patience` is how many seconds a request may wait for its turn before it is given up."""

    def __init__(self, *, clock: Clock, per_minute: int, patience: float = 20.0) -> None:
        self._clock = clock
        self._asked = self._limit = max(1, per_minute)
        self._patience = patience
        self._sent: deque[datetime] = deque()
        self._left_there: int | None = None
        self._left_until = clock.now()
        self._closed_until = clock.now()
        self._followers = 0

    async def spend(self, errand: Errand) -> None:
        """Wait for a turn. Raises ProviderUnavailable when it would take longer than the patience."""
        begun = self._clock.now()
        while (wait := self._wait(errand)) > 0:
            waited = (self._clock.now() - begun).total_seconds()
            if errand is Errand.URGENT and waited + wait > self._patience:
                raise ProviderUnavailable(
                    "Forge's limit of requests a minute is used up.", retry_after=wait
                )
            await self._clock.sleep(wait)
        self._sent.append(self._clock.now())
        if self._left_there is not None:
            self._left_there -= 1

    def heed(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Learn from an answer; the seconds to stay away when it was a 429."""
        now = self._clock.now()
        left = _number(headers.get("x-ratelimit-remaining"))
        if left is not None:
            self._left_there = int(left)
            self._left_until = now + timedelta(seconds=WINDOW)
        allowed = _number(headers.get("x-ratelimit-limit"))
        if allowed is not None and allowed >= 1:
            self._limit = min(self._asked, int(allowed))
        if status != 429:
            return None
        away = _number(headers.get("retry-after"))
        reset = _number(headers.get("x-ratelimit-reset"))
        if away is None and reset is not None:
            away = reset - now.timestamp()
        away = min(WINDOW, max(1.0, away if away is not None else WINDOW))
        self._closed_until = now + timedelta(seconds=away)
        self._left_there = None
        return away

    @contextmanager
    def following(self) -> Iterator[None]:
        """Count one follower more while the block runs."""
        self._followers += 1
        try:
            yield
        finally:
            self._followers -= 1

    def interval(self, at_least: float) -> float:
        """Seconds between two looks of one follower, so that all together stay within their share."""
        return max(at_least, self._followers * WINDOW / (self._limit * FOLLOWERS_SHARE))

    @property
    def is_easy(self) -> bool:
        """Whether less than half of the last minute's requests were used."""
        return self._wait(Errand.BACKGROUND) <= 0 and len(self._sent) < self._limit / 2

    def _wait(self, errand: Errand) -> float:
        now = self._clock.now()
        while self._sent and (now - self._sent[0]).total_seconds() >= WINDOW:
            self._sent.popleft()
        if now < self._closed_until:
            return (self._closed_until - now).total_seconds()
        kept = int(self._limit * RESERVE) if errand is Errand.BACKGROUND else 0
        return max(self._until_own(now, kept), self._until_theirs(now, kept))

    def _until_own(self, now: datetime, kept: int) -> float:
        room = max(1, self._limit - kept)
        if len(self._sent) < room:
            return 0.0
        frees = self._sent[len(self._sent) - room] + timedelta(seconds=WINDOW)
        return max(0.001, (frees - now).total_seconds())

    def _until_theirs(self, now: datetime, kept: int) -> float:
        if self._left_there is None or now >= self._left_until:
            self._left_there = None
            return 0.0
        return (self._left_until - now).total_seconds() if self._left_there <= kept else 0.0


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
