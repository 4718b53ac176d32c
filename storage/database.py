"""One database, opened: what `bot` hands to the services and the workers."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from operations.clock import Clock
from operations.routing import Routing
from storage.address import SqliteAddress, parse_address
from storage.check_purges import SqlCheckPurges
from storage.check_queue import SqlCheckQueue
from storage.comparisons import SqlComparisons
from storage.deliveries import SqlDeliveryQueue
from storage.error_purges import SqlErrorPurges
from storage.fall_back_queue import SqlFallBackQueue
from storage.gauges import SqlGauges
from storage.imports import SqlImports
from storage.log_sources import SqlLogQueue
from storage.migration import migrate
from storage.notice_queue import SqlNoticeQueue
from storage.postgres import PostgresEngine
from storage.rollout_queue import SqlRolloutQueue
from storage.session import Engine
from storage.sqlite import SqliteEngine
from storage.statements import Statement
from storage.store import SqlStore
from storage.waiting import Now

_PING = Statement(sa.select(sa.literal_column("1").label("one")))


class Database:
    """Holds the connections. Close it, or use it as an async context manager."""

    def __init__(self, engine: Engine, now: Now, routing: Routing | None = None) -> None:
        self._engine = engine
        self.store = SqlStore(engine, routing)
        self.rollout_queue = SqlRolloutQueue(engine, now)
        self.notice_queue = SqlNoticeQueue(engine, now)
        self.fall_back_queue = SqlFallBackQueue(engine)
        self.check_queue = SqlCheckQueue(engine, now)
        self.check_purges = SqlCheckPurges(engine)
        self.error_purges = SqlErrorPurges(engine)
        self.log_queue = SqlLogQueue(engine)
        self.delivery_queue = SqlDeliveryQueue(engine)
        self.imports = SqlImports(engine)
        self.comparisons = SqlComparisons(engine)
        self.gauges = SqlGauges(engine)

    async def ping(self) -> None:
        """Raises StorageUnavailable when the database does not answer."""
        async with self._engine.session(writing=False) as session:
            await session.fetch(_PING)

    async def close(self) -> None:
        """Give every connection back; what is used afterwards raises StorageUnavailable."""
        await self._engine.close()

    async def __aenter__(self) -> Self:
        """Nothing more to open."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()


async def open_database(
    url: str, *, clock: Clock | None = None, routing: Routing | None = None, alone: bool = False
) -> Database:
    """Migrate the database and open it. `alone`: its sessions raise Refused while another process uses it.

    Raises what `storage.migration.migrate` raises. `clock` tells the queues what is due while they wait;
    without one they go by the machine's. `routing`: which ways notices go beside Slack; None: no other.
    """
    await migrate(url)
    address = parse_address(url)
    now = _wall_clock if clock is None else clock.now
    if isinstance(address, SqliteAddress):
        return Database(SqliteEngine(address.path, alone=alone), now, routing)
    return Database(PostgresEngine(address.dsn, alone=alone), now, routing)


def _wall_clock() -> datetime:
    return datetime.now(UTC)
