"""Alerts that share a cause, on both databases: one leader and one end, whoever stores what at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace

from operations.errors import StaleDecision
from operations.monitoring.alert import Alert
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import Check
from operations.monitoring.escalation import Escalation, EscalationRule
from operations.monitoring.vendors import VendorAlert, VendorAlerts
from operations.outbox import NoticeKind
from storage.database import Database, open_database
from tests.factories import ALICE, BOB, NOON
from tests.unit.operations.monitoring.lookouts import (
    CHANNEL,
    SECOND,
    NoRollouts,
    Post,
    ScriptedProber,
    SteppedClock,
    make_check,
)

pytest_plugins = ("tests.contract.database_fixtures",)

CHECKS = [
    make_check(id=f"myapp/prod:{name}", name=name, failures=1, recoveries=1)
    for name in ("a", "b", "c", "d")
]
SAID = VendorAlert(
    source="alertmanager",
    key="b58c",
    name="HighLatency",
    project="myapp",
    environment="prod",
    is_firing=True,
    reason="p99 over 2 s",
    since=NOON,
)


def make_post(database: Database, clock: SteppedClock) -> Post:
    """One process."""
    return Post(CHECKS, database, clock, ScriptedProber(clock), NoRollouts())


async def answer(post: Post, check: Check, outcome: str) -> None:
    """One answer; the time stands still."""
    post.prober.script(check, outcome)
    await post.watch.ask(check)


async def all_alerts(database: Database) -> list[Alert]:
    """All there ever were."""
    post = make_post(database, SteppedClock())
    return await post.alerts()


async def test_what_fails_at_once_in_two_processes_has_one_leader(database_url: str) -> None:
    clock = SteppedClock()
    async with (
        await open_database(database_url, clock=clock) as here,
        await open_database(database_url, clock=clock) as there,
    ):
        posts = [make_post(here, clock), make_post(there, clock)]
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number, check in enumerate(CHECKS):
                group.create_task(answer(posts[number % 2], check, "failing:it is down"))
        alerts = await all_alerts(here)

        assert Counter(alert.led_by for alert in alerts) == Counter([None, 1, 1, 1])

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number, check in enumerate(CHECKS):
                group.create_task(answer(posts[number % 2], check, "ok"))
        told = Counter((n.subject, n.kind) for n in await posts[0].told())

    assert told == Counter([("A-1", NoticeKind.CARD), ("A-1", NoticeKind.ENDED)])


async def _act(alerting: Alerting, chance: random.Random) -> None:
    """Press something, which may be over by then."""
    try:
        number = chance.randint(1, 3)
        match chance.choice(["ack", "silence", "resolve"]):
            case "ack":
                await alerting.acknowledge(number, ALICE)
            case "silence":
                await alerting.silence(number, ALICE, SECOND)
            case _:
                await alerting.resolve(number, BOB)
    except StaleDecision:
        return


async def test_nobody_waits_for_each_other_for_ever(database_url: str) -> None:
    """Answers, people, another system and the escalation at once, for a while; then all is well."""
    clock, chance = SteppedClock(), random.Random(7)  # noqa: S311 - a test
    async with (
        await open_database(database_url, clock=clock) as here,
        await open_database(database_url, clock=clock) as there,
    ):
        posts = [make_post(here, clock), make_post(there, clock)]
        vendors = VendorAlerts(
            store=there.store, surroundings=NoRollouts(), clock=clock, channel=CHANNEL
        )
        rule = EscalationRule(SECOND, ("C09BOSS",))
        escalation = Escalation(rule=rule, store=here.store, clock=clock)
        await answer(posts[0], CHECKS[0], "failing:it is down")
        await answer(posts[0], CHECKS[1], "failing:it is down")
        await answer(posts[0], CHECKS[2], "failing:it is down")
        for _ in range(6):
            clock.time += 2 * SECOND
            async with asyncio.timeout(20), asyncio.TaskGroup() as group:
                for post in posts:
                    for check in chance.sample(CHECKS, 3):
                        outcome = chance.choice(["ok", "failing:it is down"])
                        group.create_task(answer(post, check, outcome))
                    group.create_task(_act(post.alerting, chance))
                group.create_task(vendors.receive([SAID]))
                group.create_task(escalation.escalate_due())
        clock.time += 3600 * SECOND  # long enough for nothing to be flapping any more
        for check in CHECKS:
            await answer(posts[0], check, "ok")
        await vendors.receive([replace(SAID, is_firing=False)])
        alerts = await all_alerts(here)

    assert not any(alert.is_open for alert in alerts)
    ends = {alert.id: alert.resolved_at for alert in alerts}
    assert all(alert.resolved_at == ends[alert.led_by] for alert in alerts if alert.led_by)
