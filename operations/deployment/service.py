"""The verbs of deployment as the handlers see them: one object to hand around, four nouns inside."""

from __future__ import annotations

from dataclasses import dataclass

from operations.deployment.decisions import Decisions
from operations.deployment.inquiries import Inquiries
from operations.deployment.locking import Locking
from operations.deployment.requests import Requests
from operations.deployment.resources import Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployments:
    """Asking for rollouts, deciding on them, asking about them, and locking targets."""

    requests: Requests
    decisions: Decisions
    inquiries: Inquiries
    locking: Locking

    @classmethod
    def over(cls, resources: Resources) -> Deployments:
        """All four over the same resources."""
        return cls(
            requests=Requests(resources),
            decisions=Decisions(resources),
            inquiries=Inquiries(resources),
            locking=Locking(resources),
        )
