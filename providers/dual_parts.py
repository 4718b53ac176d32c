"""What the provider of dual mode is made of, and what both its modes share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.clock import Clock
from operations.deployment.progress import Handle
from operations.deployment.target import Target
from operations.integration.dual.comparison import Comparison, DualMode
from operations.integration.dual.ports import Comparisons, LegacyTool

DUAL_KEY = "dual"
"""Of a handle: the rollout's name, under which the comparison is stored."""

_BEFORE_DEADLINE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class DualParts:
    """`modes` by target's name. `settles` is how long the platform may take to show what was shipped.

    HMS-OPS at work is looked at every `look_seconds`.
    """

    modes: Mapping[str, DualMode]
    tool: LegacyTool
    comparisons: Comparisons
    clock: Clock
    settles: timedelta = timedelta(minutes=5)
    look_seconds: float = 3.0

    async def end(
        self,
        comparison: Comparison,
        *,
        code: int | None,
        seen: str = "",
        agrees: bool | None,
        detail: str = "",
    ) -> None:
        """Store how it ended. `agrees` None: one of the two was not heard, so nothing was compared."""
        await self.comparisons.end(
            replace(
                comparison,
                ended_at=self.clock.now(),
                legacy_exit=code,
                seen=seen,
                agrees=agrees,
                detail=detail[:600],
            )
        )


def bare(handle: Handle) -> Handle:
    """The platform's own handle."""
    return {key: value for key, value in handle.items() if key != DUAL_KEY}


def last_moment(comparison: Comparison, target: Target) -> datetime:
    """Until when there is time to ask; then the target's own time is nearly up, and what is known counts."""
    return comparison.begun_at + target.timeout - min(_BEFORE_DEADLINE, target.timeout / 2)
