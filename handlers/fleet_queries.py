"""Which targets `status` means, for Slack and the command line alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from handlers.language import Status, render
from operations.deployment.inquiries import TargetReport
from operations.errors import InvalidRequest


def of_provider(found: Sequence[TargetReport], command: Status) -> list[TargetReport]:
    """Those on the provider that was named; where there is none, the right one is."""
    chosen = [r for r in found if command.provider in ("", r.target.provider)]
    if chosen or not found:
        return chosen
    right = ", ".join(sorted({report.target.provider for report in found}))
    subject = "/".join(p for p in (command.project, command.environment) if p) or "Everything here"
    raise InvalidRequest(
        f"{subject} is deployed by {right}, not {command.provider}.",
        hint=f"Say `{render(replace(command, provider=''))}`.",
    )
