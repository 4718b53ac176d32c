"""What the command line is given by the process that starts it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta

from handlers.cli.orders import (
    AuditOrder,
    BackupOrder,
    ComponentsOrder,
    LogsOrder,
    MigrateOrder,
    ReferencesOrder,
    RestoredOrder,
)
from handlers.tickets import Tickets
from operations.actor import Actor
from operations.audit import Recorded
from operations.clock import Clock
from operations.deployment.aftermath import Settled
from operations.deployment.service import Deployments
from operations.diagnosis import Finding
from operations.guard import Guard
from operations.monitoring.alerting import Alerting
from operations.monitoring.digest.digests import Digests
from operations.monitoring.errors.triage import Triage

Program = Callable[[], int | Coroutine[object, object, int]]
"""A command of its own: returns its exit code, or a coroutine of it."""


Trail = Callable[[timedelta | None], AsyncGenerator[Recorded, None]]
"""The audit trail, oldest first, of the last so long; None: all of it."""


Settle = Callable[[RestoredOrder], Awaitable[Settled]]
"""Makes a database that was put back fit for use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CliServices:
    """`actor` is who the login counts as. `names` are Slack users' ids and what to call them.

    `carry_out` carries a rollout out unless a bot does, and returns once it has ended
    (`Worker.carry_out`). `poll_seconds` pass between two looks at a rollout that is waited for.
    """

    deployments: Deployments
    alerting: Alerting
    actor: Actor
    clock: Clock
    carry_out: Callable[[int], Awaitable[None]]
    triage: Triage
    digests: Digests | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    tickets: Tickets = field(default_factory=Tickets)
    poll_seconds: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What only the composition root can do. All may raise errors of `operations.errors`.

    `open_services` is told whether they are only asked, and change nothing.
    """

    open_services: Callable[[bool], AbstractAsyncContextManager[CliServices]]
    guard: Guard
    serve: Program
    sandbox: Program
    config_check: Program
    config_schema: Program
    config_migrate: Callable[[MigrateOrder], int]
    migrate_audit: Callable[[AuditOrder], int]
    migrate_references: Callable[[ReferencesOrder], int]
    migrate_logs: Callable[[LogsOrder], Coroutine[object, object, int]]
    migrate_status: Callable[[bool], Coroutine[object, object, int]]
    db_upgrade: Program
    db_backup: Callable[[BackupOrder], Coroutine[object, object, int]]
    db_restored: Settle
    audit_verify: Program
    audit_trail: Trail
    doctor: Callable[[], Awaitable[Sequence[Finding]]]
    components: Callable[[ComponentsOrder], Coroutine[object, object, int]]
