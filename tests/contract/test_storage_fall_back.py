"""Other ways than Slack: put in the same transaction, each on its own, and the one to fall back on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest_asyncio

from operations.outbox import MAIL, SLACK, Delay, Notice, NoticeKind, PostedMessage, Urgency
from operations.routing import Occasion, Routing, Way
from storage.database import Database, open_database
from tests.factories import NOON

pytest_plugins = ("tests.contract.database_fixtures",)

MINUTE = timedelta(minutes=1)
PAGER = "notify:pager"
ROUTING = Routing(
    (
        Way(MAIL, frozenset({Occasion.ALERT, Occasion.ROLLOUT_FAILED})),
        Way(PAGER, frozenset({Occasion.ALERT})),
    )
)
FIRED = Notice(subject="A-1", kind=NoticeKind.CARD, channel="C02OPS", urgency=Urgency.FINAL)
ASKED = Notice(subject="D-1", kind=NoticeKind.CARD, channel="C01GEN", urgency=Urgency.DECISION)
MOVED = Notice(subject="D-1", kind=NoticeKind.CARD, channel="C01GEN", urgency=Urgency.PROGRESS)
POSTED = PostedMessage(channel="C02OPS", ts="1700000000.000100")


@pytest_asyncio.fixture
async def routed(database_url: str) -> AsyncIterator[Database]:
    """A database whose notices go by mail and pager too."""
    async with await open_database(database_url, routing=ROUTING) as opened:
        yield opened


async def put(database: Database, notice: Notice, now: datetime = NOON) -> None:
    async with database.store.transaction() as tx:
        await tx.notices.put(notice, now)


async def claim(database: Database, route: str, now: datetime = NOON) -> Sequence[Notice]:
    return await database.notice_queue.claim("one", now, now + MINUTE, limit=10, route=route)


async def fail(database: Database, now: datetime = NOON, error: str = "Slack is down.") -> None:
    """An attempt of everything that is due in Slack."""
    for claimed in await claim(database, SLACK, now):
        await database.notice_queue.postpone(claimed, now + MINUTE, error, uncertain=False)


async def fall_back(database: Database, now: datetime) -> int:
    return await database.fall_back_queue.fall_back(MAIL, now, now - 2 * MINUTE)


async def test_what_other_ways_are_for_is_put_on_each_of_them(routed: Database) -> None:
    await put(routed, FIRED)

    for route in (SLACK, MAIL, PAGER):
        assert [n.subject for n in await claim(routed, route)] == ["A-1"]


async def test_what_they_are_not_for_goes_to_slack_only(routed: Database) -> None:
    await put(routed, MOVED)

    assert [n.subject for n in await claim(routed, SLACK)] == ["D-1"]
    assert await claim(routed, MAIL) == []


async def test_what_has_no_channel_goes_the_other_ways_all_the_same(routed: Database) -> None:
    await put(routed, Notice(subject="A-1", kind=FIRED.kind, channel="", urgency=FIRED.urgency))

    assert await claim(routed, SLACK) == []
    assert [n.subject for n in await claim(routed, MAIL)] == ["A-1"]


async def test_each_way_is_delivered_on_its_own(routed: Database) -> None:
    await put(routed, FIRED)
    (mailed,) = await claim(routed, MAIL)
    place = PostedMessage(channel=MAIL, ts="A-1.card.1")
    await routed.notice_queue.delivered(mailed, place)

    assert await routed.notice_queue.posted("A-1", NoticeKind.CARD, route=MAIL) == place
    assert await routed.notice_queue.posted("A-1", NoticeKind.CARD) is None
    assert await routed.notice_queue.depth() == 2


async def test_who_waits_for_one_way_is_not_woken_by_what_another_has_due(
    database_url: str,
) -> None:
    """Else a mail server that hangs would have Slack's worker run in a circle."""
    async with await open_database(database_url, routing=ROUTING) as database:
        await put(database, Notice(subject="A-1", kind=FIRED.kind, channel="", urgency=Urgency(0)))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await database.notice_queue.wait(0.3)

        assert loop.time() - begun > 0.25
        async with asyncio.timeout(5):
            await database.notice_queue.wait(60, route=MAIL)


async def test_a_decision_that_slack_does_not_take_falls_back_after_a_while(
    routed: Database,
) -> None:
    await put(routed, ASKED)
    await fail(routed)

    assert await fall_back(routed, NOON + MINUTE) == 0
    assert await fall_back(routed, NOON + 2 * MINUTE) == 1
    (mailed,) = await claim(routed, MAIL, NOON + 2 * MINUTE)
    assert (mailed.subject, mailed.kind, mailed.urgency) == (
        "D-1",
        NoticeKind.CARD,
        Urgency.DECISION,
    )


async def test_it_stays_due_in_slack(routed: Database) -> None:
    await put(routed, ASKED)
    await fail(routed)
    await fall_back(routed, NOON + 2 * MINUTE)

    assert [n.subject for n in await claim(routed, SLACK, NOON + 2 * MINUTE)] == ["D-1"]


async def test_each_version_falls_back_once(routed: Database) -> None:
    await put(routed, ASKED)
    await fail(routed)
    await fall_back(routed, NOON + 2 * MINUTE)

    assert await fall_back(routed, NOON + 3 * MINUTE) == 0


async def test_a_new_decision_falls_back_anew(routed: Database) -> None:
    await put(routed, ASKED)
    await fail(routed)
    await fall_back(routed, NOON + 2 * MINUTE)
    await put(routed, ASKED, NOON + 3 * MINUTE)
    await fail(routed, NOON + 3 * MINUTE)

    assert await fall_back(routed, NOON + 3 * MINUTE) == 1


