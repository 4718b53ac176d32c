"""A database that was put back: nothing of the past starts, no number comes again, nobody else is there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.deployment.aftermath import Settled, settle_past
from operations.deployment.rollout import Rollout, RolloutState
from operations.errors import Refused
from operations.outbox import Notice, NoticeKind, Urgency
from storage.database import Database, open_database
from tests.contract.databases import add_rollout, read_rollout
from tests.contract.test_storage_errors import PLAIN
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.lookouts import SteppedClock

pytest_plugins = ("tests.contract.database_fixtures",)

HOUR = timedelta(hours=1)


async def settle(database: Database, by: int = 1000) -> Settled:
    return await settle_past(database.store, SteppedClock(), ALICE, by=by)


async def claim(database: Database) -> Rollout | None:
    return await database.rollout_queue.claim("worker", NOON + HOUR, NOON + 2 * HOUR)


async def card_of(database: Database, rollout: Rollout) -> Notice | None:
    due = await database.notice_queue.claim("us", NOON + HOUR, NOON + 2 * HOUR, limit=50)
    cards = (n for n in due if (n.subject, n.kind) == (rollout.name, NoticeKind.CARD))
    return next(cards, None)


@pytest.mark.parametrize(
    ("state", "start_at"),
    [
        (RolloutState.QUEUED, None),
        (RolloutState.QUEUED, NOON + 12 * HOUR),
        (RolloutState.PENDING_APPROVAL, None),
    ],
)
async def test_what_waited_has_expired_and_does_not_start(
    database: Database, state: RolloutState, start_at: object
) -> None:
    waited = await add_rollout(database, state=state, start_at=start_at)

    settled = await settle(database)

    assert [each.id for each in settled.expired] == [waited.id]
    found = await read_rollout(database, waited.id)
    assert found.state is RolloutState.EXPIRED
    assert found.ended_at == NOON
    assert "restored from a backup" in found.outcome
    assert await claim(database) is None


async def test_what_was_under_way_is_unknown_and_nobody_goes_on_with_it(database: Database) -> None:
    """To go on would be to bring back, by a way back of the past, what something newer has replaced."""
    await add_rollout(database)
    begun = await claim(database)
    assert begun is not None

    settled = await settle(database)

    assert [each.id for each in settled.unknown] == [begun.id]
    found = await read_rollout(database, begun.id)
    assert found.state is RolloutState.UNKNOWN
    assert "Look at the platform." in found.outcome
    assert await claim(database) is None


async def test_what_had_ended_stays_as_it_was(database: Database) -> None:
    ended = await add_rollout(database, state=RolloutState.SUCCEEDED)

    settled = await settle(database)

    assert settled.expired == settled.unknown == []
    assert await read_rollout(database, ended.id) == ended


async def test_each_is_told_in_its_card_and_by_name(database: Database) -> None:
    waited = await add_rollout(database)

    await settle(database)

    due = await database.notice_queue.claim("us", NOON + HOUR, NOON + 2 * HOUR, limit=50)
    assert {(n.subject, n.kind) for n in due} == {
        (waited.name, NoticeKind.CARD),
        (waited.name, NoticeKind.ENDED),
    }


async def test_the_trail_says_who_did_it_and_to_what(database: Database) -> None:
    waited = await add_rollout(database)

    await settle(database, by=7)

    async with database.store.snapshot() as tx:
        (expired,) = await tx.audit.of(waited.name)
        (restored,) = await tx.audit.of("database")
        assert await tx.audit.broken_at() is None
    assert (expired.action, expired.actor) == ("rollout.expired", ALICE)
    assert expired.detail["why"] == "the database was restored from a backup"
    assert (restored.action, restored.detail["by"]) == ("database.restored", "7")
    assert restored.detail["expired"] == waited.name


async def test_numbers_go_on_above_those_that_were_lost(database: Database) -> None:
    before = await add_rollout(database, state=RolloutState.SUCCEEDED)

    settled = await settle(database, by=500)

    after = await add_rollout(database)
    assert after.id == before.id + 501
    assert settled.numbers["rollouts"] == after.id - 1


async def test_so_do_those_of_what_had_no_number_yet(database: Database) -> None:
    """The first alert of all may have come in the hour that was lost."""
    settled = await settle(database)

    assert settled.numbers == {
        "rollouts": 2000,
        "alerts": 1000,
        "error_groups": 1000,
        "digests": 1000,
        "deliveries": 100_000,
    }
    async with database.store.transaction() as tx:
        assert (await tx.groups.add(PLAIN)).id == 1001


async def test_done_twice_it_only_raises_the_numbers_once_more(database: Database) -> None:
    waited = await add_rollout(database)
    await settle(database)

    again = await settle(database)

    assert again.expired == again.unknown == []
    assert again.numbers["rollouts"] == waited.id + 2000
    assert (await read_rollout(database, waited.id)).revision == waited.revision + 1


async def test_what_may_have_been_told_after_the_backup_is_looked_for_first(
    database: Database,
) -> None:
    ended = await add_rollout(database, state=RolloutState.SUCCEEDED)
    card = Notice(subject=ended.name, kind=NoticeKind.CARD, channel="C01GEN", urgency=Urgency.FINAL)
    async with database.store.transaction() as tx:
        await tx.notices.put(card, NOON)

    await settle(database)

    found = await card_of(database, ended)
    assert found is not None
    assert found.uncertain


async def test_what_is_told_of_the_restoration_itself_is_in_no_doubt(database: Database) -> None:
    waited = await add_rollout(database)

    await settle(database)

    found = await card_of(database, waited)
    assert found is not None
    assert not found.uncertain


async def test_who_is_just_leaving_is_waited_for(database_url: str) -> None:
    async with await open_database(database_url, alone=True) as alone:
        other = await open_database(database_url)
        await other.ping()
        async with asyncio.TaskGroup() as group:
            group.create_task(_leave(other))
            settled = await settle(alone)

    assert settled.expired == []


async def _leave(other: Database) -> None:
    await asyncio.sleep(0.2)
    await other.close()


_BOT = """
import asyncio, sys
from storage.database import open_database

async def main():
    async with await open_database(sys.argv[1]) as database:
        await database.ping()
        print("up", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


async def test_it_is_refused_while_another_process_uses_the_database(database_url: str) -> None:
    async with await open_database(database_url) as database:
        waited = await add_rollout(database)
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _BOT, database_url,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdin is not None
    assert await other.stdout.readline() == b"up\n"
    async with await open_database(database_url, alone=True) as alone:
        with pytest.raises(Refused, match="Another process") as refusal:
            await settle(alone)
    assert "Stop every bot" in refusal.value.hint

    other.stdin.close()
    await other.wait()

    async with await open_database(database_url, alone=True) as alone:
        assert [each.id for each in (await settle(alone)).expired] == [waited.id]


async def test_whoever_starts_meanwhile_waits_until_it_is_done(database_url: str) -> None:
    async with await open_database(database_url) as database:
        waited = await add_rollout(database)

    async def start() -> Rollout:
        async with await open_database(database_url) as bot:
            return await read_rollout(bot, waited.id)

    async with (
        asyncio.TaskGroup() as group,
        await open_database(database_url, alone=True) as alone,
        alone.store.transaction() as tx,
    ):
        await tx.restoration.doubt_notices()
        starting = group.create_task(start())
        await asyncio.wait([starting], timeout=0.3)
        assert not starting.done()
        await tx.rollouts.save(replace(waited, state=RolloutState.EXPIRED))

    assert starting.result().state is RolloutState.EXPIRED
