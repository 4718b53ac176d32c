"""What telling components asks of the outside world. All times are aware UTC."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from operations.audit import AuditEvent
from operations.integration.webhooks.delivery import Delivery, DeliveryState, Draft


class Feeds(Protocol):
    """Each component's place in the audit trail, within a transaction."""

    async def place(self, component: str) -> int:
        """The number of the last event that was made ready, locked.

        A component that is new begins at the newest event: it hears of what happens from now on.
        """
        ...

    async def newest(self) -> int:
        """The number of the trail's last event; 0 when it is empty."""
        ...

    async def events_after(self, number: int, *, limit: int) -> Sequence[tuple[int, AuditEvent]]:
        """The trail's next events with their numbers, in order."""
        ...

    async def advance(
        self, component: str, number: int, drafts: Sequence[Draft], now: datetime
    ) -> None:
        """Store calls, due at once, and the new place."""
        ...


class Transaction(Protocol):
    """All of it happens, or nothing."""

    @property
    def feeds(self) -> Feeds: ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]: ...

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]: ...


class DeliveryQueue(Protocol):
    """Calls that are due. Each method is a transaction of its own."""

    async def claim(
        self, components: Collection[str], now: datetime, until: datetime, *, limit: int
    ) -> Sequence[Delivery]:
        """Take due calls of these components, at most one of each subject, the oldest of it."""
        ...

    async def delivered(self, delivery: Delivery, now: datetime) -> None:
        """The component took it."""
        ...

    async def put_off(self, delivery: Delivery, until: datetime, error: str) -> None:
        """Tried in vain; again at `until`."""
        ...

    async def give_up(self, delivery: Delivery, error: str) -> None:
        """Dead: kept to be looked at, and to be sent again when somebody says so."""
        ...

    async def give_back(self, delivery: Delivery) -> None:
        """Not tried after all."""
        ...

    async def list(self, component: str, state: DeliveryState, *, limit: int) -> Sequence[Delivery]:
        """A component's calls in a state, newest first."""
        ...

    async def counts(self) -> Mapping[str, Mapping[DeliveryState, int]]:
        """How many there are by component and state."""
        ...

    async def replay(self, component: str, now: datetime) -> int:
        """Make every dead call of the component due again; how many there were."""
        ...

    async def forget(self, before: datetime, *, dead_before: datetime, limit: int) -> int:
        """Delete calls delivered before, those made before that nobody serves, and old dead ones.

        How many went.
        """
        ...


class Caller(Protocol):
    """Calls a component's address."""

    async def call(self, delivery: Delivery, body: str) -> None:
        """Sign and send it. Raises ProviderError; ProviderRejected when repeating cannot help."""
        ...