async def test_progress_does_not_fall_back_nor_again_with_a_decision(routed: Database) -> None:
    await put(routed, MOVED)
    await fail(routed)
    assert await fall_back(routed, NOON + 2 * MINUTE) == 0

    await put(routed, ASKED, NOON + 3 * MINUTE)
    await fail(routed, NOON + 3 * MINUTE)
    assert await fall_back(routed, NOON + 3 * MINUTE) == 1
    await put(routed, MOVED, NOON + 4 * MINUTE)
    assert await fall_back(routed, NOON + 5 * MINUTE) == 0


async def test_what_the_other_way_tells_anyway_does_not_fall_back(routed: Database) -> None:
    """An alert is mailed when it fires; that Slack is down is no reason to mail it twice."""
    await put(routed, FIRED)
    await put(routed, FIRED, NOON)
    counted = Notice(subject="A-1", kind=FIRED.kind, channel="C02OPS", urgency=Urgency.PROGRESS)
    await put(routed, counted, NOON)
    await fail(routed)

    assert await fall_back(routed, NOON + 2 * MINUTE) == 0


async def test_a_decision_after_what_was_told_falls_back(routed: Database) -> None:
    await put(routed, FIRED)
    acknowledged = Notice(
        subject="A-1", kind=FIRED.kind, channel="C02OPS", urgency=Urgency.DECISION
    )
    await put(routed, acknowledged, NOON)
    await fail(routed)

    assert await fall_back(routed, NOON + 2 * MINUTE) == 1


async def test_a_busy_slack_is_not_one_that_is_down(routed: Database) -> None:
    """Waiting for a turn leaves no error."""
    await put(routed, ASKED)
    await fail(routed, error="")

    assert await fall_back(routed, NOON + 5 * MINUTE) == 0


async def test_when_slack_is_down_what_nobody_tried_yet_falls_back_too(routed: Database) -> None:
    await put(routed, ASKED)
    await fail(routed)
    await put(routed, Notice(subject="D-2", kind=ASKED.kind, channel="C01GEN", urgency=Urgency(1)))

    assert await fall_back(routed, NOON + 2 * MINUTE) == 2


async def test_what_was_delivered_does_not_fall_back(routed: Database) -> None:
    await put(routed, ASKED)
    await fail(routed)
    (again,) = await claim(routed, SLACK, NOON + MINUTE)
    await routed.notice_queue.delivered(again, POSTED)

    assert await fall_back(routed, NOON + 2 * MINUTE) == 0


async def test_evidence_does_not_fall_back(routed: Database) -> None:
    """The mail of the end holds it."""
    await put(
        routed, Notice(subject="D-1", kind=NoticeKind.EVIDENCE, channel="C1", urgency=Urgency(0))
    )
    await fail(routed)

    assert await fall_back(routed, NOON + 2 * MINUTE) == 0


async def test_replicas_fall_back_once(database_url: str) -> None:
    async with (
        await open_database(database_url, routing=ROUTING) as here,
        await open_database(database_url, routing=ROUTING) as there,
    ):
        for number in range(10):
            await put(
                here,
                Notice(subject=f"D-{number}", kind=ASKED.kind, channel="C1", urgency=Urgency(1)),
            )
        await fail(here)
        async with asyncio.TaskGroup() as group:
            jobs = [group.create_task(fall_back(db, NOON + 2 * MINUTE)) for db in (here, there)]

        assert sum(job.result() for job in jobs) == 10
        assert [n.version for n in await claim(here, MAIL, NOON + 2 * MINUTE)] == [1] * 10


async def test_why_a_notice_is_late_can_be_asked(routed: Database) -> None:
    await put(routed, ASKED)
    assert await routed.notice_queue.delay("D-1", NoticeKind.CARD) is None

    await fail(routed)
    assert await routed.notice_queue.delay("D-1", NoticeKind.CARD) == Delay(
        since=NOON, error="Slack is down."
    )
    (again,) = await claim(routed, SLACK, NOON + MINUTE)
    await routed.notice_queue.delivered(again, POSTED)
    assert await routed.notice_queue.delay("D-1", NoticeKind.CARD) is None


async def test_what_waits_on_a_way_that_is_gone_is_given_up(routed: Database) -> None:
    await put(routed, FIRED)

    queue = routed.fall_back_queue
    assert await queue.retire((SLACK, MAIL), NOON - MINUTE) == {}
    assert await queue.retire((SLACK, MAIL), NOON) == {PAGER: 1}
    assert await routed.notice_queue.depth() == 2
    assert await queue.retire((SLACK, MAIL), NOON) == {}


async def test_who_puts_and_who_falls_back_do_not_lock_each_other_out(routed: Database) -> None:
    """Both write a notice's rows of several routes at once, again and again."""
    for number in range(8):
        await put(
            routed, Notice(subject=f"A-{number}", kind=FIRED.kind, channel="C1", urgency=Urgency(1))
        )
    await fail(routed)

    async def fire() -> None:
        for turn in range(40):
            async with routed.store.transaction() as tx:
                for number in range(8):
                    urgency = Urgency(1 - turn % 2)
                    notice = Notice(
                        subject=f"A-{number}", kind=FIRED.kind, channel="C1", urgency=urgency
                    )
                    await tx.notices.put(notice, NOON)

    async def fall() -> None:
        for _ in range(60):
            await fall_back(routed, NOON + 2 * MINUTE)

    async with asyncio.TaskGroup() as group:
        group.create_task(fire())
        group.create_task(fall())
