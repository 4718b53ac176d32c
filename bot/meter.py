"""What calls are counted by, for the composition root; the command line counts none."""

from __future__ import annotations

from typing import Protocol

from operations.deployment.ports import Provider
from operations.monitoring.errors.intake import Intake, IntakeDesk


class Meter(Protocol):
    """Puts itself around what is to be counted."""

    def provider(self, name: str, inner: Provider) -> Provider:
        """A provider whose calls are counted under its word."""
        ...

    def intake(self, desk: IntakeDesk) -> Intake:
        """An intake that counts the events it takes and refuses."""
        ...
