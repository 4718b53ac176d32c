"""What one command works with."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.cli.services import CliServices
from handlers.cli.terminal import Terminal
from handlers.language import Values
from operations.actor import Actor
from operations.deployment.service import Deployments
from operations.errors import InvalidRequest
from operations.monitoring.alerting import Alerting
from operations.monitoring.digest.digests import Digests
from operations.monitoring.errors.triage import Triage


@dataclass(frozen=True, slots=True)
class Session:
    """The services, where answers go, and the switches that were given."""

    services: CliServices
    terminal: Terminal
    switches: Values

    @property
    def deployments(self) -> Deployments:
        """The operations."""
        return self.services.deployments

    @property
    def alerting(self) -> Alerting:
        """Checks and alerts."""
        return self.services.alerting

    @property
    def triage(self) -> Triage:
        """Groups of errors."""
        return self.services.triage

    @property
    def digests(self) -> Digests:
        """The daily summaries; raises InvalidRequest where none are made."""
        if self.services.digests is None:
            raise InvalidRequest("Digests are not made here.")
        return self.services.digests

    @property
    def actor(self) -> Actor:
        """Who asks."""
        return self.services.actor
