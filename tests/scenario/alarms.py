"""A watch whose answers a test decides, beside a bot that people talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.surroundings import RolloutSurroundings
from operations.clock import Clock
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import Check, CheckKind, Observation, Outcome
from operations.monitoring.watching import Lookout, Watch, WatchSettings
from tests.scenario.office import Office, open_office
from tests.slack_stand_in import Said, SlackStandIn
from tests.workshops import Engine, run_plainly

CHANNEL = "C02OPS"
WEB = Check(
    id="myapp/prod:web",
    name="web",
    project="myapp",
    environment="prod",
    kind=CheckKind.HTTP,
    url="https://myapp.example.com/healthz",
)
PLATFORM = Check(
    id="myapp/prod:target",
    name="target",
    project="myapp",
    environment="prod",
    kind=CheckKind.TARGET,
)

BRISK_WEB = replace(WEB, every=timedelta(milliseconds=30))
"""Asked so often that a test can wait for it."""


class ScriptedProber:
    """Answers as it was told last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.outcome = Outcome.OK
        self.detail = ""

    async def ask(self, check: Check) -> Observation:
        """The answer of the test."""
        return Observation(outcome=self.outcome, at=self._clock.now(), detail=self.detail)


class Alarm:
    """Has checks fail and recover; `office` is where people hear of it."""

    def __init__(self, office: Office, checks: tuple[Check, ...]) -> None:
        self.office = office
        self.prober = ScriptedProber(office.engine.clock)
        self.watch = make_watch(office.engine, checks, self.prober)
        self.surroundings = RolloutSurroundings(office.engine.deployments.inquiries)
        self.alerting = Alerting(
            checks=checks, store=office.engine.database.store, clock=office.engine.clock
        )

    async def fail(
        self, times: int = 3, *, check: Check = WEB, detail: str = "answered 503, wanted 200"
    ) -> None:
        """So many misses in a row."""
        self.prober.outcome, self.prober.detail = Outcome.FAILING, detail
        for _ in range(times):
            await self.watch.ask(check)

    async def recover(self, times: int = 2, *, check: Check = WEB) -> None:
        """So many good answers in a row."""
        self.prober.outcome, self.prober.detail = Outcome.OK, "answered 200"
        for _ in range(times):
            await self.watch.ask(check)

    async def card(self, words: str) -> Said:
        """Wait for a card in the alerts channel that begins so."""
        return await self.office.card(words, CHANNEL)


def make_watch(engine: Engine, checks: tuple[Check, ...], prober: ScriptedProber) -> Watch:
    """Wired as in production, but for the prober."""
    lookout = Lookout(
        checks=checks,
        channel=CHANNEL,
        store=engine.database.store,
        queue=engine.database.check_queue,
        prober=prober,
        surroundings=RolloutSurroundings(engine.deployments.inquiries),
        clock=engine.clock,
        guard=run_plainly,
    )
    return Watch(lookout, WatchSettings(idle_seconds=0.02, pause_seconds=0.01))


@asynccontextmanager
async def open_alarm(tmp_path: Path, slack: SlackStandIn, *checks: Check) -> AsyncIterator[Alarm]:
    """On the database of `tmp_path`; opened twice, it is a bot that was restarted."""
    watched = checks or (WEB, PLATFORM)
    async with open_office(tmp_path, slack, checks=watched) as office:
        yield Alarm(office, watched)
