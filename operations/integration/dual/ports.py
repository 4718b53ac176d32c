"""What dual mode asks of the outside world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from operations.integration.dual.comparison import Comparison


class Comparisons(Protocol):
    """Kept in the database. Each call is a transaction of its own."""

    async def begin(self, comparison: Comparison) -> None:
        """Store it; one with the same key stays as it is."""
        ...

    async def get(self, key: str) -> Comparison | None:
        """Read one."""
        ...

    async def take_run(self, key: str, now: datetime) -> bool:
        """Whether the caller is the one who runs HMS-OPS: exactly one is, ever."""
        ...

    async def end(self, comparison: Comparison) -> None:
        """Store how it ended."""
        ...

    async def of_targets(self, *, limit: int) -> Sequence[Sequence[Comparison]]:
        """By target, in the order of their names: the newest of each, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class LegacyResult:
    """How HMS-OPS ended; `output` are its last lines, cleaned.

    `exit_code` is None when it did not end in time, or nobody was there to hear it.
    """

    exit_code: int | None
    output: str


class LegacyRun(Protocol):
    """HMS-OPS at work. It goes on when nobody waits for it any more."""

    async def wait(self, seconds: float) -> LegacyResult | None:
        """How it ended; None when it has not within the time.

        Raises ProviderUnavailable when it turns out that it was never started.
        """
        ...

    async def last_line(self) -> str:
        """What it said last."""
        ...

    async def place(self) -> str:
        """Where people find it, to end it: `process 4711 on ops-1`; "" when nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class LegacyOrder:
    """A deployment for HMS-OPS. `run` names it on this machine, once and for ever."""

    run: str
    provider: str
    project: str
    environment: str
    version: str


class LegacyTool(Protocol):
    """HMS-OPS itself, as configured."""

    async def deploy(self, order: LegacyOrder) -> LegacyRun:
        """Start a deployment. Raises ProviderUnavailable when the tool was not started."""
        ...

    async def find(self, order: LegacyOrder) -> LegacyRun | None:
        """A deployment that was started, by this process or by one before it; None: nobody knows it."""
        ...

    async def at_work(self, project: str, environment: str) -> LegacyRun | None:
        """A deployment of the target that has not ended, whoever started it on this machine."""
        ...

    async def status(self, project: str, environment: str) -> LegacyResult:
        """Ask for a status, within a deadline."""
        ...
