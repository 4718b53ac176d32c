"""An error storm makes one group and one alert, and what people read says how many and which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.surroundings import RolloutSurroundings
from operations.monitoring.check import Check, CheckKind
from operations.monitoring.errors.group import GroupQuery
from operations.monitoring.errors.intake import Intake, IntakeDesk
from operations.monitoring.errors.rates import RateProber
from operations.monitoring.errors.triage import Triage
from operations.monitoring.watching import Lookout, Watch
from tests.scenario.alarms import CHANNEL, ScriptedProber
from tests.scenario.office import Office, open_office
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import SlackStandIn
from tests.unit.operations.monitoring.errors.logbook import (
    LIVE,
    ScriptedReleases,
    make_event,
    running,
)
from tests.workshops import run_plainly

SECOND = timedelta(seconds=1)
RATE = Check(
    id="myapp/prod:errors",
    name="errors",
    project="myapp",
    environment="prod",
    kind=CheckKind.ERROR_RATE,
    limit=50,
    span=timedelta(minutes=5),
)
STORM = 16_000
BATCH = 2_000


class Storm:
    """The central log of an office with one check of its error rate; its clock goes by the test."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.clock = office.engine.clock
        self.releases = ScriptedReleases()
        store = office.engine.database.store
        desk = IntakeDesk(store=store, releases=self.releases, clock=self.clock, guard=run_plainly)
        self.intake = Intake(desk)
        self.triage = Triage(store=store, releases=self.releases, clock=self.clock)
        lookout = Lookout(
            checks=(RATE,),
            channel=CHANNEL,
            store=store,
            queue=office.engine.database.check_queue,
            prober=RateProber(ScriptedProber(self.clock), self.triage, self.clock),
            surroundings=RolloutSurroundings(office.engine.deployments.inquiries),
            clock=self.clock,
            guard=run_plainly,
        )
        self.watch = Watch(lookout)

    async def rage(self) -> None:
        """A minute of equal errors, but for what changes in them; the check is asked all along."""
        for number in range(STORM // BATCH):
            events = [
                make_event(message=f"no answer for order {n} in {n % 97} ms", at=self.clock.now())
                for n in range(number * BATCH, (number + 1) * BATCH)
            ]
            async with asyncio.TaskGroup() as group:
                for begin in range(0, BATCH, 500):
                    group.create_task(self.intake.take(events[begin : begin + 500]))
            await self.watch.ask(RATE)
            self.clock.ahead += 4 * SECOND

    async def calm(self) -> None:
        """Nothing for longer than the check looks back."""
        for _ in range(3):
            self.clock.ahead += timedelta(minutes=3)
            await self.watch.ask(RATE)
        await self.watch.ask(RATE)


@pytest.fixture
async def storm(tmp_path: Path, slack: SlackStandIn) -> AsyncIterator[Storm]:
    async with open_office(tmp_path, slack) as office:
        opened = Storm(office)
        async with running(opened.intake):
            yield opened


async def test_a_storm_of_equal_errors_is_one_group_and_one_alert(storm: Storm) -> None:
    await storm.rage()
    card = await storm.office.card("Failing: errors", CHANNEL)
    await storm.office.quiet()

    [report] = await storm.triage.list(GroupQuery())
    assert report.group.count == sum(report.hours) == STORM
    assert [said for said in storm.office.slack.messages if said.channel == CHANNEL] == [card]
    said = all_text(card.blocks)
    assert "errors in 5 m, most often E-1: TimeoutError: no answer for order" in said


async def test_a_storm_that_is_over_ends_its_alert(storm: Storm) -> None:
    await storm.rage()
    card = await storm.office.card("Failing: errors", CHANNEL)

    await storm.calm()

    await storm.office.card("Well again: errors", CHANNEL)
    assert labels(card.blocks) == []


async def test_a_storm_after_a_rollout_is_one_group_of_it(storm: Storm) -> None:
    now = storm.clock.now()
    storm.releases.live = replace(LIVE, began=now - 60 * SECOND, since=now - 30 * SECOND)

    await storm.rage()

    [group] = await storm.triage.after_rollout("D-1042")
    assert group.count == STORM
