"""Transactions over all of operations' tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from operations.routing import Routing
from storage.alerts import SqlAlerts
from storage.audit import SqlAuditLog
from storage.checks import SqlChecks
from storage.digest_sources import SqlDigestSources
from storage.digests import SqlDigests
from storage.error_counts import SqlErrorCounts
from storage.error_groups import SqlErrorGroups
from storage.event_batches import SqlBatchKeys
from storage.events import SqlEvents
from storage.feeds import SqlFeeds
from storage.imported_errors import SqlImportedErrors
from storage.locks import SqlLocks
from storage.log_sources import SqlLogCursors
from storage.notices import SqlNotices
from storage.repeats import SqlRepeats
from storage.restoration import SqlRestoration
from storage.rollouts import SqlRollouts
from storage.session import Engine, Session
from storage.standings import SqlStandings


class SqlTransaction:
    """The ports `Transaction` of deployment and of monitoring."""

    def __init__(self, session: Session, routing: Routing) -> None:
        self.rollouts = SqlRollouts(session)
        self.standings = SqlStandings(session)
        self.locks = SqlLocks(session)
        self.audit = SqlAuditLog(session)
        self.notices = SqlNotices(session, routing)
        self.checks = SqlChecks(session)
        self.alerts = SqlAlerts(session)
        self.digests = SqlDigests(session)
        self.digest_sources = SqlDigestSources(session)
        self.repeats = SqlRepeats(session)
        self.groups = SqlErrorGroups(session)
        self.counts = SqlErrorCounts(session)
        self.events = SqlEvents(session)
        self.batch_keys = SqlBatchKeys(session)
        self.log_sources = SqlLogCursors(session)
        self.imported_errors = SqlImportedErrors(session)
        self.feeds = SqlFeeds(session)
        self.restoration = SqlRestoration(session)


class SqlStore:
    """The ports `Store` of deployment and of monitoring."""

    def __init__(self, engine: Engine, routing: Routing | None = None) -> None:
        self._engine = engine
        self._routing = routing or Routing()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqlTransaction]:
        """A writing transaction. One within another of the same task would wait for itself."""
        async with self._engine.session(writing=True) as session:
            transaction = SqlTransaction(session, self._routing)
            yield transaction
            await transaction.notices.write()
            await transaction.audit.write()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[SqlTransaction]:
        """A reading transaction: one state of everything, however long it takes."""
        async with self._engine.session(writing=False) as session:
            yield SqlTransaction(session, self._routing)
