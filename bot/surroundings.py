"""What deployments go on where a check fails: monitoring's question, answered from deployment's history."""

from __future__ import annotations

from datetime import datetime

from operations.deployment.inquiries import Inquiries
from operations.deployment.rollout import ACTIVE, HistoryQuery, Rollout
from operations.errors import UnknownTarget

_RECENT = 50


class RolloutSurroundings:
    """Implements `operations.monitoring.ports.Surroundings`."""

    def __init__(self, inquiries: Inquiries) -> None:
        self._inquiries = inquiries

    async def rollout_at(self, project: str, environment: str, since: datetime) -> str:
        """The newest rollout that touched the target since; one that never started touched nothing."""
        try:
            page = await self._inquiries.history(
                HistoryQuery(project=project, environment=environment, limit=_RECENT)
            )
        except UnknownTarget:
            return ""
        touching = [rollout for rollout in page.rollouts if _touches(rollout, since)]
        under_way = [rollout for rollout in touching if rollout.state in ACTIVE]
        newest = next(iter([*under_way, *touching]), None)
        return newest.name if newest else ""


def _touches(rollout: Rollout, since: datetime) -> bool:
    if rollout.started_at is None:
        return False
    return rollout.ended_at is None or rollout.ended_at >= since
