"""Alerts that nobody looks after: told elsewhere, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from operations.monitoring.escalation import Escalation, EscalationRule
from operations.outbox import NoticeKind
from tests.contract.databases import open_sqlite
from tests.factories import ALICE
from tests.unit.operations.monitoring.lookouts import Post, make_check, open_post

WRONG = "failing:answered 503, wanted 200"
AFTER = timedelta(minutes=10)
RULE = EscalationRule(AFTER, ("C09BOSS", "U03CAROL"))
WEB = make_check(failures=1, recoveries=1)
ERRORS = make_check(id="myapp/prod:errors", name="errors", failures=1, recoveries=1)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    """A-1 has just fired, and people were told."""
    async with open_post(tmp_path, WEB, ERRORS) as opened:
        await opened.ask(WRONG)
        await opened.told()
        yield opened


def make_escalation(post: Post) -> Escalation:
    """By the rule of these tests."""
    return Escalation(rule=RULE, store=post.database.store, clock=post.clock)


async def escalate(post: Post) -> list[str]:
    """What it finds now."""
    return [alert.label for alert in await make_escalation(post).escalate_due()]


async def test_before_its_time_nobody_is_told(post: Post) -> None:
    post.clock.time += AFTER - 2 * WEB.every

    assert await escalate(post) == []
    assert await post.told() == []


async def test_each_receiver_gets_a_message_and_the_card_says_so(post: Post) -> None:
    post.clock.time += AFTER

    assert await escalate(post) == ["A-1"]

    alert = await post.alerting.show(1)
    assert (alert.escalated_at, alert.escalated_to) == (post.clock.now(), RULE.receivers)
    told = Counter((n.subject, n.kind, n.channel) for n in await post.told())
    assert told == Counter(
        [
            ("A-1", NoticeKind.CARD, "C02OPS"),
            ("A-1/1", NoticeKind.ESCALATED, "C09BOSS"),
            ("A-1/2", NoticeKind.ESCALATED, "U03CAROL"),
        ]
    )
    event = (await post.events("A-1"))[-1]
    assert (event.action, event.detail) == ("alert.escalated", {"to": "C09BOSS, U03CAROL"})


async def test_it_is_told_once(post: Post) -> None:
    post.clock.time += AFTER
    await escalate(post)
    post.clock.time += AFTER

    assert await escalate(post) == []


async def test_two_processes_escalate_it_once(post: Post, tmp_path: Path) -> None:
    post.clock.time += AFTER
    async with await open_sqlite(tmp_path, clock=post.clock) as there:
        both = [
            Escalation(rule=RULE, store=store, clock=post.clock)
            for store in (post.database.store, there.store)
        ]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.escalate_due()) for one in both]

    assert sum(len(task.result()) for task in tasks) == 1
    assert [e.action for e in await post.events("A-1")].count("alert.escalated") == 1


async def test_what_somebody_looks_after_is_not_escalated(post: Post) -> None:
    await post.alerting.acknowledge(1, ALICE)
    post.clock.time += AFTER

    assert await escalate(post) == []


async def test_a_silence_puts_it_off_until_it_is_over(post: Post) -> None:
    await post.alerting.silence(1, ALICE, timedelta(hours=1))
    post.clock.time += AFTER
    assert await escalate(post) == []

    post.clock.time += timedelta(hours=1)

    assert await escalate(post) == ["A-1"]


async def test_what_is_over_is_not_escalated(post: Post) -> None:
    await post.ask("ok")
    post.clock.time += AFTER

    assert await escalate(post) == []


async def test_a_group_is_escalated_as_one(post: Post) -> None:
    await post.ask(WRONG, check=ERRORS)
    post.clock.time += AFTER

    assert await escalate(post) == ["A-1"]


@pytest.mark.parametrize("deed", ["acknowledge", "resolve", "recover"])
async def test_whoever_was_told_sees_what_became_of_it(post: Post, deed: str) -> None:
    post.clock.time += AFTER
    await escalate(post)
    await post.told()

    match deed:
        case "acknowledge":
            await post.alerting.acknowledge(1, ALICE)
        case "resolve":
            await post.alerting.resolve(1, ALICE)
        case "recover":
            await post.ask("ok")

    told = {(n.subject, n.kind) for n in await post.told()}
    assert {("A-1/1", NoticeKind.ESCALATED), ("A-1/2", NoticeKind.ESCALATED)} <= told


async def test_mere_progress_is_told_in_the_alerts_channel_only(post: Post) -> None:
    post.clock.time += AFTER
    await escalate(post)
    await post.told()

    await post.ask(WRONG)

    assert [n.subject for n in await post.told()] == ["A-1"]
