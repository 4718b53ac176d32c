"""What a component calls the matter that it asks a deployment for, and where people read about it.

The id is the component's own word, up to 200 visible characters: it is a link only by the address that the
configuration gives, and never by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from operations.actor import ActorKind
from operations.deployment.rollout import Rollout, RolloutKind

PLACE = "{external_id}"
_STEPS = frozenset({".", ".."})
"""In a path these are directions, however they are encoded: such an id leads nowhere."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """`url` is "" where nobody said where it is."""

    id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Tickets:
    """`urls` by component: `https://tracker.internal/tickets/{external_id}`."""

    urls: Mapping[str, str] = field(default_factory=dict)

    def of(self, rollout: Rollout) -> Ticket | None:
        """None for what was asked without one; an imported one has the key of its line there."""
        name = rollout.external_id
        if not name or rollout.kind is RolloutKind.IMPORT:
            return None
        asker = rollout.requested_by
        pattern = self.urls.get(asker.name, "") if asker.kind is ActorKind.COMPONENT else ""
        if name in _STEPS:
            pattern = ""
        return Ticket(name, pattern.replace(PLACE, quote(name, safe="")))


def plainly(ticket: Ticket) -> str:
    """Where nothing can be a link: `HMS-7 (https://tracker.internal/tickets/HMS-7)`."""
    return f"{ticket.id} ({ticket.url})" if ticket.url else ticket.id
