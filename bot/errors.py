"""The central log, put together: the way in, what answers people, and what runs for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.own_errors import OwnErrors, unheard
from bot.releases import RolloutReleases
from bot.schedule import Job, Loop
from operations.clock import Clock
from operations.deployment.inquiries import Inquiries
from operations.guard import Guard
from operations.monitoring.errors.intake import Intake, IntakeDesk
from operations.monitoring.errors.triage import Triage
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSide:
    """`intake` stores only while its loop runs: `loops` and `jobs` are for whoever serves."""

    intake: Intake
    triage: Triage
    loops: Sequence[Loop]
    jobs: Sequence[Job]


def build_errors(
    database: Database,
    inquiries: Inquiries,
    clock: Clock,
    guard: Guard,
    *,
    intake: Callable[[IntakeDesk], Intake] = Intake,
) -> ErrorSide:
    """Over the database; what runs where is asked of deployment's history."""
    releases = RolloutReleases(inquiries, clock)
    way_in = intake(IntakeDesk(store=database.store, releases=releases, clock=clock, guard=guard))
    return ErrorSide(
        intake=way_in,
        triage=Triage(store=database.store, releases=releases, clock=clock),
        loops=[Loop("events", way_in.run)],
        jobs=[],
    )
