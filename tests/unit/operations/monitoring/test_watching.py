"""The loop: what is due is asked once, and nothing that goes wrong ends it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from operations.errors import StorageUnavailable
from operations.monitoring.check import Check, CheckState, Observation, Outcome
from operations.monitoring.ports import Store, Transaction
from operations.monitoring.watching import Lookout, Watch, WatchSettings
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import ALICE, NOON
from tests.slack_stand_in import until
from tests.unit.operations.monitoring.lookouts import (
    BRISK,
    CHANNEL,
    EVERY,
    Post,
    SteppedClock,
    make_check,
    make_sites,
    open_post,
    run_until,
)


async def guard_bugs(name: str, work: Callable[[], Awaitable[None]]) -> str:
    """As the supervisor does: a bug is noted, not raised."""
    try:
        await work()
    except KeyError:
        return "ref"
    return ""


class FailingStore:
    """The store of a database that cannot be reached for the first few writes."""

    def __init__(self, store: Store, failures: int) -> None:
        self._store = store
        self.failures = failures

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Refuses so often."""
        return self._transaction()

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]:
        """As ever."""
        return self._store.snapshot()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("The database cannot be reached.")
        async with self._store.transaction() as tx:
            yield tx


class BrokenQueue:
    """The queue of a database that cannot be reached for the first few looks."""

    def __init__(self, database: Database, failures: int) -> None:
        self._queue = database.check_queue
        self.schedule = self._queue.schedule
        self.next_due = self._queue.next_due
        self.failures = failures

    async def claim(
        self, checks: Collection[Check], now: datetime, *, limit: int
    ) -> Sequence[tuple[Check, datetime]]:
        """Refuses so often."""
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("The database cannot be reached.")
        return await self._queue.claim(checks, now, limit=limit)


def all_well(post: Post) -> None:
    for check in post.checks:
        post.prober.script(check, "ok")


def asked(post: Post, times: int) -> Callable[[], Awaitable[bool]]:
    """Whether every check was asked so often and its answer stored."""

    async def is_done() -> bool:
        records = [await post.record(check) for check in post.checks]
        return all(record.good >= times for record in records)

    return is_done


async def test_each_check_is_asked_once_an_interval(tmp_path: Path) -> None:
    async with open_post(tmp_path, *make_sites(20)) as post:
        all_well(post)
        post.clock.time = NOON + EVERY
        await post.database.check_queue.schedule(post.checks, NOON)

        await run_until([post.watch], asked(post, 1))
        assert Counter(post.prober.asked) == Counter(c.id for c in post.checks)

        post.clock.time += EVERY
        await run_until([post.watch], asked(post, 2))
        assert set(Counter(post.prober.asked).values()) == {2}


async def test_a_clock_that_was_ahead_for_a_while_stops_no_check(tmp_path: Path) -> None:
    async with open_post(tmp_path) as post:
        all_well(post)
        ahead = 240 * EVERY
        await post.database.check_queue.schedule(post.checks, NOON)
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            task = group.create_task(post.watch.run())
            for number, step in enumerate((EVERY, ahead, EVERY - ahead), 1):
                post.clock.time += step
                await until(lambda: is_due_within(post, EVERY), 3)
                post.clock.time += EVERY
                await until(partial(has_asked, post, number), 3)
            task.cancel()


async def is_due_within(post: Post, span: timedelta) -> bool:
    async with post.database.store.snapshot() as tx:
        due = (await tx.checks.get(post.checks[0].id)).due_at
    return due is not None and due <= post.clock.now() + span


def has_asked(post: Post, times: int) -> bool:
    return len(post.prober.asked) >= times


async def test_two_loops_on_one_database_ask_each_due_check_once(tmp_path: Path) -> None:
    async with open_post(tmp_path, *make_sites(30)) as post:
        all_well(post)
        await post.database.check_queue.schedule(post.checks, NOON)
        post.clock.time = NOON + EVERY
        async with await open_sqlite(tmp_path, clock=post.clock) as there:
            watches = [post.new_watch(), post.new_watch(database=there)]

            await run_until(watches, asked(post, 1))

        assert Counter(post.prober.asked) == Counter(c.id for c in post.checks)


