"""The verbs of deployment as the handlers see them: one object to hand around, seven nouns inside."""

from __future__ import annotations

from dataclasses import dataclass

from operations.deployment.decisions import Decisions
from operations.deployment.holding import Holding
from operations.deployment.inquiries import Inquiries
from operations.deployment.locking import Locking
from operations.deployment.performance import CommitTimes, Performance
from operations.deployment.requests import Requests
from operations.deployment.resources import Resources
from operations.deployment.reviews import Reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployments:
    """Asking for rollouts, deciding on them, counting them, reviewing them, locking targets."""

    requests: Requests
    decisions: Decisions
    inquiries: Inquiries
    locking: Locking
    holding: Holding
    reviews: Reviews
    performance: Performance

    @classmethod
    def over(cls, resources: Resources, commits: CommitTimes | None = None) -> Deployments:
        """All of them over the same resources. `commits` tells when commits were made, where it can."""
        return cls(
            requests=Requests(resources),
            decisions=Decisions(resources),
            inquiries=Inquiries(resources),
            locking=Locking(resources),
            holding=Holding(resources),
            reviews=Reviews(resources),
            performance=Performance(resources, commits),
        )
