"""Delivery of letters over the real outbox, with a courier of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.delivery import Counter, Tempo
from handlers.mail.notices import LetterNotices, Way, letter_id
from handlers.mail.pages import Line, Page
from handlers.subjects import UnknownSubject
from operations.errors import (
    OperationError,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.letters import Letter, Tone
from operations.outbox import MAIL, SLACK, Notice, NoticeKind, Urgency
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import NOON
from tests.slack_stand_in import until
from tests.workshops import ShiftedClock, run_plainly

CARD, ENDED = NoticeKind.CARD, NoticeKind.ENDED
BRISK = Tempo(idle_seconds=0.02, first_pause_seconds=0.02, refused_seconds=600, patience=2)


@dataclass
class Courier:
    """Takes what it is given, after the errors that wait."""

    errors: list[OperationError] = field(default_factory=list)
    taken: list[Letter] = field(default_factory=list)
    tried: int = 0
    hold: asyncio.Event | None = None

    async def send(self, letter: Letter) -> None:
        """One attempt."""
        self.tried += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(letter)


@dataclass
class Matter:
    """A subject whose page is a number that a test counts up."""

    number: int = 1
    is_over: bool = False

    async def page(self, kind: NoticeKind) -> Page | None:
        """As it is now."""
        if self.is_over and kind is CARD:
            return None
        title = f"{kind} {self.number}"
        return Page(title=title, headline=title, tone=Tone.PLAIN, parts=[Line("text")])


@dataclass
class Desk:
    """What a test works with."""

    database: Database
    clock: ShiftedClock
    courier: Courier
    matter: Matter

    async def put(self, subject: str = "A-1", kind: NoticeKind = CARD, route: str = MAIL) -> None:
        """Make it due."""
        notice = Notice(subject=subject, kind=kind, channel="C1", urgency=Urgency(0), route=route)
        async with self.database.store.transaction() as tx:
            await tx.notices.put(notice, self.clock.now())

    async def fail_in_slack(self) -> None:
        """An attempt of all that is due there."""
        now = self.clock.now()
        queue = self.database.notice_queue
        for claimed in await queue.claim("slack", now, now + timedelta(minutes=1), limit=9):
            await queue.postpone(claimed, now, "It is down.", uncertain=False)

    async def quiet(self, left: int = 0) -> None:
        """Wait until nothing is due any more, but for so many in Slack."""

        async def is_empty() -> bool:
            return await self.database.notice_queue.depth() == left

        await until(is_empty)

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Deliver meanwhile."""

        def find(number: int) -> Matter:
            if number > 9:
                raise UnknownSubject("gone")
            return self.matter

        counter = Counter(
            owner="one",
            route=MAIL,
            queue=self.database.notice_queue,
            clock=self.clock,
            guard=run_plainly,
        )
        notices = LetterNotices(counter, Way({"A": find}, self.courier), BRISK)
        async with asyncio.TaskGroup() as group:
            worker = group.create_task(notices.run())
            try:
                yield
            finally:
                worker.cancel()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = ShiftedClock()
    async with await open_sqlite(tmp_path, clock=clock) as database:
        yield Desk(database, clock, Courier(), Matter())


async def test_later_letters_answer_the_first(desk: Desk) -> None:
    async with desk.delivering():
        for kind in (CARD, CARD, ENDED):
            await desk.put(kind=kind)
            desk.clock.ahead += timedelta(minutes=1)
            await desk.quiet()

    first, second, end = desk.courier.taken
    assert first.thread == ""
    assert second.thread == end.thread == first.id
    assert len({first.id, second.id, end.id}) == 3


async def test_what_changed_while_nobody_could_be_told_is_told_once(desk: Desk) -> None:
    await desk.put()
    desk.matter.number = 2
    await desk.put()
    async with desk.delivering():
        await desk.quiet()

    assert [letter.title for letter in desk.courier.taken] == ["card 2"]


async def test_what_has_nothing_to_tell_any_more_is_done(desk: Desk) -> None:
    desk.matter.is_over = True
    await desk.put()
    await desk.put(kind=ENDED)
    async with desk.delivering():
        await desk.quiet()

    (end,) = desk.courier.taken
    assert (end.title, end.thread) == ("ended 1", "")


@pytest.mark.parametrize("subject", ["A-10", "Z-1", "nonsense"])
async def test_what_nobody_knows_is_dropped(desk: Desk, subject: str) -> None:
    await desk.put(subject)
    async with desk.delivering():
        await desk.quiet()

    assert desk.courier.tried == 0


