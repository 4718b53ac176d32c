"""What a batch of errors becomes: groups, counts, samples, and what is told of a rollout."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from operations.monitoring.errors.event import Level
from operations.monitoring.errors.group import GroupQuery, GroupState
from operations.monitoring.errors.newcomers import OTHER_TITLE
from operations.monitoring.errors.ports import Running
from operations.monitoring.errors.recording import EVENTS_A_MINUTE
from operations.monitoring.errors.triage import MOST_AFTER
from operations.outbox import NoticeKind, Urgency
from tests.contract.databases import sqlite_url
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.errors.logbook import (
    LIVE,
    MINUTE,
    Logbook,
    make_event,
    open_logbook,
    running,
)

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def book(tmp_path: Path) -> AsyncIterator[Logbook]:
    async with open_logbook(tmp_path) as opened:
        yield opened


async def test_equal_errors_are_one_group_with_a_count(book: Logbook) -> None:
    await book.take(make_event(message="user 1 gone", at=NOON - MINUTE))
    await book.take(
        make_event(message="user 2 gone", level=Level.CRITICAL),
        make_event(message="user 3 gone", at=NOON - 2 * MINUTE),
    )

    group = await book.only_group()
    assert (group.label, group.count, group.level) == ("E-1", 3, Level.CRITICAL)
    assert group.title == "TimeoutError: user 1 gone"
    assert (group.first_seen, group.last_seen) == (NOON - 2 * MINUTE, NOON)


async def test_targets_have_groups_of_their_own(book: Logbook) -> None:
    await book.take(make_event(), make_event(environment="staging"), make_event(project="shop"))

    assert len(await book.groups()) == 3


async def test_the_release_of_an_event_wins_over_what_runs(book: Logbook) -> None:
    book.releases.live = LIVE

    await book.take(
        make_event(fields={"release": "9.9"}, at=NOON - 2 * MINUTE), make_event(fields={})
    )

    group = await book.only_group()
    assert (group.first_release, group.last_release) == ("9.9", "1.4.2")


async def test_a_late_event_does_not_say_what_ran_last(book: Logbook) -> None:
    await book.take(make_event(fields={"release": "2"}))
    await book.take(make_event(fields={"release": "1"}, at=NOON - HOUR))

    group = await book.only_group()
    assert (group.last_release, group.last_seen, group.first_seen) == ("2", NOON, NOON - HOUR)


async def test_worse_is_what_comes_oftener_and_later(book: Logbook) -> None:
    old = NOON - timedelta(days=2)
    await book.take(
        *[make_event(message="old", fields={}, at=old)] * 50,
        *[make_event(message="some", fields={})] * 2,
        *[make_event(message="many", fields={})] * 5,
        make_event(message="one", fields={}),
    )

    assert await book.listed() == ["many", "some", "one", "old"]


async def test_ranks_grow_alike_however_errors_are_batched(book: Logbook) -> None:
    at_once = [make_event(message="a", at=NOON - n * HOUR) for n in range(9)]
    await book.take(*at_once)
    for event in at_once:
        await book.take(replace(event, message="b"))

    one, other = await book.groups()
    assert one.rank == pytest.approx(other.rank)


async def test_a_storm_is_counted_in_full_but_not_kept_in_full(
    book: Logbook, tmp_path: Path
) -> None:
    for _ in range(3):
        await book.take(*[make_event()] * 500)
    book.clock.time += MINUTE
    await book.take(*[make_event()] * 500)

    assert (await book.only_group()).count == 2000
    path = sqlite_url(tmp_path).removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as raw:
        [(kept,)] = raw.execute("SELECT count(*) FROM events").fetchall()
    assert kept == 2 * EVENTS_A_MINUTE
    [report] = await book.triage.list(GroupQuery())
    assert sum(report.hours) == 2000


async def test_what_begins_after_a_rollout_is_tied_to_it_and_told_in_its_thread(
    book: Logbook,
) -> None:
    book.releases.live = LIVE

    await book.take(make_event())
    [first] = await book.told()
    await book.take(make_event(message="disk full"))
    [second] = await book.told()

    assert (first.subject, first.kind, first.channel) == ("D-1042", NoticeKind.ERRORS, "C01GEN")
    assert (first.urgency, second.urgency) == (Urgency.DECISION, Urgency.PROGRESS)
    found = await book.triage.after_rollout("D-1042")
    assert {group.title for group in found} == {
        "TimeoutError: no answer",
        "TimeoutError: disk full",
    }


async def test_of_a_storm_after_a_rollout_the_worst_are_told(book: Logbook) -> None:
    book.releases.live = LIVE
    book.intake = book.new_intake(new_groups=MOST_AFTER + 2)
    fields = [{"fingerprint": f"{number}"} for number in range(MOST_AFTER + 1)]

    async with running(book.intake):
        await book.take(*[make_event(message="mild", fields=each) for each in fields])
        await book.take(*[make_event(message="bad", fields={"fingerprint": "worst"})] * 9)

    found = await book.triage.after_rollout("D-1042")
    assert (len(found), found[0].title) == (MOST_AFTER, "bad")


async def test_what_goes_on_as_before_is_not_told(book: Logbook) -> None:
    await book.take(make_event())
    book.releases.live = LIVE

    await book.take(make_event())

    assert await book.told() == []
    assert (await book.only_group()).rollout == ""


@pytest.mark.parametrize(
    "live",
    [
        replace(LIVE, since=NOON - 31 * MINUTE, began=NOON - 40 * MINUTE),
        replace(LIVE, began=NOON + MINUTE, since=NOON + MINUTE),
        Running(release="1.4.2"),
    ],
    ids=["long ago", "begun later", "no rollout"],
)
async def test_what_no_new_rollout_can_have_caused_is_not_tied_to_one(
    book: Logbook, live: Running
) -> None:
    book.releases.live = live

    await book.take(make_event())

    assert (await book.only_group()).rollout == ""
    assert await book.told() == []


async def test_a_resolved_group_that_is_seen_again_comes_back(book: Logbook) -> None:
    await book.take(make_event())
    await book.triage.resolve(1, ALICE)
    book.clock.time += MINUTE
    book.releases.live = LIVE

    await book.take(make_event(at=book.clock.time))

    group = await book.only_group()
    assert (group.state, group.rollout) == (GroupState.OPEN, "D-1042")
    assert group.has_come_back
    assert (group.resolved_by, group.resolved_at) == (ALICE, NOON)
    assert [event.action for event in await book.trail("E-1")] == [
        "error.resolved",
        "error.came_back",
    ]
    assert [notice.subject for notice in await book.told()] == ["D-1042"]


async def test_a_late_event_does_not_bring_a_resolved_group_back(book: Logbook) -> None:
    await book.take(make_event())
    await book.triage.resolve(1, ALICE)

    await book.take(make_event(at=NOON - MINUTE))

    group = await book.only_group()
    assert (group.state, group.count) == (GroupState.RESOLVED, 2)


async def test_a_silenced_group_that_comes_back_is_counted_and_not_told(book: Logbook) -> None:
    await book.take(make_event())
    await book.triage.silence(1, ALICE, HOUR)
    await book.triage.resolve(1, ALICE)
    book.clock.time += MINUTE
    book.releases.live = LIVE

    await book.take(make_event(at=book.clock.time))

    group = await book.only_group()
    assert (group.count, group.rollout) == (2, "D-1042")
    assert await book.told() == []


async def flood(book: Logbook, kinds: range) -> None:
    """As many errors, each another one."""
    await book.take(*[make_event(fields={"fingerprint": f"{kind}"}) for kind in kinds])


async def test_more_new_errors_than_an_hour_takes_are_counted_in_one_group(book: Logbook) -> None:
    book.intake = book.new_intake(new_groups=3)
    async with running(book.intake):
        await flood(book, range(2))
        await flood(book, range(10))
        await flood(book, range(20))

    groups = await book.groups()
    [other] = [group for group in groups if group.is_other]
    assert len(groups) == 4
    assert other.title == OTHER_TITLE
    assert other.count == 7 + 17
    assert sum(group.count for group in groups) == 32
    found = await book.triage.list(GroupQuery())
    assert sum(sum(report.hours) for report in found) == 32
    assert (await book.triage.count("myapp", "prod", HOUR)).count == 32


async def test_the_next_hour_has_room_for_new_groups_again(book: Logbook) -> None:
    book.intake = book.new_intake(new_groups=1)
    async with running(book.intake):
        await flood(book, range(3))
        book.clock.time += HOUR
        await flood(book, range(3, 5))

    assert [group.is_other for group in await book.groups()] == [False, True, False]


async def test_a_flood_on_one_target_leaves_the_others_their_groups(book: Logbook) -> None:
    book.intake = book.new_intake(new_groups=1)
    async with running(book.intake):
        await flood(book, range(3))
        await book.take(make_event(environment="staging"))

    assert [group.environment for group in await book.groups() if not group.is_other] == [
        "prod",
        "staging",
    ]


async def test_the_group_of_others_is_resolved_and_comes_back_like_any(book: Logbook) -> None:
    book.intake = book.new_intake(new_groups=0)
    async with running(book.intake):
        await flood(book, range(2))
        await book.triage.resolve(1, ALICE)
        book.clock.time += MINUTE
        await book.take(make_event(at=book.clock.time))

    group = await book.only_group()
    assert (group.state, group.count) == (GroupState.OPEN, 3)
