"""Which changes a component hears of: never more than it could read by the HTTP API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from operations.actor import component_actor

Data = Mapping[str, object]
"""What a call says beside its envelope: `action`, `actor`, `detail`, and the subject's document."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A component with a webhook. `reads`: it has the right to read."""

    name: str
    reads: bool

    def hears(self, data: Data) -> bool:
        """Whoever may read hears of everything; others of the rollouts that they asked for themselves."""
        return self.reads or _requester(data) == component_actor(self.name).id


def _requester(data: Data) -> object:
    rollout = data.get("rollout")
    return rollout.get("requested_by") if isinstance(rollout, Mapping) else None
