"""What a message may be about: `D-1042` is a rollout, `A-17` an alert, and each knows how it is told.

Delivery and buttons know subjects by name only, so that what holds for one kind (posted once, looked for
when in doubt, paced, brought up to date after a late click) holds for every kind. To add a kind: one
implementation of `Subject`, one line in `app.build_slack`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from handlers.slack.outlet import Outlet
from handlers.slack.views.blocks import Message
from handlers.subjects import UnknownSubject as UnknownSubject
from handlers.subjects import find_subject
from operations.outbox import NoticeKind, PostedMessage

_REDRAWS = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes into the thread; `broadcast`: the whole channel hears of it."""

    message: Message
    broadcast: bool = False


class Subject(Protocol):
    """One matter. Each call reads it as it is by then; raises UnknownSubject when it is gone."""

    async def revision(self) -> int:
        """Rises with every change of what the card shows."""
        ...

    async def draw(self) -> Message:
        """The card: the one message that moves."""
        ...

    async def reply(self, kind: NoticeKind) -> Reply:
        """What is told in the card's thread."""
        ...

    async def overtaken(self) -> str:
        """Whose card shows too much now that this one has moved on; "" nobody's."""
        ...


@runtime_checkable
class Illustrated(Protocol):
    """A subject that has a picture in its card's thread."""

    async def illustrate(self, card: PostedMessage) -> None:
        """Put it there, once; raises ProviderUnavailable when that may work later."""
        ...


class Subjects:
    """Finds subjects by name. `kinds` by the letter that their names begin with."""

    def __init__(self, kinds: Mapping[str, Callable[[int], Subject]]) -> None:
        self._kinds = kinds

    def find(self, name: str) -> Subject:
        """Raises UnknownSubject when no subject can have this name."""
        return find_subject(self._kinds, name)

    async def draw(self, name: str, kind: NoticeKind = NoticeKind.CARD) -> Message:
        """One of the subject's messages as it is now."""
        subject = self.find(name)
        if kind is NoticeKind.CARD:
            return await subject.draw()
        return (await subject.reply(kind)).message

    async def refresh(
        self,
        outlet: Outlet,
        posted: PostedMessage,
        name: str,
        kind: NoticeKind = NoticeKind.CARD,
    ) -> None:
        """Bring one message up to date after a click on something that was over.

        Another edit may overtake this one, so the subject is read again after it was shown.
        """
        subject = self.find(name)
        shown = -1
        for _ in range(_REDRAWS):
            revision = await subject.revision()
            if revision == shown:
                return
            await outlet.edit(posted, await self.draw(name, kind))
            shown = revision
