"""The central log as a bot has it, beside people or a command line of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from bot.releases import RolloutReleases
from operations.clock import Clock
from operations.deployment.inquiries import Inquiries
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.intake import Intake, IntakeDesk
from operations.monitoring.errors.triage import Triage
from storage.database import Database
from tests.workshops import run_plainly


def make_triage(database: Database, inquiries: Inquiries, clock: Clock) -> Triage:
    """What answers people, wired as in production."""
    releases = RolloutReleases(inquiries, database.store, clock)
    return Triage(store=database.store, releases=releases, clock=clock)


@dataclass
class CentralLog:
    """Takes what applications say. `triage` answers people."""

    intake: Intake
    triage: Triage
    clock: Clock

    async def fail(
        self, title: str, *, times: int = 1, at: datetime | None = None, **changes: object
    ) -> None:
        """So many equal errors of myapp/prod; the title makes the group."""
        one = LogEvent(
            project="myapp",
            environment="prod",
            level=Level.ERROR,
            message=title,
            at=at or self.clock.now(),
            source="pods",
            fields={"fingerprint": title},
        )
        event = replace(one, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself
        await self.intake.take([event] * times)


@asynccontextmanager
async def open_log(
    database: Database, inquiries: Inquiries, clock: Clock
) -> AsyncIterator[CentralLog]:
    """Writing, within the block. What is live on a target is asked anew each time it is opened."""
    releases = RolloutReleases(inquiries, database.store, clock)
    desk = IntakeDesk(store=database.store, releases=releases, clock=clock, guard=run_plainly)
    intake = Intake(desk)
    triage = make_triage(database, inquiries, clock)
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(intake.run())
        try:
            yield CentralLog(intake, triage, clock)
        finally:
            writing.cancel()
