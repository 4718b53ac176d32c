"""Checks, answers written down beforehand, a clock that a test moves, and a whole watch over SQLite."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from operations.audit import AuditEvent
from operations.guard import Guard
from operations.monitoring.alert import Alert
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import Check, CheckKind, CheckRecord, Flip, Observation, Outcome
from operations.monitoring.ports import Prober, Store
from operations.monitoring.watching import Lookout, Watch, WatchSettings
from operations.outbox import Notice
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import NOON
from tests.workshops import run_plainly

SECOND = timedelta(seconds=1)
EVERY = timedelta(seconds=30)
CHANNEL = "C02OPS"
BRISK = WatchSettings(at_once=10, idle_seconds=0.005, pause_seconds=0.001)


def make_check(**changes: object) -> Check:
    """myapp/prod:web: a page every 30 s; 3 misses make it failing, 2 good answers well again."""
    plain = Check(
        id="myapp/prod:web",
        name="web",
        project="myapp",
        environment="prod",
        kind=CheckKind.HTTP,
        url="https://myapp.example.com/healthz",
        every=EVERY,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def make_sites(count: int, **changes: object) -> list[Check]:
    """Checks of pages on hosts of their own."""
    return [
        make_check(
            id=f"s{n}/prod:web", project=f"s{n}", url=f"https://s{n}.example.com/", **changes
        )
        for n in range(count)
    ]


class SteppedClock:
    """Stands still until a test moves it; who sleeps looks again in a moment."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        """The test's time."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """A moment, however long was asked for."""
        await asyncio.sleep(0.002)


class ScriptedProber:
    """Answers in turn, by check; the last answer for ever. A check without a script is an error."""

    def __init__(self, clock: SteppedClock, **scripts: Sequence[str]) -> None:
        self._clock = clock
        self._scripts = {key: deque(script) for key, script in scripts.items()}
        self.asked: list[str] = []
        self.bugs: deque[Exception] = deque()

    def script(self, check: Check, *answers: str) -> None:
        """What it will answer from now on."""
        self._scripts[check.id] = deque(answers)

    async def ask(self, check: Check) -> Observation:
        """`ok`, `failing`, `error` or `inconclusive`, with words after a colon."""
        self.asked.append(check.id)
        if self.bugs:
            raise self.bugs.popleft()
        script = self._scripts[check.id]
        answer = script.popleft() if len(script) > 1 else script[0]
        outcome, _, detail = answer.partition(":")
        return Observation(outcome=Outcome(outcome), at=self._clock.now(), detail=detail)


class NoRollouts:
    """Nothing is shipped anywhere, but where a test says so."""

    def __init__(self) -> None:
        self.name = ""
        self.questions: list[tuple[str, str, datetime]] = []

    async def rollout_at(self, project: str, environment: str, since: datetime) -> str:
        """The rollout of the test."""
        self.questions.append((project, environment, since))
        return self.name


@dataclass
class Post:
    """A watch over one database, wired as in production but for the prober and the time."""

    checks: list[Check]
    database: Database
    clock: SteppedClock
    prober: ScriptedProber
    rollouts: NoRollouts

    def __post_init__(self) -> None:
        """One watch for the post: it remembers things between answers."""
        self.watch = self.new_watch()

    @property
    def alerting(self) -> Alerting:
        """What answers people."""
        return Alerting(checks=self.checks, store=self.database.store, clock=self.clock)

    def new_watch(
        self,
        *,
        guard: Guard | None = None,
        database: Database | None = None,
        store: Store | None = None,
        prober: Prober | None = None,
        channel: str = CHANNEL,
        settings: WatchSettings = BRISK,
    ) -> Watch:
        """One more watch, as another process would have."""
        database = database or self.database
        lookout = Lookout(
            checks=self.checks,
            channel=channel,
            store=store or database.store,
            queue=database.check_queue,
            prober=prober or self.prober,
            surroundings=self.rollouts,
            clock=self.clock,
            guard=guard or run_plainly,
        )
        return Watch(lookout, settings)

    async def ask(self, *answers: str, check: Check | None = None) -> None:
        """Have the check answer so, an interval apart."""
        check = check or self.checks[0]
        for answer in answers:
            self.prober.script(check, answer)
            await self.watch.ask(check)
            self.clock.time += check.every

    async def record(self, check: Check | None = None) -> CheckRecord:
        """As it is stored."""
        async with self.database.store.snapshot() as tx:
            return await tx.checks.get((check or self.checks[0]).id)

    async def flips(self) -> Sequence[Flip]:
        """Of the first check."""
        async with self.database.store.snapshot() as tx:
            return await tx.checks.flips(self.checks[0].id)

    async def alerts(self) -> list[Alert]:
        """All there ever were, oldest first."""
        found: list[Alert] = []
        async with self.database.store.snapshot() as tx:
            while (alert := await tx.alerts.get(len(found) + 1)) is not None:
                found.append(alert)
        return found

    async def events(self, subject: str) -> Sequence[AuditEvent]:
        """What the trail tells."""
        async with self.database.store.snapshot() as tx:
            return await tx.audit.of(subject)

    async def told(self) -> list[Notice]:
        """What became due since the last call."""
        queue = self.database.notice_queue
        far = self.clock.now() + timedelta(days=1)
        notices = await queue.claim("test", far, far + SECOND, limit=100)
        for notice in notices:
            await queue.delivered(notice, None)
        return list(notices)


@asynccontextmanager
async def open_post(tmp_path: Path, *checks: Check) -> AsyncIterator[Post]:
    """On the test's own database."""
    clock = SteppedClock()
    async with await open_sqlite(tmp_path, clock=clock) as database:
        yield Post(
            checks=list(checks or (make_check(),)),
            database=database,
            clock=clock,
            prober=ScriptedProber(clock),
            rollouts=NoRollouts(),
        )


async def run_until(watches: Sequence[Watch], is_done: Callable[[], Awaitable[bool]]) -> None:
    """Run the loops until something holds; fails after a few seconds."""
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        tasks = [group.create_task(watch.run()) for watch in watches]
        while not await is_done():  # noqa: ASYNC110 -- what is waited for is in the database
            await asyncio.sleep(0.002)
        for task in tasks:
            task.cancel()
