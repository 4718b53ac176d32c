"""What people ask of errors and do about them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from operations.errors import InvalidRequest, NotPermitted, StaleDecision
from operations.monitoring.errors.group import Change, GroupQuery, GroupState
from tests.factories import ALICE, BOB, NOBODY, NOON
from tests.unit.operations.monitoring.errors.logbook import (
    MINUTE,
    Logbook,
    make_event,
    open_logbook,
)

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def book(tmp_path: Path) -> AsyncIterator[Logbook]:
    async with open_logbook(tmp_path) as opened:
        yield opened


async def test_a_listed_group_has_the_counts_of_24_hours(book: Logbook) -> None:
    for ago, number in {0: 3, 1: 2, 23: 1, 24: 9}.items():
        await book.take(*[make_event(at=NOON - ago * HOUR)] * number)

    [report] = await book.triage.list(GroupQuery())

    assert list(report.hours) == [1, *[0] * 21, 2, 3]
    assert report.group.count == 15


async def test_a_group_is_shown_with_samples_and_with_what_changed_before(book: Logbook) -> None:
    change = Change(at=NOON - HOUR, subject="D-1042", text="shipped 1.4.2")
    book.releases.changed = [change]
    await book.take(make_event(message="user 1 gone"))
    await book.take(make_event(message="user 2 gone", at=NOON + MINUTE))

    detail = await book.triage.show(1)

    assert detail.report.group.label == "E-1"
    assert [sample.message for sample in detail.samples] == ["user 2 gone", "user 1 gone"]
    assert detail.changes == [change]
    assert book.releases.questions == [("myapp", "prod", NOON - 24 * HOUR, NOON)]


async def test_a_group_is_shown_also_when_nobody_knows_what_changed(book: Logbook) -> None:
    await book.take(make_event())
    book.releases.is_down = True

    assert (await book.triage.show(1)).changes == ()


async def test_a_group_that_there_is_not_is_said_to_be_none(book: Logbook) -> None:
    with pytest.raises(InvalidRequest, match="no error E-7"):
        await book.triage.show(7)
    with pytest.raises(InvalidRequest, match="no error E-7"):
        await book.triage.resolve(7, ALICE)


async def test_a_resolved_group_is_not_listed_and_says_who_did_it(book: Logbook) -> None:
    await book.take(make_event())

    resolved = await book.triage.resolve(1, ALICE)

    assert (resolved.state, resolved.resolved_by) == (GroupState.RESOLVED, ALICE)
    assert resolved == await book.only_group()
    assert await book.listed() == []
    [event] = await book.trail("E-1")
    assert (event.action, event.actor.id) == ("error.resolved", ALICE.id)


async def test_what_is_resolved_cannot_be_decided_again(book: Logbook) -> None:
    await book.take(make_event())
    await book.triage.resolve(1, ALICE)

    with pytest.raises(StaleDecision):
        await book.triage.resolve(1, BOB)
    with pytest.raises(StaleDecision):
        await book.triage.silence(1, BOB, HOUR)


async def test_a_silenced_group_stays_listed_with_its_mark(book: Logbook) -> None:
    await book.take(make_event())

    silenced = await book.triage.silence(1, ALICE, HOUR)

    assert (silenced.silenced_by, silenced.silenced_until) == (ALICE, NOON + HOUR)
    assert await book.listed() == ["TimeoutError: no answer"]
    assert [event.action for event in await book.trail("E-1")] == ["error.silenced"]


@pytest.mark.parametrize("span", [timedelta(0), timedelta(days=31)])
async def test_a_silence_has_an_end_that_can_be(book: Logbook, span: timedelta) -> None:
    await book.take(make_event())

    with pytest.raises(InvalidRequest):
        await book.triage.silence(1, ALICE, span)


async def test_who_is_no_known_person_may_not_decide(book: Logbook) -> None:
    await book.take(make_event())

    with pytest.raises(NotPermitted):
        await book.triage.resolve(1, NOBODY)
    with pytest.raises(NotPermitted):
        await book.triage.silence(1, NOBODY, HOUR)
    assert (await book.only_group()).revision == 1


async def test_errors_of_a_span_are_counted_with_the_worst_group(book: Logbook) -> None:
    await book.take(
        *[make_event(message="rare", fields={})] * 2,
        *[make_event(message="often", fields={})] * 5,
        *[make_event(message="elsewhere", environment="staging")] * 99,
        *[make_event(message="old", fields={}, at=NOON - 3 * HOUR)] * 50,
    )

    count = await book.triage.count("myapp", "prod", timedelta(minutes=5))
    longer = await book.triage.count("myapp", "prod", timedelta(days=2))

    assert count.worst is not None
    assert (count.count, count.span, count.worst.title) == (7, timedelta(minutes=5), "often")
    assert longer.count == 57


async def test_no_errors_are_counted_as_none(book: Logbook) -> None:
    count = await book.triage.count("myapp", "prod", timedelta(minutes=5))

    assert (count.count, count.worst) == (0, None)
