"""Rollouts keep what was stored, and refuse what would contradict it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.deployment.progress import Failure, Step, StepState
from operations.deployment.rollout import (
    HistoryQuery,
    Lease,
    Phase,
    Rollout,
    RolloutState,
    Vote,
    VoteKind,
)
from operations.errors import LeaseLost, StorageError, VersionConflict
from storage.database import Database
from tests.contract.databases import add_rollout, make_draft, read_rollout, save_rollout
from tests.factories import ALICE, BOB, CAROL, NEW, NOON, OLD

pytest_plugins = ("tests.contract.database_fixtures",)

APPROVED = Vote(actor=BOB, kind=VoteKind.APPROVE, at=NOON + timedelta(seconds=3, microseconds=7))
REJECTED = Vote(actor=CAROL, kind=VoteKind.REJECT, at=NOON + timedelta(seconds=4))
HOUR = timedelta(hours=1)


async def test_ids_rise_from_1001(database: Database) -> None:
    ids = [(await add_rollout(database)).id for _ in range(3)]

    assert ids == [1001, 1002, 1003]


async def test_a_new_rollout_reads_back_as_it_was_added(database: Database) -> None:
    added = await add_rollout(database, warnings=("not pinned",), expires_at=NOON + HOUR)

    assert await read_rollout(database, added.id) == added


async def test_every_field_that_changes_is_saved(database: Database) -> None:
    added = await add_rollout(database)
    changed = replace(
        added,
        state=RolloutState.FAILED,
        phase=Phase.RETURNING,
        votes=(APPROVED, REJECTED),
        previous=None,
        cancelled_by=BOB,
        started_at=NOON + timedelta(seconds=5),
        ended_at=NOON + timedelta(seconds=65),
        steps=(Step(name="New pods", state=StepState.DONE, ready=2, total=3, at=NOON),),
        handle={"revision": 7, "name": "web", "paused": False, "since": None},
        failure=Failure(summary="It crashed", reason="OOMKilled", evidence=("a", "b")),
        outcome="Rolled back.",
        emergency=True,
    )

    saved = await save_rollout(database, changed)

    assert saved == replace(changed, revision=2)
    assert await read_rollout(database, added.id) == saved


async def test_votes_come_back_in_the_order_they_were_given(database: Database) -> None:
    added = await add_rollout(database)
    once = await save_rollout(database, replace(added, votes=(REJECTED,)))
    twice = await save_rollout(database, replace(once, votes=(REJECTED, APPROVED)))

    assert (await read_rollout(database, added.id)).votes == twice.votes == (REJECTED, APPROVED)


async def test_an_unset_vote_is_gone(database: Database) -> None:
    added = await add_rollout(database)
    voted = await save_rollout(database, replace(added, votes=(APPROVED,)))
    await save_rollout(database, replace(voted, votes=()))

    assert (await read_rollout(database, added.id)).votes == ()


async def test_nobody_votes_twice(database: Database) -> None:
    added = await add_rollout(database)
    again = replace(REJECTED, actor=BOB)

    with pytest.raises(StorageError, match="vote twice"):
        await save_rollout(database, replace(added, votes=(APPROVED, again)))

    assert (await read_rollout(database, added.id)) == added


async def test_of_two_saves_of_one_revision_the_second_conflicts(database: Database) -> None:
    added = await add_rollout(database)
    results: list[Rollout | VersionConflict] = []

    async def approve(vote: Vote) -> None:
        try:
            results.append(await save_rollout(database, replace(added, votes=(vote,))))
        except VersionConflict as exc:
            results.append(exc)

    async with asyncio.TaskGroup() as group:
        group.create_task(approve(APPROVED))
        group.create_task(approve(REJECTED))

    won = [r for r in results if isinstance(r, Rollout)]
    assert len(won) == len(results) - 1 == 1
    assert await read_rollout(database, added.id) == won[0]


async def test_a_locked_read_sees_the_vote_it_waited_for(database: Database) -> None:
    added = await add_rollout(database)

    async def vote(vote: Vote) -> int:
        async with database.store.transaction() as tx:
            held = await tx.rollouts.get(added.id, lock=True)
            assert held is not None
            await tx.rollouts.save(replace(held, votes=(*held.votes, vote)))
        return len(held.votes)

    async with asyncio.TaskGroup() as group, database.store.transaction() as tx:
        held = await tx.rollouts.get(added.id, lock=True)
        assert held is not None
        second = group.create_task(vote(REJECTED))
        await asyncio.wait([second], timeout=0.3)
        assert not second.done()
        await tx.rollouts.save(replace(held, votes=(APPROVED,)))

    assert second.result() == 1
    assert (await read_rollout(database, added.id)).votes == (APPROVED, REJECTED)


async def test_a_save_with_a_lease_of_former_number_is_lost(database: Database) -> None:
    await add_rollout(database)
    first = await database.rollout_queue.claim("one", NOON, NOON + HOUR)
    assert first is not None
    second = await database.rollout_queue.claim("two", NOON + 2 * HOUR, NOON + 3 * HOUR)

    with pytest.raises(LeaseLost):
        await save_rollout(database, replace(first, outcome="late"))

    assert second is not None
    assert await read_rollout(database, first.id) == second


async def test_a_save_after_the_lease_was_given_up_is_lost(database: Database) -> None:
    await add_rollout(database)
    held = await database.rollout_queue.claim("one", NOON, NOON + HOUR)
    assert held is not None
    await database.rollout_queue.release(held)

    with pytest.raises(LeaseLost):
        await save_rollout(database, held)


async def test_a_save_without_a_lease_leaves_the_lease_alone(database: Database) -> None:
    await add_rollout(database)
    held = await database.rollout_queue.claim("one", NOON, NOON + HOUR)
    assert held is not None

    await save_rollout(database, replace(held, lease=None, cancelled_by=BOB))

    found = await read_rollout(database, held.id)
    assert found.lease == Lease(owner="one", number=1, until=NOON + HOUR)


async def test_saving_what_was_never_stored_is_an_error(database: Database) -> None:
    added = await add_rollout(database)

    with pytest.raises(StorageError, match="D-4711"):
        await save_rollout(database, replace(added, id=4711))


async def test_a_target_has_one_active_rollout(database: Database) -> None:
    await add_rollout(database, state=RolloutState.RUNNING)
    waiting = await add_rollout(database)

    with pytest.raises(StorageError, match="myapp/prod has another active rollout"):
        await save_rollout(database, replace(waiting, state=RolloutState.VERIFYING))
    with pytest.raises(StorageError, match="myapp/prod has another active rollout"):
        await add_rollout(database, state=RolloutState.RUNNING)


async def test_two_targets_have_active_rollouts_at_once(database: Database) -> None:
    await add_rollout(database, state=RolloutState.RUNNING)
    elsewhere = await add_rollout(database, state=RolloutState.RUNNING, environment="staging")

    async with database.store.snapshot() as tx:
        assert await tx.rollouts.active("myapp", "staging") == elsewhere


async def test_waiting_are_those_of_the_target_oldest_first(database: Database) -> None:
    pending = await add_rollout(database, state=RolloutState.PENDING_APPROVAL)
    await add_rollout(database, environment="staging")
    await add_rollout(database, state=RolloutState.RUNNING)
    queued = await add_rollout(database)

    async with database.store.snapshot() as tx:
        assert await tx.rollouts.waiting("myapp", "prod") == [pending, queued]


async def test_active_is_none_when_all_have_ended(database: Database) -> None:
    await add_rollout(database, state=RolloutState.SUCCEEDED)

    async with database.store.snapshot() as tx:
        assert await tx.rollouts.active("myapp", "prod") is None


async def test_last_live_is_the_newest_success(database: Database) -> None:
    first = await add_rollout(database, state=RolloutState.SUCCEEDED)
    second = await add_rollout(database, state=RolloutState.SUCCEEDED)
    await add_rollout(database, state=RolloutState.FAILED)

    async with database.store.snapshot() as tx:
        assert await tx.rollouts.last_live("myapp", "prod") == second
        assert await tx.rollouts.last_live("myapp", "prod", before=second.id) == first
        assert await tx.rollouts.last_live("myapp", "prod", before=first.id) is None


async def test_live_with_version_passes_over_other_versions(database: Database) -> None:
    old = await add_rollout(database, state=RolloutState.SUCCEEDED, release=OLD)
    await add_rollout(database, state=RolloutState.SUCCEEDED, release=NEW)
    await add_rollout(database, state=RolloutState.FAILED, release=OLD)

    async with database.store.snapshot() as tx:
        assert await tx.rollouts.live_with_version("myapp", "prod", "1.0") == old
        assert await tx.rollouts.live_with_version("myapp", "prod", "9.9") is None


async def test_expired_are_those_pending_beyond_their_time(database: Database) -> None:
    pending = RolloutState.PENDING_APPROVAL
    late = await add_rollout(database, state=pending, expires_at=NOON)
    await add_rollout(database, state=pending, expires_at=NOON + timedelta(microseconds=1))
    await add_rollout(database, state=pending)
    await add_rollout(database, state=RolloutState.EXPIRED, expires_at=NOON)

    async with database.store.snapshot() as tx:
        assert await tx.rollouts.expired(NOON) == [late]


async def test_history_pages_are_without_gap_or_repeat(database: Database) -> None:
    for _ in range(7):
        await add_rollout(database)
    ids: list[int] = []
    before: int | None = None

    async with database.store.snapshot() as tx:
        while True:
            page = await tx.rollouts.search(HistoryQuery(limit=3, before=before))
            ids += [rollout.id for rollout in page.rollouts]
            if (before := page.next) is None:
                break

    assert ids == list(range(1007, 1000, -1))


async def test_a_last_page_that_is_full_has_no_next(database: Database) -> None:
    for _ in range(3):
        await add_rollout(database)

    async with database.store.snapshot() as tx:
        assert (await tx.rollouts.search(HistoryQuery(limit=3))).next is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (HistoryQuery(project="other"), [1003]),
        (HistoryQuery(project="myapp", environment="staging"), [1002]),
        (HistoryQuery(requested_by=BOB.id), [1004]),
        (HistoryQuery(external_id="HMS-7"), [1002]),
        (HistoryQuery(external_id="HMS-7", project="other"), []),
        (HistoryQuery(since=NOON + HOUR), [1004]),
        (HistoryQuery(project="myapp", requested_by=ALICE.id, before=1002), [1001]),
        (HistoryQuery(project="nowhere"), []),
    ],
    ids=[
        "project",
        "target",
        "requester",
        "ticket",
        "ticket elsewhere",
        "since",
        "all at once",
        "nothing",
    ],
)
async def test_history_is_narrowed(
    database: Database, query: HistoryQuery, found: list[int]
) -> None:
    await add_rollout(database, external_id="HMS-70")
    await add_rollout(database, environment="staging", external_id="HMS-7")
    await add_rollout(database, project="other")
    await add_rollout(database, requested_by=BOB, requested_at=NOON + HOUR)

    async with database.store.snapshot() as tx:
        page = await tx.rollouts.search(query)

    assert [rollout.id for rollout in page.rollouts] == found


async def test_history_carries_the_votes(database: Database) -> None:
    added = await add_rollout(database)
    voted = await save_rollout(database, replace(added, votes=(APPROVED, REJECTED)))
    newer = await add_rollout(database)

    async with database.store.snapshot() as tx:
        page = await tx.rollouts.search(HistoryQuery(limit=2))

    assert page.rollouts == (newer, voted)


async def test_a_naive_time_is_a_fault_of_the_caller(database: Database) -> None:
    with pytest.raises(TypeError):
        await add_rollout(database, requested_at=NOON.replace(tzinfo=None))


async def test_text_that_no_database_keeps_is_refused_and_undone(database: Database) -> None:
    async def add_two() -> None:
        async with database.store.transaction() as tx:
            await tx.rollouts.add(make_draft())
            await tx.rollouts.add(make_draft(reason="half a character: \ud800"))

    with pytest.raises(StorageError):
        await add_two()

    async with database.store.snapshot() as tx:
        assert (await tx.rollouts.search(HistoryQuery())).rollouts == ()
