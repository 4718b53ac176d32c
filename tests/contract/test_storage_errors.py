"""Groups of errors, their counts, single events and samples, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.errors import VersionConflict
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.group import ErrorGroup, GroupQuery, GroupState, Order, Sample
from storage.database import Database
from storage.events import SAMPLES_KEPT
from tests.factories import ALICE, BOB, NOON

pytest_plugins = ("tests.contract.database_fixtures",)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PLAIN = ErrorGroup(
    id=0,
    project="myapp",
    environment="prod",
    fingerprint="f1",
    title="TimeoutError: no answer",
    level=Level.ERROR,
    state=GroupState.OPEN,
    revision=1,
    count=3,
    first_seen=NOON,
    last_seen=NOON + MINUTE,
    rank=1.5,
)
FULL = replace(
    PLAIN,
    title="“größer” – 漢字",
    level=Level.CRITICAL,
    state=GroupState.RESOLVED,
    first_release="1.0",
    last_release="1.1",
    rank=82345.123456789,
    rollout="D-1042",
    silenced_by=ALICE,
    silenced_until=NOON + HOUR,
    resolved_by=BOB,
    resolved_at=NOON + 2 * HOUR,
)
SAMPLE = Sample(at=NOON, message="no answer", release="1.1", source="api:ci", fields={"a": "ü"})


async def add(database: Database, *groups: ErrorGroup) -> list[ErrorGroup]:
    async with database.store.transaction() as tx:
        return [await tx.groups.add(group) for group in groups]


async def get(database: Database, group_id: int) -> ErrorGroup | None:
    async with database.store.snapshot() as tx:
        return await tx.groups.get(group_id)


async def search(database: Database, **query: object) -> list[str]:
    async with database.store.snapshot() as tx:
        found = await tx.groups.search(GroupQuery(**query))  # type: ignore[arg-type]  # the dataclass checks
    return [group.fingerprint for group in found]


@pytest.mark.parametrize("group", [PLAIN, FULL])
async def test_a_group_comes_back_as_it_was_added(database: Database, group: ErrorGroup) -> None:
    [added] = await add(database, group)

    assert added == replace(group, id=1)
    assert await get(database, 1) == added


async def test_there_is_no_group_that_nobody_added(database: Database) -> None:
    assert await get(database, 1) is None


async def test_every_field_is_saved_and_the_revision_rises(database: Database) -> None:
    [added, other] = await add(database, PLAIN, replace(PLAIN, fingerprint="f2"))

    async with database.store.transaction() as tx:
        [saved] = await tx.groups.save([replace(FULL, id=added.id)])

    assert saved == replace(FULL, id=added.id, revision=2)
    assert await get(database, added.id) == saved
    assert await get(database, other.id) == other


async def test_a_fingerprint_has_one_group_on_a_target(database: Database) -> None:
    await add(database, PLAIN, replace(PLAIN, environment="staging"), replace(PLAIN, project="b"))

    with pytest.raises(VersionConflict):
        await add(database, PLAIN)


async def test_those_of_a_target_are_held_by_fingerprint(database: Database) -> None:
    one, _, two, _ = await add(
        database,
        PLAIN,
        replace(PLAIN, environment="staging"),
        replace(PLAIN, fingerprint="f2"),
        replace(PLAIN, fingerprint="f3"),
    )

    async with database.store.transaction() as tx:
        held = await tx.groups.held("myapp", "prod", ["f2", "f1", "none"])

    assert held == {"f1": one, "f2": two}


async def test_who_holds_a_target_is_waited_for(database: Database) -> None:
    order: list[str] = []
    is_held = asyncio.Event()

    async def first() -> None:
        async with database.store.transaction() as tx:
            await tx.groups.held("myapp", "prod", ["f1"])
            is_held.set()
            await asyncio.sleep(0.05)
            await tx.groups.add(PLAIN)
            order.append("added")

    async def second() -> None:
        await is_held.wait()
        async with database.store.transaction() as tx:
            held = await tx.groups.held("myapp", "prod", ["f1"])
            order.append(f"saw {len(held)}")

    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        group.create_task(second())

    assert order == ["added", "saw 1"]


async def test_groups_are_searched_worst_or_newest_first(database: Database) -> None:
    await add(
        database,
        replace(PLAIN, fingerprint="mild", rank=1.0, first_seen=NOON + MINUTE),
        replace(PLAIN, fingerprint="bad", rank=9.0, environment="staging"),
        replace(PLAIN, fingerprint="worse", rank=20.0, project="b", first_seen=NOON - HOUR),
        replace(PLAIN, fingerprint="over", rank=99.0, state=GroupState.RESOLVED),
        replace(PLAIN, fingerprint="old", rank=5.0, last_seen=NOON - HOUR),
    )

    assert await search(database) == ["worse", "bad", "old", "mild"]
    assert await search(database, limit=2) == ["worse", "bad"]
    assert (await search(database, order=Order.NEWEST))[0] == "mild"
    assert await search(database, project="myapp") == ["bad", "old", "mild"]
    assert await search(database, project="myapp", environment="prod") == ["old", "mild"]
    assert await search(database, environment="prod", since=NOON) == ["worse", "mild"]


async def test_groups_of_a_rollout_come_worst_first(database: Database) -> None:
    await add(
        database,
        replace(PLAIN, rollout="D-1042"),
        replace(PLAIN, fingerprint="f2", rollout="D-1042", rank=7.0),
        replace(PLAIN, fingerprint="f3", rollout="D-1041"),
        replace(PLAIN, fingerprint="f4"),
    )

    async with database.store.snapshot() as tx:
        found = await tx.groups.began_after("D-1042", limit=9)
        worst = await tx.groups.began_after("D-1042", limit=1)

    assert [group.fingerprint for group in found] == ["f2", "f1"]
    assert [group.fingerprint for group in worst] == ["f2"]


async def test_of_a_rollout_no_more_is_read_than_is_asked_for(database: Database) -> None:
    """In a storm of errors that differ, each batch would else read all that came before it."""
    tied = replace(PLAIN, rollout="D-1042")
    await add(
        database,
        *(replace(tied, fingerprint=f"f{number}") for number in range(4)),
        replace(tied, fingerprint="silenced", silenced_by=ALICE, silenced_until=NOON + HOUR),
        replace(tied, fingerprint="loud again", silenced_by=ALICE, silenced_until=NOON),
    )

    async with database.store.snapshot() as tx:
        heard = await tx.groups.heard_after("D-1042", NOON, limit=99)
        some = await tx.groups.heard_after("D-1042", NOON, limit=2)
        none = await tx.groups.heard_after("D-1041", NOON, limit=2)

    assert sorted(heard) == [1, 2, 3, 4, 6]
    assert len(some) == 2
    assert list(none) == []


async def test_counts_of_groups_add_up_by_the_hour(database: Database) -> None:
    for _ in range(2):
        async with database.store.transaction() as tx:
            await tx.counts.count({7: {NOON: 1, NOON + MINUTE: 2, NOON + HOUR: 5}, 8: {NOON: 1}})

    async with database.store.snapshot() as tx:
        hours = await tx.counts.hours([7, 9], NOON + MINUTE)
        later = await tx.counts.hours([7], NOON + HOUR)

    assert hours == {7: {NOON: 6, NOON + HOUR: 10}, 9: {}}
    assert later == {7: {NOON + HOUR: 10}}


async def test_counts_of_targets_are_told_by_minutes_and_hours(database: Database) -> None:
    given = {
        ("myapp", "prod"): {NOON: 1, NOON + MINUTE: 2, NOON + HOUR: 5},
        ("myapp", "staging"): {NOON: 9},
    }
    for _ in range(2):
        async with database.store.transaction() as tx:
            await tx.counts.count_targets(given)

    async with database.store.snapshot() as tx:
        assert await tx.counts.of_target("myapp", "prod", NOON) == 16
        assert await tx.counts.of_target("myapp", "prod", NOON + 1.5 * MINUTE) == 14
        assert await tx.counts.of_target("myapp", "other", NOON) == 0
        assert await tx.counts.of_target_by_hours("myapp", "prod", NOON + 30 * MINUTE) == 16
        assert await tx.counts.of_target_by_hours("myapp", "prod", NOON + HOUR) == 10


async def test_the_worst_group_of_a_target_is_found_by_its_hours(database: Database) -> None:
    one, two, other = await add(
        database, PLAIN, replace(PLAIN, fingerprint="f2"), replace(PLAIN, environment="staging")
    )
    async with database.store.transaction() as tx:
        await tx.counts.count(
            {
                one.id: {NOON: 100, NOON + HOUR: 3},
                two.id: {NOON + HOUR: 4},
                other.id: {NOON + HOUR: 999},
            }
        )

    async with database.store.snapshot() as tx:
        assert await tx.counts.worst_of("myapp", "prod", NOON) == one.id
        assert await tx.counts.worst_of("myapp", "prod", NOON + HOUR) == two.id
        assert await tx.counts.worst_of("myapp", "prod", NOON + 2 * HOUR) is None


async def test_samples_come_back_newest_first_and_only_a_few_are_kept(database: Database) -> None:
    many = [(1, replace(SAMPLE, message=f"m{n}")) for n in range(SAMPLES_KEPT + 5)]
    async with database.store.transaction() as tx:
        await tx.events.add_samples([*many, (2, SAMPLE)])

    async with database.store.snapshot() as tx:
        kept = await tx.events.samples(1, limit=100)
        first = await tx.events.samples(1, limit=1)
        other = await tx.events.samples(2, limit=100)

    assert [sample.message for sample in kept] == [f"m{n}" for n in range(SAMPLES_KEPT + 4, 4, -1)]
    assert first == kept[:1]
    assert other == [SAMPLE]


async def test_events_are_kept_with_and_without_a_group(database: Database) -> None:
    event = LogEvent(
        project="myapp",
        environment="prod",
        level=Level.INFO,
        message="größer",
        at=NOON,
        source="pods",
        fields={"pod": "web-1"},
    )

    async with database.store.transaction() as tx:
        await tx.events.add([(event, None), (replace(event, level=Level.ERROR), 3)])
        await tx.events.add([])
        await tx.counts.count({})
