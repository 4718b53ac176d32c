"""`hms-sys migrate logs`: HMS-OPS's deployments become history and its errors events of the central log.

Everything in steps of a few hundred entries, each a transaction of its own: a bot that runs meanwhile gets
its turn in between, and who is killed goes on where the keys of what is stored end.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from bot.clock import SystemClock
from bot.config import load_config
from bot.config.sections.monitoring import Keep
from bot.legacy.import_report import ImportReport
from bot.legacy.log_files import LogFile, find_logs
from bot.legacy.log_merging import merge_logs
from bot.logins import actor_of_login
from bot.settings import load_settings
from handlers.cli.orders import LogsOrder
from operations.actor import Actor, ActorKind
from operations.audit import AuditEvent
from operations.deployment.release import Release
from operations.deployment.rollout import (
    UNKNOWN_VERSION,
    Phase,
    Rollout,
    RolloutKind,
    RolloutState,
)
from operations.errors import InvalidRequest
from operations.integration.legacy.old_errors import Reader
from operations.integration.legacy.old_logs import Finding, Nothing, OldLog
from operations.integration.legacy.records import DeploymentLine, DeploymentRecord, Deployments
from operations.monitoring.errors.event import Level
from operations.monitoring.errors.past import OldError, PastErrors, reach_of
from operations.redaction import shorten
from storage.database import Database, open_database

_TOGETHER = 500
_BREATH = 0.02
"""Seconds between two steps, for those who want to write."""

Found = tuple[LogFile, Finding]


async def migrate_logs(order: LogsOrder) -> int:
    """The exit code; raises InvalidRequest where there is no log, and what the database raises."""
    files = find_logs(order.path)
    zone, settings, now = _zone(order.timezone), load_settings(), SystemClock().now()
    config = load_config(settings.config_path) if settings.config_path.exists() else None
    keep = config.errors.keep if config else Keep()
    actor = actor_of_login(config.access.cli if config else {})
    report = ImportReport(dry_run=order.dry_run, days=keep.counts.days, files=files)

    def read(file: LogFile) -> Generator[Finding, None, None]:
        return _open(file, order, zone, now)

    async with await open_database(settings.database_url.get_secret_value()) as database:
        errors = PastErrors(database.store, reach_of(now, keep.events, keep.samples, keep.counts))
        async with _recorded(database, report, order, actor):
            await LogImport(database, errors, report).run(merge_logs(files, read))
    sys.stdout.write(report.document() if order.as_json else report.sentences())
    return 1 if report.unreadable else 0


@asynccontextmanager
async def _recorded(
    database: Database, report: ImportReport, order: LogsOrder, actor: Actor
) -> AsyncGenerator[None, None]:
    """One event for the run in the audit trail, also when it is broken off."""
    is_whole = False
    try:
        yield
        is_whole = True
    finally:
        if not report.dry_run:
            event = _event(report, order, actor, is_whole)
            async with database.store.transaction() as tx:
                await tx.audit.add(event)


def _event(report: ImportReport, order: LogsOrder, actor: Actor, is_whole: bool) -> AuditEvent:
    """Its subject is none that components hear of: an import is no rollout."""
    return AuditEvent(
        at=SystemClock().now(),
        actor=actor,
        action="history.imported",
        subject="history",
        detail={
            "path": shorten(order.path, limit=200),
            "deployments": str(report.deployments),
            "errors": str(report.errors),
            "ended": "whole" if is_whole else "broken off",
        },
    )


def _open(
    file: LogFile, order: LogsOrder, zone: ZoneInfo, now: datetime
) -> Generator[Finding, None, None]:
    only_errors = file.tells_only_errors
    reader = Reader(
        zone=zone,
        project=order.project,
        environment=order.environment,
        level=Level.ERROR if only_errors else Level.INFO,
    )
    return OldLog(reader, now, only_errors).read(file.lines(now))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise InvalidRequest(
            f"{name} is no time zone.", hint="Write one as Europe/London."
        ) from exc


@dataclass(slots=True)
class LogImport:
    """Stores what is found, and counts."""

    database: Database
    errors: PastErrors
    report: ImportReport
    _deployments: Deployments = field(default_factory=Deployments)
    _looked_at: set[str | int] = field(default_factory=set)

    async def run(self, found: Iterator[Found]) -> None:
        """All of it. Files are read in a thread."""
        while step := await asyncio.to_thread(lambda: list(islice(found, _TOGETHER))):
            rollouts, errors = self._sort(step)
            await self._add_rollouts(rollouts)
            await self._add_errors(errors)
            await asyncio.sleep(_BREATH)

    def _sort(self, step: Sequence[Found]) -> tuple[list[Rollout], list[OldError]]:
        rollouts: list[Rollout] = []
        errors: list[OldError] = []
        for file, finding in step:
            match finding.told:
                case Nothing() as why:
                    self.report.add_nothing(file, finding, why)
                case DeploymentLine() as line:
                    record = self._deployments.take(line)
                    if record is None:
                        self.report.add_nothing(file, finding, Nothing.OTHER)
                    else:
                        rollouts.append(_rollout(record))
                case OldError() as error if error.event.at < self.errors.reach.counts:
                    self.report.too_old += 1
                case OldError() as error:
                    errors.append(error)
        return rollouts, errors

    async def _add_rollouts(self, rollouts: Sequence[Rollout]) -> None:
        if not rollouts:
            return
        if self.report.dry_run:
            stored = await self._count_rollouts(rollouts)
        else:
            stored = await self.database.imports.add(rollouts)
        self.report.deployments += stored
        self.report.known_deployments += len(rollouts) - stored

    async def _add_errors(self, errors: Sequence[OldError]) -> None:
        if not errors:
            return
        if self.report.dry_run:
            stored = await self._count_errors({each.key for each in errors})
        else:
            stored = await self.errors.add(errors)
        self.report.errors += stored
        self.report.known_errors += len(errors) - stored

    async def _count_rollouts(self, rollouts: Sequence[Rollout]) -> int:
        missing = await self.database.imports.missing(rollouts)
        new = {each.external_id for each in missing} - self._looked_at
        self._looked_at |= new
        return len(new)

    async def _count_errors(self, keys: set[int]) -> int:
        async with self.database.store.snapshot() as tx:
            new = keys - await tx.imported_errors.known(keys) - self._looked_at
        self._looked_at |= new
        return len(new)


def _rollout(record: DeploymentRecord) -> Rollout:
    version = record.version or UNKNOWN_VERSION
    return Rollout(
        id=0,
        project=record.project,
        environment=record.environment,
        provider=record.provider or "unknown",
        kind=RolloutKind.IMPORT,
        release=Release(version=version, artifact=""),
        previous=None,
        requested_by=Actor(
            id=f"hms-ops:{record.by or 'unknown'}", kind=ActorKind.CLI, name=record.by
        ),
        requested_at=record.began_at,
        reason="imported from HMS-OPS",
        external_id=record.key,
        state=RolloutState.SUCCEEDED if record.is_success else RolloutState.FAILED,
        phase=Phase.DONE,
        started_at=record.began_at,
        ended_at=record.ended_at,
        outcome=record.text,
    )
