"""Time as a port, so that nothing else reads the wall clock or sleeps by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Aware UTC time, and waiting."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a clock of a test returns when its own time has come."""
        ...
