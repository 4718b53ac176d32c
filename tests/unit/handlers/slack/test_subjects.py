"""Finding what a message is about, and bringing one message up to date."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from handlers.slack.app import client_session, web_client
from handlers.slack.outlet import Outlet
from handlers.slack.subjects import Reply, Subject, Subjects, UnknownSubject
from handlers.slack.views.blocks import Message, message, section
from operations.outbox import NoticeKind
from tests.slack_stand_in import BOT_TOKEN, SlackStandIn, open_slack


class Counter:
    """A subject whose card tells its revision; it changes while it is being shown, so many times."""

    def __init__(self, number: int, changes: int = 0) -> None:
        self.number = number
        self.now = 1
        self.changes = changes

    async def revision(self) -> int:
        """As it is."""
        return self.now

    async def draw(self) -> Message:
        """And then somebody changes it."""
        text = f"{self.number} at {self.now}"
        if self.changes:
            self.changes -= 1
            self.now += 1
        return message(text, [section(text, block_id=f"X-{self.number}.card.{self.now}")])

    async def reply(self, kind: NoticeKind) -> Reply:
        """Nobody asks for it here."""
        raise AssertionError(kind)

    async def overtaken(self) -> str:
        """Nobody's."""
        return ""


@asynccontextmanager
async def outlet_of(slack: SlackStandIn) -> AsyncIterator[Outlet]:
    """What says things in Slack."""
    async with client_session() as session:
        yield Outlet(web_client(BOT_TOKEN, slack.api_url, session))


def test_a_subject_is_found_by_its_letter() -> None:
    """Each kind has its own."""
    subjects = Subjects({"D": Counter, "A": lambda number: Counter(-number)})

    assert _number(subjects.find("D-1042")) == 1042
    assert _number(subjects.find("A-17")) == -17


@pytest.mark.parametrize("name", ["", "D-", "D-0", "d-7", "B-7", "D-7 ", "A-1234567890123", "D-١"])
def test_no_other_name_means_anything(name: str) -> None:
    """Never a guess."""
    with pytest.raises(UnknownSubject):
        Subjects({"D": Counter, "A": Counter}).find(name)


@pytest.mark.parametrize(
    ("changes", "edits", "shown"),
    [(0, 1, "7 at 1"), (1, 2, "7 at 2"), (50, 3, "7 at 3")],
    ids=["nothing overtakes it", "one change does", "no end of changes"],
)
async def test_a_refresh_ends_with_the_truth(changes: int, edits: int, shown: str) -> None:
    """What overtakes the edit is shown too; what changes for ever is left to the outbox."""
    subject = Counter(7, changes)
    async with open_slack() as slack, outlet_of(slack) as outlet:
        posted = await outlet.post("C01GEN", message("old", [section("old", block_id="b")]))
        await Subjects({"X": lambda _: subject}).refresh(outlet, posted, "X-7")

        assert slack.calls.count("chat.update") == edits
        assert slack.messages[0].text == shown


def _number(subject: Subject) -> int:
    assert isinstance(subject, Counter)
    return subject.number
