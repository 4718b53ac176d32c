"""The past of another tool in both databases: once each, however many bring it at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from operations.deployment.release import Release
from operations.deployment.rollout import (
    HistoryQuery,
    Phase,
    Rollout,
    RolloutKind,
    RolloutState,
)
from operations.monitoring.digest.span import Span
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.group import ErrorGroup, GroupQuery, GroupState
from operations.monitoring.errors.past import MOST_GROUPS, OldError, PastErrors, reach_of
from operations.monitoring.errors.retention import Keep, Retention
from storage.database import Database, open_database
from tests.contract.databases import add_rollout, save_rollout
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.lookouts import SteppedClock

pytest_plugins = ("tests.contract.database_fixtures",)

DAY = timedelta(days=1)
REACH = reach_of(NOON, 7 * DAY, 30 * DAY, 365 * DAY)
KEEP = Keep(events=7 * DAY, samples=30 * DAY, counts=365 * DAY, megabytes=100)


def old_rollout(number: int) -> Rollout:
    return Rollout(
        id=0,
        project="myapp",
        environment="prod",
        provider="k8s",
        kind=RolloutKind.IMPORT,
        release=Release(version=f"1.{number}", artifact=""),
        previous=None,
        requested_by=ALICE,
        requested_at=NOON + timedelta(seconds=number),
        external_id=f"hms-ops:{number}",
        state=RolloutState.SUCCEEDED,
        phase=Phase.DONE,
        started_at=NOON,
        ended_at=NOON,
    )


def old_error(key: int, at: datetime = NOON - DAY, message: str = "no answer") -> OldError:
    event = LogEvent(
        project="myapp",
        environment="prod",
        level=Level.ERROR,
        message=message,
        at=at,
        source="hms-ops",
    )
    return OldError(key, event)


async def groups(database: Database) -> list[ErrorGroup]:
    async with database.store.snapshot() as tx:
        return list(await tx.groups.search(GroupQuery(limit=5000)))


async def only(database: Database) -> ErrorGroup:
    (group,) = await groups(database)
    return group


@pytest.fixture
def past(database: Database) -> PastErrors:
    return PastErrors(database.store, REACH)


async def test_any_number_of_rollouts_stand_behind_our_own(database: Database) -> None:
    ours = await add_rollout(database)

    assert await database.imports.add([old_rollout(n) for n in range(1500)]) == 1500

    async with database.store.snapshot() as tx:
        page = await tx.rollouts.search(HistoryQuery(imported=True, limit=3))
    assert [each.name for each in page.rollouts] == [ours.name, "H-1500", "H-1499"]
    assert (await add_rollout(database)).id == ours.id + 1


async def test_who_brings_the_same_at_once_brings_each_once(database_url: str) -> None:
    many = [old_rollout(n) for n in range(60)]
    async with await open_database(database_url) as one, await open_database(database_url) as two:

        async def bring(database: Database) -> int:
            return sum([await database.imports.add(many[n : n + 7]) for n in range(0, 60, 7)])

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(bring(each)) for each in (one, two)]
        assert sum(task.result() for task in tasks) == 60
        async with one.store.snapshot() as tx:
            page = await tx.rollouts.search(HistoryQuery(imported=True, limit=100))
    assert len({each.external_id for each in page.rollouts}) == len(page.rollouts) == 60


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({}, 0),
        ({"release": Release(version="unknown", artifact="")}, 0),
        ({"release": Release(version="1.8", artifact="")}, 1),
        ({"environment": "staging"}, 1),
        ({"ended_at": NOON + timedelta(minutes=7)}, 1),
    ],
    ids=["the same", "no version", "another version", "another target", "later"],
)
async def test_what_another_tool_did_for_us_is_there_already(
    database: Database, changes: dict[str, object], stored: int
) -> None:
    ours = await add_rollout(
        database, environment="prod", release=Release(version="1.7", artifact="a")
    )
    ended = NOON + timedelta(minutes=2)
    await save_rollout(
        database, replace(ours, state=RolloutState.SUCCEEDED, started_at=NOON, ended_at=ended)
    )
    logged = replace(old_rollout(7), **changes)  # type: ignore[arg-type]  # by the case

    assert len(await database.imports.missing([logged])) == stored
    assert await database.imports.add([logged]) == stored


async def test_a_page_of_the_past_goes_on_where_the_one_before_ended(database: Database) -> None:
    await database.imports.add([old_rollout(n) for n in range(5)])

    async with database.store.snapshot() as tx:
        first = await tx.rollouts.search(HistoryQuery(imported=True, limit=3))
        rest = await tx.rollouts.search(HistoryQuery(imported=True, limit=3, before=first.next))

    assert [each.name for each in rest.rollouts] == ["H-2", "H-1"]
    assert rest.next is None


async def test_old_errors_are_grouped_with_their_own_times_and_marked(
    database: Database, past: PastErrors
) -> None:
    stored = await past.add([old_error(1, NOON - 2 * DAY), old_error(2), old_error(3)])

    group = await only(database)
    assert (stored, group.count, group.imported, group.is_imported) == (3, 3, 3, True)
    assert (group.first_seen, group.last_seen) == (NOON - 2 * DAY, NOON - DAY)
    async with database.store.snapshot() as tx:
        samples = await tx.events.samples(group.id, limit=9)
    assert {sample.source for sample in samples} == {"hms-ops"}


async def test_an_old_error_is_counted_once_whoever_brings_it(database_url: str) -> None:
    errors = [old_error(n) for n in range(60)]
    async with await open_database(database_url) as one, await open_database(database_url) as two:

        async def bring(database: Database) -> int:
            past = PastErrors(database.store, REACH)
            return sum([await past.add(errors[n : n + 7]) for n in range(0, 60, 7)])

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(bring(each)) for each in (one, two)]
        assert sum(task.result() for task in tasks) == 60
        assert (await only(one)).count == 60


async def test_an_old_error_counts_in_no_check_no_digest_and_no_line_of_hours(
    database: Database, past: PastErrors
) -> None:
    """Though it was an hour ago: HMS-OPS may still be at work."""
    await past.add([old_error(n, NOON - timedelta(hours=1)) for n in range(5)])

    group, span = await only(database), Span(NOON - DAY, NOON)
    async with database.store.snapshot() as tx:
        assert await tx.counts.of_target("myapp", "prod", NOON - DAY) == 0
        assert await tx.counts.of_target_by_hours("myapp", "prod", NOON - DAY) == 0
        assert await tx.counts.hours([group.id], NOON - DAY) == {group.id: {}}
        assert await tx.digest_sources.errors(span) == []
        assert await tx.digest_sources.new_groups(span, limit=5) == ([], 0)
        assert await tx.digest_sources.worst_groups(span, limit=5) == []


async def test_an_old_error_tells_nobody(database: Database, past: PastErrors) -> None:
    await past.add([old_error(1)])

    assert (await only(database)).rollout == ""
    async with database.store.snapshot() as tx:
        assert await tx.audit.of("E-1") == []


async def test_an_old_error_brings_nothing_back(database: Database, past: PastErrors) -> None:
    await past.add([old_error(1, NOON - 3 * DAY)])
    async with database.store.transaction() as tx:
        group = await tx.groups.get(1, lock=True)
        assert group is not None
        resolved = replace(
            group, state=GroupState.RESOLVED, resolved_at=NOON - 2 * DAY, resolved_by=ALICE
        )
        await tx.groups.save([resolved])

    await past.add([old_error(2, NOON - DAY)])

    async with database.store.snapshot() as tx:
        after = await tx.groups.get(1)
    assert after is not None
    assert (after.state, after.count, after.resolved_by) == (GroupState.RESOLVED, 2, ALICE)


async def test_what_is_new_after_a_rollout_stays_new_whatever_old_logs_tell_of_it(
    database: Database, past: PastErrors
) -> None:
    await past.add([old_error(1, NOON)])
    async with database.store.transaction() as tx:
        group = await tx.groups.get(1, lock=True)
        assert group is not None
        await tx.groups.save([replace(group, rollout="D-1042", count=2)])

    await past.add([old_error(2, NOON - 30 * DAY)])

    after = await only(database)
    assert (after.first_seen, after.count, after.imported) == (NOON, 3, 2)


async def test_samples_of_today_are_not_pushed_out_by_old_ones(
    database: Database, past: PastErrors
) -> None:
    await past.add([old_error(1, message="no answer 7")])

    await past.add([old_error(n, NOON - 3 * DAY, "no answer 8") for n in range(2, 30)])

    async with database.store.snapshot() as tx:
        samples = await tx.events.samples(1, limit=30)
    assert [sample.message for sample in samples] == ["no answer 7"]


async def test_errors_that_all_differ_do_not_make_groups_without_end(
    database: Database, past: PastErrors
) -> None:
    words = (
        f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676)}x" for n in range(1200)
    )
    errors = [old_error(n, message=f"lost {word}") for n, word in enumerate(words)]

    for begin in range(0, len(errors), 400):
        await past.add(errors[begin : begin + 400])

    found = await groups(database)
    assert len(found) == MOST_GROUPS + 1
    assert sum(group.count for group in found) == len(errors)


async def test_keys_go_when_their_errors_would_be_left_out(
    database: Database, past: PastErrors
) -> None:
    await past.add([old_error(1, NOON - 366 * DAY), old_error(2)])

    await Retention(database.error_purges, KEEP, SteppedClock()).sweep()

    async with database.store.snapshot() as tx:
        assert await tx.imported_errors.known([1, 2]) == {2}
