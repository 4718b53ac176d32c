"""How a service asks for a task to be guarded without catching everything itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol


class Guard(Protocol):
    """Runs work to its end; a bug in it is logged, not raised."""

    async def __call__(self, name: str, work: Callable[[], Awaitable[None]]) -> str:
        """Returns "" when the work ended well, else the reference under which the bug was logged."""
        ...
