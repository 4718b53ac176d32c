"""What the two databases have in common, for the code that speaks to either."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Any, Protocol

from operations.errors import StorageError
from storage.statements import Statement

STATEMENT_SECONDS = 10.0
"""The deadline of one statement. They take milliseconds; a longer one means trouble."""

TURN_SECONDS = 30.0
"""How long a writer waits for its turn, or for a connection of the pool."""


class Topic(StrEnum):
    """What waiting workers are woken for; on PostgreSQL the channel of NOTIFY."""

    ROLLOUTS = "hms_rollouts"
    NOTICES = "hms_notices"


class UniqueViolation(StorageError):
    """A row like this is there already. The caller knows what that means and says it."""


class Row(Protocol):
    """A row of either driver; the values are as the schema declares them, which no type can tell."""

    def __getitem__(self, name: str, /) -> Any: ...


class Bell:
    """Wakes everybody in this process who waits for a topic."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def next_ring(self) -> asyncio.Event:
        """Set by the next ring. Take it before looking at the database, and nothing is missed."""
        return self._event

    def ring(self) -> None:
        """Wake all who wait now."""
        self._event.set()
        self._event = asyncio.Event()


class Session(Protocol):
    """An open transaction on one connection."""

    @property
    def is_writing(self) -> bool: ...

    async def fetch(self, statement: Statement, **values: object) -> Sequence[Row]:
        """Run it and read every row; raises StorageError, StorageUnavailable or UniqueViolation."""
        ...

    async def run_each(self, statement: Statement, rows: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of the rows."""
        ...

    async def defer(self, statement: Statement, rows: Sequence[Mapping[str, object]]) -> None:
        """Like `run_each`, at the latest before whatever is run next, or before the commit.

        For a statement that the database has no reason to refuse: nobody waits here to hear of it.
        """
        ...

    async def take_turn(self) -> None:
        """Until the transaction ends, be the only one who appends to the audit trail."""
        ...

    async def hold(self, name: str) -> None:
        """Until the transaction ends, be the only one who holds this name."""
        ...

    def announce(self, topic: Topic) -> None:
        """Wake, once this is committed, those who wait for the topic, in every process."""
        ...


class Engine(Protocol):
    """One database."""

    @property
    def poll_seconds(self) -> float:
        """How often one who waits must look by themselves."""
        ...

    def session(self, *, writing: bool) -> AbstractAsyncContextManager[Session]:
        """A transaction, committed at the end of the block and rolled back when it raises."""
        ...

    def bell(self, topic: Topic) -> Bell: ...

    async def attend(self) -> None:
        """See to it that announcements of other processes are heard, if the database can tell."""
        ...

    async def close(self) -> None: ...


def require_writing(session: Session) -> None:
    """Raises StorageError in a reading transaction."""
    if not session.is_writing:
        raise StorageError("A reading transaction cannot change anything.")
