"""A central log over the test's database, wired as in production but for rollouts and the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from operations.audit import AuditEvent
from operations.errors import ProviderUnavailable
from operations.guard import Guard
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.group import Change, ErrorGroup, GroupQuery
from operations.monitoring.errors.intake import Intake, IntakeDesk, IntakeSettings
from operations.monitoring.errors.newcomers import NEW_GROUPS
from operations.monitoring.errors.ports import Running, Store
from operations.monitoring.errors.tally import Target
from operations.monitoring.errors.triage import Triage
from operations.outbox import Notice
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import NOON
from tests.unit.operations.monitoring.lookouts import SteppedClock
from tests.workshops import run_plainly

MINUTE = timedelta(minutes=1)
LIVE = Running(release="1.4.2", rollout="D-1042", channel="C01GEN", began=NOON - MINUTE, since=NOON)


def make_event(**changes: object) -> LogEvent:
    """An error of myapp/prod at noon."""
    plain = LogEvent(
        project="myapp",
        environment="prod",
        level=Level.ERROR,
        message="no answer",
        at=NOON,
        source="api:ci",
        fields={"type": "TimeoutError"},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


@dataclass
class ScriptedReleases:
    """Deployment's answers: nothing is known of any target, but what a test says."""

    live: Running = field(default_factory=Running)
    changed: Sequence[Change] = ()
    is_down: bool = False
    questions: list[tuple[str, str, datetime, datetime]] = field(default_factory=list)

    async def running(self, targets: Collection[Target]) -> Mapping[Target, Running]:
        """The test's."""
        self._require()
        return dict.fromkeys(targets, self.live)

    async def changes(
        self, project: str, environment: str, since: datetime, until: datetime
    ) -> Sequence[Change]:
        """The test's."""
        self._require()
        self.questions.append((project, environment, since, until))
        return self.changed

    def _require(self) -> None:
        if self.is_down:
            raise ProviderUnavailable("Nobody knows.")


@dataclass
class Logbook:
    """`intake` writes while the block of `open_logbook` lasts."""

    database: Database
    clock: SteppedClock
    releases: ScriptedReleases
    intake: Intake

    @property
    def triage(self) -> Triage:
        """What answers people."""
        return Triage(store=self.database.store, releases=self.releases, clock=self.clock)

    def new_intake(
        self,
        *,
        store: Store | None = None,
        guard: Guard | None = None,
        settings: IntakeSettings | None = None,
        new_groups: int = NEW_GROUPS,
    ) -> Intake:
        """One more, as another process would have; it does not run yet."""
        desk = IntakeDesk(
            store=store or self.database.store,
            releases=self.releases,
            clock=self.clock,
            guard=guard or run_plainly,
            new_groups=new_groups,
        )
        return Intake(desk, settings)

    async def take(self, *events: LogEvent) -> None:
        """Through the running intake."""
        await self.intake.take(events)

    async def groups(self) -> list[ErrorGroup]:
        """All there ever were, oldest first."""
        found: list[ErrorGroup] = []
        async with self.database.store.snapshot() as tx:
            while (group := await tx.groups.get(len(found) + 1)) is not None:
                found.append(group)
        return found

    async def only_group(self) -> ErrorGroup:
        """When there must be one."""
        [group] = await self.groups()
        return group

    async def listed(self) -> list[str]:
        """Titles as people see them, worst first."""
        return [report.group.title for report in await self.triage.list(GroupQuery())]

    async def trail(self, subject: str) -> list[AuditEvent]:
        """What the audit trail tells."""
        async with self.database.store.snapshot() as tx:
            return list(await tx.audit.of(subject))

    async def told(self) -> list[Notice]:
        """What became due since the last call."""
        queue = self.database.notice_queue
        far = self.clock.now() + timedelta(days=400)
        notices = await queue.claim("test", far, far + MINUTE, limit=100)
        for notice in notices:
            await queue.delivered(notice, None)
        return list(notices)


@asynccontextmanager
async def open_logbook(tmp_path: Path) -> AsyncIterator[Logbook]:
    """On an embedded database, running."""
    clock = SteppedClock()
    async with (
        await open_sqlite(tmp_path, clock=clock) as database,
        logbook_over(database, clock) as book,
    ):
        yield book


@asynccontextmanager
async def logbook_over(database: Database, clock: SteppedClock) -> AsyncIterator[Logbook]:
    """On a database that is open already, running."""
    releases = ScriptedReleases()
    desk = IntakeDesk(store=database.store, releases=releases, clock=clock, guard=run_plainly)
    book = Logbook(database, clock, releases, Intake(desk))
    async with running(book.intake):
        yield book


@asynccontextmanager
async def running(*intakes: Intake) -> AsyncIterator[None]:
    """Their loops, within the block."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(intake.run()) for intake in intakes]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def until(holds: Callable[[], bool]) -> None:
    """Fails after a few seconds."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 -- what is waited for has no event
            await asyncio.sleep(0.002)
