"""What goes where nothing can be edited or pressed: a whole message, sent once. And who takes it there.

A letter is drawn already. Not the place for how it looks (`handlers.mail`) nor for how it travels
(`providers.mail`, `providers.notify`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Tone(StrEnum):
    """What kind of news it is, for ways that have colours and urgencies for it."""

    BAD = "bad"
    GOOD = "good"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG that the HTML shows as `cid:NAME`."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """`id` is the same however often this version of this matter is sent (`A-17.card.1.t8x2k4`).

    `thread` is the `id` of the first letter about the matter, "" in that one itself.
    """

    id: str
    thread: str
    title: str
    text: str
    html: str
    tone: Tone
    at: datetime
    pictures: tuple[Picture, ...] = ()


class Courier(Protocol):
    """One way out of the house."""

    async def send(self, letter: Letter) -> None:
        """Return when the other side has taken it.

        Raises ProviderUnavailable (a retry may help), ProviderRejected or ProviderUnauthorized (it will
        not), OutcomeUnknown when all was sent and no answer came.
        """
        ...
