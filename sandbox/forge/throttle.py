"""Forge's limit on requests: a fixed window of a minute that begins with its first request."""

from __future__ import annotations

import time
from collections.abc import Callable


class Throttle:
    """Counts requests; `allowance` may be changed while it runs."""

    def __init__(self, allowance: int, *, seconds: Callable[[], float] = time.time) -> None:
        self.allowance = allowance
        self._seconds = seconds
        self._began = 0.0
        self._used = 0

    def admits(self) -> bool:
        """Count one request; False when the window has no room for it."""
        if self._seconds() - self._began >= 60:
            self._began, self._used = self._seconds(), 0
        self._used += 1
        return self._used <= self.allowance

    def headers(self, *, refused: bool) -> dict[str, str]:
        """The limit's headers; a refusal also says when to come back."""
        told = {
            "X-RateLimit-Limit": str(self.allowance),
            "X-RateLimit-Remaining": str(max(0, self.allowance - self._used)),
        }
        if refused:
            left = max(1, round(self._began + 60 - self._seconds()))
            told["Retry-After"] = str(left)
            told["X-RateLimit-Reset"] = str(round(self._seconds()) + left)
        return told
