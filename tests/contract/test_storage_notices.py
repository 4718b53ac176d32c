"""The outbox: one row for each subject and kind, told once as it now is, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from operations.outbox import Notice, NoticeKind, PostedMessage, Urgency
from operations.routing import Occasion, Routing, Way
from storage.database import Database, open_database
from tests.contract.databases import PostgresServer, open_sqlite
from tests.factories import NOON

pytest_plugins = ("tests.contract.database_fixtures",)

MINUTE = timedelta(minutes=1)
CARD = Notice(subject="D-1001", kind=NoticeKind.CARD, channel="C01GEN", urgency=Urgency.PROGRESS)
POSTED = PostedMessage(channel="C01GEN", ts="1700000000.000100")


def notice(**changes: object) -> Notice:
    fields = {
        "subject": CARD.subject,
        "kind": CARD.kind,
        "channel": CARD.channel,
        "urgency": CARD.urgency,
    }
    return Notice(**(fields | changes))  # type: ignore[arg-type]  # checked by the dataclass


async def put(database: Database, put_notice: Notice = CARD, now: datetime = NOON) -> None:
    async with database.store.transaction() as tx:
        await tx.notices.put(put_notice, now)


async def claim(
    database: Database, now: datetime = NOON, owner: str = "one", limit: int = 10
) -> Sequence[Notice]:
    return await database.notice_queue.claim(owner, now, now + MINUTE, limit=limit)


async def claim_one(database: Database, now: datetime = NOON) -> Notice:
    (claimed,) = await claim(database, now)
    return claimed


async def test_a_notice_that_was_put_is_due_at_once(database: Database) -> None:
    await put(database)

    assert await claim(database) == [notice(version=1, created_at=NOON)]


async def test_a_claimed_notice_is_nobody_else_s(database: Database) -> None:
    await put(database)
    await claim(database)

    assert await claim(database, owner="two") == []


async def test_a_delivered_notice_is_done(database: Database) -> None:
    await put(database)
    await database.notice_queue.delivered(await claim_one(database), POSTED)

    assert await claim(database, NOON + 9 * MINUTE) == []
    assert await database.notice_queue.depth() == 0


async def test_notices_put_many_times_are_told_once(database: Database) -> None:
    for _ in range(4):
        await put(database)
    claimed = await claim_one(database)
    await database.notice_queue.delivered(claimed, POSTED)

    assert claimed.version == 4
    assert await claim(database) == []


async def test_a_newer_version_that_came_meanwhile_is_due_again(database: Database) -> None:
    await put(database)
    claimed = await claim_one(database)
    await put(database, now=NOON + MINUTE)
    await database.notice_queue.delivered(claimed, POSTED)

    again = await claim_one(database, NOON + MINUTE)

    assert again == notice(version=2, created_at=NOON + MINUTE)


async def test_each_kind_and_subject_is_told_by_itself(database: Database) -> None:
    await put(database)
    await put(database, notice(kind=NoticeKind.ENDED))
    await put(database, notice(subject="D-1002"))

    assert len(await claim(database)) == 3


async def test_urgent_ones_go_first_and_then_the_oldest(database: Database) -> None:
    await put(database, notice(subject="D-1"), NOON + 2 * MINUTE)
    await put(database, notice(subject="D-2"), NOON + MINUTE)
    await put(database, notice(subject="D-3", urgency=Urgency.FINAL), NOON + 3 * MINUTE)
    await put(database, notice(subject="D-4", urgency=Urgency.DECISION), NOON + 3 * MINUTE)

    claimed = await claim(database, NOON + 5 * MINUTE, limit=3)

    assert [n.subject for n in claimed] == ["D-3", "D-4", "D-2"]


async def test_one_that_waits_keeps_the_more_urgent_of_both(database: Database) -> None:
    await put(database, notice(urgency=Urgency.FINAL))
    await put(database, notice(urgency=Urgency.PROGRESS))
    await put(database, notice(subject="D-2", urgency=Urgency.PROGRESS))
    await put(database, notice(subject="D-2", urgency=Urgency.DECISION))

    assert [n.urgency for n in await claim(database)] == [Urgency.FINAL, Urgency.DECISION]


async def test_after_delivery_the_newest_urgency_holds(database: Database) -> None:
    await put(database, notice(urgency=Urgency.FINAL))
    await database.notice_queue.delivered(await claim_one(database), POSTED)
    await put(database, notice(urgency=Urgency.PROGRESS))

    assert (await claim_one(database)).urgency is Urgency.PROGRESS


async def test_one_that_waits_keeps_its_age(database: Database) -> None:
    await put(database)
    await put(database, now=NOON + MINUTE)

    assert (await claim_one(database, NOON + MINUTE)).created_at == NOON


async def test_the_newest_channel_holds(database: Database) -> None:
    await put(database)
    await put(database, notice(channel="C02OPS"))

    assert (await claim_one(database)).channel == "C02OPS"


async def test_a_postponed_notice_is_due_later_and_counts_the_attempt(database: Database) -> None:
    await put(database)
    claimed = await claim_one(database)
    until = NOON + 5 * MINUTE
    await database.notice_queue.postpone(claimed, until, "rate limited", uncertain=False)

    assert await claim(database, until - timedelta(microseconds=1)) == []
    again = await claim_one(database, until)
    assert (again.attempts, again.uncertain) == (1, False)


async def test_progress_does_not_hurry_what_was_postponed(database: Database) -> None:
    await put(database)
    until = NOON + 5 * MINUTE
    await database.notice_queue.postpone(await claim_one(database), until, "down", uncertain=False)
    await put(database, now=NOON + MINUTE)

    assert await claim(database, NOON + 2 * MINUTE) == []
    assert (await claim_one(database, until)).attempts == 1


async def test_an_end_is_tried_at_once_and_its_attempts_count_anew(database: Database) -> None:
    await put(database)
    until = NOON + 5 * MINUTE
    await database.notice_queue.postpone(await claim_one(database), until, "down", uncertain=False)
    await put(database, notice(urgency=Urgency.FINAL), NOON + MINUTE)

    assert (await claim_one(database, NOON + MINUTE)).attempts == 0


async def test_an_end_put_during_a_failing_attempt_is_tried_at_once(database: Database) -> None:
    await put(database)
    claimed = await claim_one(database)
    await put(database, notice(urgency=Urgency.FINAL), NOON + MINUTE)
    await database.notice_queue.postpone(claimed, NOON + 5 * MINUTE, "down", uncertain=False)

    again = await claim_one(database, NOON + MINUTE)
    assert (again.urgency, again.attempts) == (Urgency.FINAL, 1)


async def test_what_was_in_doubt_stays_so_until_it_is_delivered(database: Database) -> None:
    queue = database.notice_queue
    await put(database)
    await queue.postpone(await claim_one(database), NOON, "no answer", uncertain=True)
    doubtful = await claim_one(database)
    await queue.postpone(doubtful, NOON, "not reached", uncertain=False)
    still = await claim_one(database)
    await queue.delivered(still, POSTED)
    await put(database)

    settled = await claim_one(database)

    assert [n.uncertain for n in (doubtful, still, settled)] == [True, True, False]
    assert [n.attempts for n in (doubtful, still, settled)] == [1, 2, 0]


async def test_a_claim_that_nobody_settled_makes_it_uncertain(database: Database) -> None:
    await put(database)
    await claim_one(database)

    taken_over = await claim_one(database, NOON + MINUTE)

    assert (taken_over.uncertain, taken_over.attempts) == (True, 1)


async def test_a_notice_given_back_counts_no_attempt(database: Database) -> None:
    await put(database)
    claimed = await claim_one(database)
    await database.notice_queue.give_back(claimed)

    assert await claim_one(database) == claimed


async def test_a_late_postponement_leaves_the_new_claim_alone(database: Database) -> None:
    await put(database)
    late = await claim_one(database)
    await claim_one(database, NOON + MINUTE)

    await database.notice_queue.postpone(late, NOON, "late", uncertain=False)
    await database.notice_queue.give_back(late)

    assert await claim(database, NOON + MINUTE) == []


async def test_a_late_delivery_is_a_delivery(database: Database) -> None:
    await put(database)
    late = await claim_one(database)
    await claim_one(database, NOON + MINUTE)

    await database.notice_queue.delivered(late, POSTED)

    assert await database.notice_queue.posted("D-1001", NoticeKind.CARD) == POSTED
    assert await claim(database, NOON + 5 * MINUTE) == []


async def test_a_message_s_place_is_kept_through_edits(database: Database) -> None:
    queue = database.notice_queue
    await put(database)
    await queue.delivered(await claim_one(database), POSTED)
    await put(database)
    await queue.delivered(await claim_one(database), None)

    assert await queue.posted("D-1001", NoticeKind.CARD) == POSTED


async def test_a_message_posted_anew_has_a_new_place(database: Database) -> None:
    queue = database.notice_queue
    anew = PostedMessage(channel="C02OPS", ts="1700000001.000200")
    await put(database)
    await queue.delivered(await claim_one(database), POSTED)
    await put(database)
    await queue.delivered(await claim_one(database), anew)

    assert await queue.posted("D-1001", NoticeKind.CARD) == anew


async def test_what_was_not_posted_has_no_place(database: Database) -> None:
    await put(database)

    assert await database.notice_queue.posted("D-1001", NoticeKind.CARD) is None
    assert await database.notice_queue.posted("D-9", NoticeKind.CARD) is None


async def test_depth_counts_what_waits_postponed_ones_too(database: Database) -> None:
    queue = database.notice_queue
    for number in range(3):
        await put(database, notice(subject=f"D-{number}"))
    first, second = await claim(database, limit=2)
    await queue.delivered(first, POSTED)
    await queue.postpone(second, NOON + MINUTE, "down", uncertain=False)

    assert await queue.depth() == 2


async def test_many_claims_at_once_share_the_notices(database_url: str) -> None:
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        for number in range(12):
            await put(here, notice(subject=f"D-{number}"))
        subjects: list[str] = []

        async def deliver(database: Database, owner: str) -> None:
            while claimed := await claim(database, owner=owner, limit=2):
                subjects.extend(n.subject for n in claimed)

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(deliver(here if number % 2 else there, f"d-{number}"))

    assert sorted(subjects) == sorted(f"D-{number}" for number in range(12))


async def test_a_claim_passes_over_a_row_that_somebody_writes(
    postgres_server: PostgresServer,
) -> None:
    """On PostgreSQL; on SQLite writers run one after another anyway."""
    async with await open_database(postgres_server.create()) as database:
        await put(database)
        await put(database, notice(subject="D-2"))
        async with database.store.transaction() as tx:
            await tx.notices.put(CARD, NOON)
            async with asyncio.timeout(5):
                assert [n.subject for n in await claim(database)] == ["D-2"]


async def redraw(database: Database, subject: str = "D-1001", now: datetime = NOON) -> None:
    async with database.store.transaction() as tx:
        await tx.notices.redraw(subject, NoticeKind.CARD, now)


async def test_what_was_told_is_due_again_to_be_drawn_as_it_is_now(database: Database) -> None:
    await put(database, notice(urgency=Urgency.FINAL))
    await database.notice_queue.delivered(await claim_one(database), POSTED)

    await redraw(database, now=NOON + MINUTE)

    assert await claim(database, NOON + MINUTE) == [
        notice(urgency=Urgency.REDRAW, version=2, created_at=NOON + MINUTE)
    ]
    assert await database.notice_queue.posted("D-1001", NoticeKind.CARD) == POSTED


async def test_what_waits_to_be_told_stays_as_urgent_and_as_old_as_it_is(
    database: Database,
) -> None:
    await put(database, notice(urgency=Urgency.FINAL))

    await redraw(database, now=NOON + MINUTE)

    assert await claim(database, NOON + MINUTE) == [
        notice(urgency=Urgency.FINAL, version=2, created_at=NOON)
    ]


async def test_what_was_never_put_is_not_drawn_again(database: Database) -> None:
    await put(database)

    await redraw(database, "D-1002")

    assert [found.subject for found in await claim(database)] == ["D-1001"]


async def test_a_redraw_tells_no_other_way(tmp_path: Path) -> None:
    routing = Routing((Way("mail", frozenset(Occasion)),))
    digest = notice(subject="G-3", urgency=Urgency.DECISION)
    async with await open_sqlite(tmp_path, routing=routing) as database:
        await put(database, digest)
        [mail] = await database.notice_queue.claim(
            "one", NOON, NOON + MINUTE, limit=9, route="mail"
        )
        await database.notice_queue.delivered(mail, None)

        await redraw(database, "G-3", NOON + MINUTE)

        later = NOON + 2 * MINUTE
        assert not await database.notice_queue.claim("one", later, later, limit=9, route="mail")
