"""What a letter may be about, by the letter that names begin with; the twin of `handlers.slack.subjects`.

To add a kind: one implementation of `Subject`, one line where the ways are put together (`bot.letters`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from handlers.mail.pages import Page
from handlers.subjects import find_subject
from operations.outbox import NoticeKind


class Subject(Protocol):
    """One matter."""

    async def page(self, kind: NoticeKind) -> Page | None:
        """It as it is by now; None when nothing of this kind is to be told any more.

        What has ended is told by its end alone, however many notices waited. Raises UnknownSubject.
        """
        ...


Kinds = Mapping[str, Callable[[int], Subject]]


async def draw(kinds: Kinds, name: str, kind: NoticeKind) -> Page | None:
    """The page of a subject by its name; `A-17/2` is one of several messages about `A-17`."""
    return await find_subject(kinds, subject_of(name)).page(kind)


def subject_of(name: str) -> str:
    """`A-17` of `A-17/2`."""
    return name.partition("/")[0]


def earlier_of(name: str) -> list[str]:
    """`A-17/1` and `A-17/2` of `A-17/3`: those before it among messages that say the same."""
    subject, _, number = name.partition("/")
    count = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
    return [f"{subject}/{each}" for each in range(1, count)]
