"""Several watches on one database of either kind, as replicas run them: each thing happens once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from operations.monitoring.alert import Alert
from operations.monitoring.check import Check, CheckKind
from operations.monitoring.suspicion import ITSELF
from operations.monitoring.watching import Watch
from storage.database import open_database
from tests.contract.databases import PostgresServer
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.lookouts import (
    EVERY,
    NoRollouts,
    Post,
    ScriptedProber,
    SteppedClock,
    make_sites,
    run_until,
)

pytest_plugins = ("tests.contract.database_fixtures",)

WRONG = "failing:no answer within 5 s"


@asynccontextmanager
async def open_pair(url: str, checks: list[Check]) -> AsyncIterator[tuple[Post, list[Watch]]]:
    """Two processes' worth of databases and watches."""
    clock = SteppedClock()
    async with (
        await open_database(url, clock=clock) as here,
        await open_database(url, clock=clock) as there,
    ):
        post = Post(
            checks=checks,
            database=here,
            clock=clock,
            prober=ScriptedProber(clock),
            rollouts=NoRollouts(),
        )
        for check in checks:
            post.prober.script(check, "ok")
        yield post, [post.new_watch(), post.new_watch(database=there)]


async def ask_all_at_once(post: Post, watches: list[Watch], answer: str) -> None:
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for number, check in enumerate(post.checks):
            post.prober.script(check, answer)
            group.create_task(watches[number % 2].ask(check))
    post.clock.time += EVERY


async def open_alerts(post: Post) -> list[Alert]:
    return [alert for alert in await post.alerts() if alert.is_open]


async def test_each_due_check_is_asked_by_one(database_url: str) -> None:
    async with open_pair(database_url, make_sites(40)) as (post, watches):
        await post.database.check_queue.schedule(post.checks, NOON)
        post.clock.time = NOON + EVERY

        async def are_all_answered() -> bool:
            return all([(await post.record(check)).good for check in post.checks])

        await run_until(watches, are_all_answered)

        assert Counter(post.prober.asked) == Counter(check.id for check in post.checks)


async def test_many_that_fail_at_once_have_one_alert_each(database_url: str) -> None:
    async with open_pair(database_url, make_sites(30, kind=CheckKind.TARGET)) as (post, watches):
        for _ in range(4):
            await ask_all_at_once(post, watches, WRONG)

        alerts = await open_alerts(post)
        assert Counter(a.check_id for a in alerts) == Counter(check.id for check in post.checks)
        assert {alert.seen for alert in alerts} == {4}


async def test_the_bot_suspects_itself_once_whoever_notices(database_url: str) -> None:
    async with open_pair(database_url, make_sites(30)) as (post, watches):
        await ask_all_at_once(post, watches, "ok")
        for _ in range(5):
            await ask_all_at_once(post, watches, WRONG)

        assert [alert.check_id for alert in await post.alerts()] == [ITSELF]

        await ask_all_at_once(post, watches, "ok")
        assert await open_alerts(post) == []


async def test_people_and_answers_do_not_wait_for_one_another_in_a_circle(
    postgres_server: PostgresServer,
) -> None:
    """Whoever resolves takes the check's row before the alert's, as whoever stores an answer does."""
    (check,) = make_sites(1, failures=1)
    async with open_pair(postgres_server.create(), [check]) as (post, _):
        await post.ask(WRONG)

        async with (
            asyncio.timeout(10),
            asyncio.TaskGroup() as group,
            post.database.store.transaction() as tx,
        ):
            await tx.checks.get(check.id, lock=True)
            resolving = group.create_task(post.alerting.resolve(1, ALICE))
            await asyncio.sleep(0.2)  # by now it waits for the check's row
            assert not resolving.done()
            assert await tx.alerts.open_for(check.id) is not None

        assert await open_alerts(post) == []
