"""The verbs of deployment as the handlers see them: one object to hand around, four nouns inside."""

from __future__ import annotations

from dataclasses import dataclass

from operations.deployment.decisions import Decisions
from operations.deployment.inquiries import Inquiries
from operations.deployment.locking import Locking
from operations.deployment.requests import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployments:
    """Asking for rollouts, deciding on them, asking about them, and locking targets."""

    requests: Requests
    decisions: Decisions
    inquiries: Inquiries
    locking: Locking
