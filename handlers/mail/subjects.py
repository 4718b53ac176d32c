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
    """The page of a subject by its name.

    Of a matter that is told to several people one by one in Slack (`A-17/2`), the first stands for all.
    """
    subject, _, number = name.partition("/")
    if number not in ("", "1"):
        return None
    return await find_subject(kinds, subject).page(kind)