async def test_what_several_should_have_been_told_in_slack_is_one_letter_in_the_thread(
    desk: Desk,
) -> None:
    for number in (1, 2, 3):
        await desk.put(f"A-1/{number}", NoticeKind.ESCALATED, SLACK)
    await desk.fail_in_slack()
    async with desk.delivering():
        await desk.put()
        await until(lambda: len(desk.courier.taken) == 1)
        for number in (1, 2, 3):
            await desk.put(f"A-1/{number}", NoticeKind.ESCALATED)
        await desk.quiet(left=3)

    first, second = desk.courier.taken
    assert (second.title, second.thread) == ("escalated 1", first.id)


async def test_one_of_several_whom_slack_does_not_reach_is_a_letter(desk: Desk) -> None:
    await desk.put("A-1/2", NoticeKind.ESCALATED, SLACK)
    await desk.fail_in_slack()
    await desk.put("A-1/2", NoticeKind.ESCALATED)
    async with desk.delivering():
        await desk.quiet(left=1)

    assert len(desk.courier.taken) == 1


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnavailable("busy"),
        OutcomeUnknown("lost"),
        ProviderUnavailable("n", retry_after=0.05),
    ],
    ids=["down", "lost", "busy"],
)
async def test_a_failed_attempt_is_repeated_under_the_same_id(
    desk: Desk, error: OperationError
) -> None:
    desk.courier.errors = [error]
    await desk.put()
    async with desk.delivering():
        await until(lambda: desk.courier.tried == 1)
        await desk.quiet()

    assert desk.courier.tried == 2
    (notice_letter,) = desk.courier.taken
    assert notice_letter.id.startswith("A-1.card.1.")


@pytest.mark.parametrize("refusal", [ProviderRejected("550"), ProviderUnauthorized("535")])
async def test_a_refusal_waits_long_and_is_logged(
    desk: Desk, refusal: OperationError, caplog: pytest.LogCaptureFixture
) -> None:
    desk.courier.errors = [refusal]
    await desk.put()
    async with desk.delivering():
        await until(lambda: "mail A-1 card waits 600 s" in caplog.text)
        desk.clock.ahead += timedelta(minutes=11)
        await desk.put("A-2")  # wakes the worker
        await desk.quiet()

    assert len(desk.courier.taken) == 2
    assert "ERROR" in caplog.text


async def test_after_some_refusals_it_is_tried_hourly(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.courier.errors = [ProviderRejected("550")] * 3
    await desk.put()
    async with desk.delivering():
        for _ in range(2):
            tried = desk.courier.tried
            desk.clock.ahead += timedelta(minutes=11)
            await until(lambda tried=tried: desk.courier.tried > tried)
        desk.clock.ahead += timedelta(minutes=11)
        await until(lambda: "waits 3600 s" in caplog.text)


async def test_stopped_in_the_midst_it_is_sent_again_by_the_next(desk: Desk) -> None:
    desk.courier.hold = asyncio.Event()
    await desk.put()
    async with desk.delivering():
        await until(lambda: desk.courier.tried == 1)
    desk.courier.hold = None
    async with desk.delivering():
        await desk.quiet()

    assert len(desk.courier.taken) == 1


async def test_slack_s_notices_are_left_to_slack(desk: Desk) -> None:
    await desk.put(route=SLACK)
    await desk.put("A-2")
    async with desk.delivering():
        await until(lambda: len(desk.courier.taken) == 1)

    assert await desk.database.notice_queue.depth() == 1


async def test_that_slack_has_not_taken_it_is_said_when_it_is_late(desk: Desk) -> None:
    for subject in ("A-1", "A-2"):
        await desk.put(subject, route=SLACK)
    await desk.fail_in_slack()
    async with desk.delivering():
        await desk.put("A-1")
        await until(lambda: len(desk.courier.taken) == 1)
        desk.clock.ahead += timedelta(minutes=3)
        await desk.put("A-2")
        await until(lambda: len(desk.courier.taken) == 2)

    early, late = desk.courier.taken
    assert "Slack" not in early.text
    assert "Slack cannot be reached: it has not taken this since" in late.text
    assert "(It is down)" in late.html


def test_a_database_that_is_begun_anew_gives_other_ids() -> None:
    one = Notice(
        subject="A-1", kind=CARD, channel="", urgency=Urgency(0), version=1, created_at=NOON
    )
    later = Notice(
        subject="A-1",
        kind=CARD,
        channel="",
        urgency=Urgency(0),
        version=1,
        created_at=NOON + timedelta(microseconds=1),
    )

    assert letter_id(one) != letter_id(later)
