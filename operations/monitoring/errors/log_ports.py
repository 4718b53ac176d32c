"""What reading logs asks of the outside world. All times are aware UTC."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class LogKind(StrEnum):
    """Where a log is kept; the value is the `source` of its events."""

    CLOUDWATCH = "cloudwatch"
    PODS = "pods"
    SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """One log of a target that is read again and again, `every` so often.

    `group` is CloudWatch's log group. `pattern` is a regular expression: what it matches is an error
    event; None: what says so of itself, and stack traces.
    """

    id: str
    kind: LogKind
    project: str
    environment: str
    every: timedelta
    group: str = ""
    pattern: str | None = None

    @property
    def title(self) -> str:
        """`CloudWatch /ecs/web of myapp/prod`, `pods of myapp/prod`."""
        where = f"CloudWatch {self.group}" if self.kind is LogKind.CLOUDWATCH else self.kind.value
        return f"{where} of {self.project}/{self.environment}"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line without its end. `at` None: the platform keeps no times. `stream` is a pod, a task, or ""."""

    at: datetime | None
    text: str
    stream: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """What a read brought, oldest first within each stream, and the cursor from which to go on.

    `more`: there is more to be had at once. `settled`: nothing that is here will be continued later.
    """

    lines: Sequence[LogLine]
    cursor: str
    more: bool = False
    settled: bool = False


class LogReader(Protocol):
    """Reads platforms' logs."""

    async def read(self, source: LogSource, cursor: str, *, limit: int) -> LogPage:
        """What came after `cursor`, about `limit` lines at most; "" begins at now, with nothing.

        Needs nothing but the cursor to go on, in any process. Raises ProviderError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LogClaim:
    """The right to read one source, until the claim runs out. `token` is this claim's alone.

    `failing_since`: when the source could be read last, None while it can.
    """

    source_id: str
    token: str
    cursor: str
    failures: int = 0
    failing_since: datetime | None = None


class LogCursors(Protocol):
    """Where reading stands, within a transaction."""

    async def move(self, claim: LogClaim, cursor: str, due_at: datetime) -> None:
        """Store the cursor, forget former failures and give the claim back.

        Raises LeaseLost when the claim is another's by now: what was read must not be stored then.
        """
        ...


class LogQueue(Protocol):
    """Which sources are due. Each call is a transaction of its own."""

    async def schedule(self, source_ids: Collection[str], now: datetime) -> None:
        """Make every source known that is not; a new one is due at once."""
        ...

    async def claim(
        self, source_ids: Collection[str], now: datetime, *, span: timedelta, limit: int
    ) -> Sequence[LogClaim]:
        """Take what is due and nobody else reads, for a span: in several replicas, each by one."""
        ...

    async def put_off(
        self, claim: LogClaim, due_at: datetime, *, error: str = "", now: datetime
    ) -> None:
        """Give a claim back with the cursor as it was; `error` says why it could not be read.

        Without one nothing was wrong with the source. A claim that is another's by now stays so.
        """
        ...
