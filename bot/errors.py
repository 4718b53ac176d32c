"""The central log, put together: the way in, what answers people, and what runs for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.config import Config
from bot.own_errors import OwnErrors, unheard
from bot.releases import RolloutReleases
from bot.schedule import Job, Loop
from operations.clock import Clock
from operations.deployment.inquiries import Inquiries
from operations.guard import Guard
from operations.monitoring.errors.intake import Intake, IntakeDesk
from operations.monitoring.errors.retention import Keep, Retention
from operations.monitoring.errors.triage import Triage
from storage.database import Database

_SWEEPS_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSide:
    """`intake` stores only while its loop runs: `loops` and `jobs` are for whoever serves."""

    intake: Intake
    triage: Triage
    loops: Sequence[Loop]
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorParts:
    """What the central log is built from. `secrets` are masked in the bot's own errors."""

    config: Config
    database: Database
    inquiries: Inquiries
    clock: Clock
    guard: Guard
    secrets: Sequence[str]


def build_errors(parts: ErrorParts, intake: Callable[[IntakeDesk], Intake] = Intake) -> ErrorSide:
    """Over the database; what runs where is asked of deployment's history."""
    store, clock = parts.database.store, parts.clock
    releases = RolloutReleases(parts.inquiries, store, clock)
    desk = IntakeDesk(
        store=store,
        releases=releases,
        clock=clock,
        guard=parts.guard,
        new_groups=parts.config.errors.new_groups,
    )
    way_in = intake(desk)
    own_errors = OwnErrors(way_in, clock, parts.secrets)
    return ErrorSide(
        intake=way_in,
        triage=Triage(store=store, releases=releases, clock=clock),
        loops=[Loop("events", unheard(way_in.run)), Loop("own errors", own_errors.run)],
        jobs=[Job("retention", _SWEEPS_EVERY, _retention(parts).sweep)],
    )


def _retention(parts: ErrorParts) -> Retention:
    given = parts.config.errors.keep
    keep = Keep(
        events=given.events,
        samples=given.samples,
        counts=given.counts,
        megabytes=given.megabytes,
    )
    return Retention(parts.database.error_purges, keep, parts.clock)