async def test_a_stopped_check_is_not_asked_and_a_started_one_is(tmp_path: Path) -> None:
    async with open_post(tmp_path, *make_sites(2)) as post:
        all_well(post)
        stopped, running = post.checks
        await post.alerting.stop(ALICE, stopped.project)
        await post.database.check_queue.schedule(post.checks, NOON)
        post.clock.time += EVERY

        async def is_running_asked() -> bool:
            return (await post.record(running)).good > 0

        await run_until([post.watch], is_running_asked)
        assert post.prober.asked == [running.id]

        await post.alerting.start(ALICE, stopped.project)
        await run_until([post.watch], asked(post, 1))
        assert post.prober.asked == [running.id, stopped.id]


async def test_a_third_miss_found_by_the_loop_fires(tmp_path: Path) -> None:
    async with open_post(tmp_path) as post:
        post.prober.script(post.checks[0], "failing:no answer within 5 s")

        async def is_failing() -> bool:
            post.clock.time += EVERY
            return (await post.record()).state is CheckState.FAILING

        await run_until([post.watch], is_failing)

        assert [alert.label for alert in await post.alerts()] == ["A-1"]


async def test_a_bug_in_a_prober_does_not_end_the_loop(tmp_path: Path) -> None:
    async with open_post(tmp_path, *make_sites(3)) as post:
        all_well(post)
        post.prober.bugs.extend([KeyError("a bug"), KeyError("another")])

        async def are_all_asked() -> bool:
            post.clock.time += EVERY
            return await asked(post, 1)()

        await run_until([post.new_watch(guard=guard_bugs)], are_all_asked)

        assert not post.prober.bugs


async def test_an_answer_that_cannot_be_stored_does_not_end_the_loop(tmp_path: Path) -> None:
    async with open_post(tmp_path) as post:
        all_well(post)
        store = FailingStore(post.database.store, failures=2)

        async def is_stored() -> bool:
            post.clock.time += EVERY
            return await asked(post, 1)()

        await run_until([post.new_watch(store=store)], is_stored)

        assert not store.failures
        assert len(post.prober.asked) >= 3


async def test_a_database_that_cannot_be_looked_at_does_not_end_the_loop(tmp_path: Path) -> None:
    async with open_post(tmp_path) as post:
        all_well(post)
        post.clock.time += EVERY
        await post.database.check_queue.schedule(post.checks, NOON)
        queue = BrokenQueue(post.database, failures=3)
        lookout = Lookout(
            checks=post.checks,
            channel=CHANNEL,
            store=post.database.store,
            queue=queue,
            prober=post.prober,
            surroundings=post.rollouts,
            clock=post.clock,
            guard=guard_bugs,
        )

        await run_until([Watch(lookout, BRISK)], asked(post, 1))

        assert not queue.failures


class SlowProber:
    """Answers when the test lets it, and knows how many wait."""

    def __init__(self, clock: SteppedClock) -> None:
        self._clock = clock
        self.may_answer = asyncio.Event()
        self.waiting = 0
        self.most = 0

    async def ask(self, check: Check) -> Observation:
        """Fine, in the end."""
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.may_answer.wait()
        self.waiting -= 1
        return Observation(outcome=Outcome.OK, at=self._clock.now())


async def test_no_more_are_asked_at_once_than_set_and_the_rest_is_left_to_others(
    tmp_path: Path,
) -> None:
    async with open_post(tmp_path, *make_sites(12)) as post:
        await post.database.check_queue.schedule(post.checks, NOON)
        post.clock.time = NOON + EVERY
        slow = SlowProber(post.clock)
        watch = post.new_watch(prober=slow, settings=WatchSettings(at_once=5, idle_seconds=0.005))

        async def is_full() -> bool:
            return slow.waiting == 5

        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            loop = group.create_task(watch.run())
            while not await is_full():  # noqa: ASYNC110 -- the prober has no event for it
                await asyncio.sleep(0.002)
            all_well(post)
            left = await post.database.check_queue.claim(post.checks, post.clock.now(), limit=99)
            slow.may_answer.set()
            loop.cancel()

        assert slow.most == 5
        assert len(left) == 7


async def test_a_watch_without_checks_has_nothing_to_do(tmp_path: Path) -> None:
    async with open_post(tmp_path) as post:
        post.checks.clear()

        async def is_idle() -> bool:
            return True

        await run_until([post.new_watch()], is_idle)

        assert post.prober.asked == []


async def test_asking_one_check_now_tells_what_was_seen(tmp_path: Path) -> None:
    check = make_check()
    async with open_post(tmp_path, check) as post:
        post.prober.script(check, "failing:answered 503, wanted 200")

        seen = await post.watch.ask(check)

        assert (seen.outcome, seen.detail) == (Outcome.FAILING, "answered 503, wanted 200")
