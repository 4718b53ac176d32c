"""The verbs of deployment as the handlers see them: one object to hand around, six nouns inside."""

from __future__ import annotations

from dataclasses import dataclass

from operations.deployment.decisions import Decisions
from operations.deployment.holding import Holding
from operations.deployment.inquiries import Inquiries
from operations.deployment.locking import Locking
from operations.deployment.requests import Requests
from operations.deployment.resources import Resources
from operations.deployment.reviews import Reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployments:
    """Asking for rollouts, deciding on them, looking at them, locking targets, telling who is held back."""

    requests: Requests
    decisions: Decisions
    inquiries: Inquiries
    locking: Locking
    holding: Holding
    reviews: Reviews

    @classmethod
    def over(cls, resources: Resources) -> Deployments:
        """All of them over the same resources."""
        return cls(
            requests=Requests(resources),
            decisions=Decisions(resources),
            inquiries=Inquiries(resources),
            locking=Locking(resources),
            holding=Holding(resources),
            reviews=Reviews(resources),
        )
