"""What monitoring asks of the outside world. All times are aware UTC."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from operations.audit import AuditEvent
from operations.monitoring.alert import Alert, AlertDraft, AlertPage, AlertQuery
from operations.monitoring.check import Check, CheckRecord, Flip, Observation
from operations.outbox import Notice, NoticeKind


class Prober(Protocol):
    """Asks one question."""

    async def ask(self, check: Check) -> Observation:
        """Within the check's timeout. Never raises: what cannot be asked is INCONCLUSIVE or ERROR."""
        ...


class Surroundings(Protocol):
    """What else goes on at a target."""

    async def rollout_at(self, project: str, environment: str, since: datetime) -> str:
        """The name of the rollout that is under way, or ended after `since`; "" when there is none."""
        ...


class Checks(Protocol):
    """Checks in the database, within a transaction."""

    async def get(self, check_id: str, *, lock: bool = False) -> CheckRecord:
        """The record; an empty one for a check that was never asked.

        With `lock`, nobody else can change it, or make it, until the transaction ends.
        """
        ...

    async def save(self, record: CheckRecord) -> None:
        """Store every field but `due_at`."""
        ...

    async def all(self) -> Sequence[CheckRecord]:
        """Every record."""
        ...

    async def flipped(self, flip: Flip) -> None:
        """Store a change of state."""
        ...

    async def flips(self, check_id: str) -> Sequence[Flip]:
        """A check's changes of state, oldest first."""
        ...


class Alerts(Protocol):
    """Alerts in the database, within a transaction."""

    async def add(self, draft: AlertDraft) -> Alert:
        """Store a new one, firing; ids rise from 1. Raises StorageError when the check has an open one."""
        ...

    async def get(self, alert_id: int, *, lock: bool = False) -> Alert | None:
        """Read one; with `lock`, nobody else can change it until the transaction ends."""
        ...

    async def hold(self, project: str, environment: str) -> None:
        """Until the transaction ends, be the only one who changes the target's alerts."""
        ...

    async def open_for(self, check_id: str) -> Alert | None:
        """The check's open alert."""
        ...

    async def open_at(self, project: str, environment: str) -> Sequence[Alert]:
        """Those of a target that are open, oldest first."""
        ...

    async def led_by(self, alert_id: int) -> Sequence[Alert]:
        """Those that are or were told in this one's message, oldest first."""
        ...

    async def open(self) -> Sequence[Alert]:
        """All that are open, oldest first."""
        ...

    async def search(self, query: AlertQuery) -> AlertPage:
        """A page of all there were, newest first."""
        ...

    async def save(self, alert: Alert) -> Alert:
        """Store it and raise `revision`; raises VersionConflict when it changed since it was read."""
        ...


class AuditTrail(Protocol):
    """The append-only trail."""

    async def add(self, event: AuditEvent) -> None: ...

    async def of(self, subject: str) -> Sequence[AuditEvent]: ...


class Outbox(Protocol):
    """What people are to be told."""

    async def put(self, notice: Notice, now: datetime) -> None: ...

    async def redraw(self, subject: str, kind: NoticeKind, now: datetime) -> None:
        """Make a message in Slack due again that was put before, to show what has changed.

        Without one it does nothing. Whoever follows the subject on another way is told nothing.
        """
        ...


class Mentions(Protocol):
    """Messages about other matters that name alerts and groups of errors, within a transaction."""

    async def naming(self, subjects: Collection[str], since: datetime) -> Sequence[str]:
        """Digests made since then that name any of these (`E-12`, `A-17`), by label, oldest first."""
        ...


class Transaction(Protocol):
    """All of it happens, or nothing."""

    @property
    def checks(self) -> Checks: ...

    @property
    def alerts(self) -> Alerts: ...

    @property
    def audit(self) -> AuditTrail: ...

    @property
    def notices(self) -> Outbox: ...

    @property
    def digests(self) -> Mentions: ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A writing transaction."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]:
        """A reading transaction."""
        ...


class CheckQueue(Protocol):
    """Which checks are due. Each call is a transaction of its own."""

    async def schedule(self, checks: Collection[Check], now: datetime) -> None:
        """Make every check known that is not, with first times spread evenly over its interval."""
        ...

    async def claim(
        self, checks: Collection[Check], now: datetime, *, limit: int
    ) -> Sequence[tuple[Check, datetime]]:
        """Take what is due and not stopped, each with the time it was due, and set its next time.

        In several replicas each due check is taken once. A check that is late skips what it missed.
        """
        ...

    async def next_due(self, checks: Collection[Check]) -> timedelta | None:
        """How long until something is due by the clock; None when nothing will be."""
        ...
