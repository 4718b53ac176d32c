"""What a digest says: counts and spans of time only, so that it reads the same whoever reads it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.monitoring.digest.span import Span

FAILED = frozenset({"failed", "rolled_back", "unknown"})
"""Rollouts that ended so went wrong; `unknown` is one of which nobody can tell."""

SUCCEEDED = "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectErrors:
    """Errors of a project in the span, in the same hours of the day before, and of the week before."""

    project: str
    count: int
    day_before: int
    week_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """A group of errors as it was; `count` is of the span."""

    id: int
    project: str
    environment: str
    title: str
    count: int
    release: str = ""
    rollout: str = ""

    @property
    def label(self) -> str:
        """`E-12`."""
        return f"E-{self.id}"

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """`hours` are counts of everything by hour, `hours_before` those of the day before, oldest first.

    `new` are groups first seen in the span, the loudest first, `new_count` how many there are of them in
    all; `worst` are other open groups that were loud in it. Both lists hold but the first few.
    """

    projects: tuple[ProjectErrors, ...] = ()
    hours: tuple[int, ...] = ()
    hours_before: tuple[int, ...] = ()
    new: tuple[GroupLine, ...] = ()
    new_count: int = 0
    worst: tuple[GroupLine, ...] = ()

    @property
    def count(self) -> int:
        """Of all projects."""
        return sum(project.count for project in self.projects)

    @property
    def day_before(self) -> int:
        """Of all projects, in the same hours of the day before."""
        return sum(project.day_before for project in self.projects)

    @property
    def week_before(self) -> int:
        """Of all projects, in the same hours a week before."""
        return sum(project.week_before for project in self.projects)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAlert:
    """An alert that nobody has ended yet, as it was."""

    id: int
    name: str
    project: str
    environment: str
    since: datetime

    @property
    def label(self) -> str:
        """`A-17`."""
        return f"A-{self.id}"

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """How many fired, were acknowledged and were resolved in the span, whenever they had begun.

    The medians are from the firing on, of those acknowledged and of those resolved in the span; None when
    there is none. `open` are those still open, `open_count` how many there are of them in all.
    """

    fired: int = 0
    acknowledged: int = 0
    resolved: int = 0
    to_acknowledge: timedelta | None = None
    to_resolve: timedelta | None = None
    open: tuple[OpenAlert, ...] = ()
    open_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedRollout:
    """A rollout that ended in the span; `state` is how, in the words of history."""

    name: str
    project: str
    environment: str
    version: str
    state: str
    ended_at: datetime
    outcome: str = ""

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"

    @property
    def has_failed(self) -> bool:
        """Whether it went wrong; one that was cancelled or refused did not."""
        return self.state in FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollouts:
    """`live` and `failed` count those that were carried out, `withdrawn` those that ended before.

    `failures` names the failed ones. `marks` are the ends of those that touched a target, for the chart.
    `unreviewed` are emergencies that nobody has looked at since, whenever they ended, oldest first, and
    `unreviewed_count` how many there are of them in all.
    """

    live: int = 0
    failed: int = 0
    withdrawn: int = 0
    failures: tuple[EndedRollout, ...] = ()
    marks: tuple[EndedRollout, ...] = ()
    unreviewed: tuple[EndedRollout, ...] = ()
    unreviewed_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """How long a check was well and how long failing, as far as anybody knows.

    Left out of both: the time before enough answers, the time it was stopped, and the time after the last
    answer when none came any more. While HMS-SYS itself was down the last known state goes on.
    """

    check_id: str
    name: str
    project: str
    environment: str
    up: timedelta
    down: timedelta

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"

    @property
    def known(self) -> timedelta:
        """How long its state was known."""
        return self.up + self.down

    @property
    def permyriad(self) -> int | None:
        """Hundredths of a percent of the known time; None when nothing is known.

        Rounded down, so that 100 % means that it never failed.
        """
        return None if not self.known else 10_000 * self.up // self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What one digest says. `zone` is the name of the zone whose clocks its day goes by.

    `late` is how long after it was due it was made, nothing when it was made in time; `missed` how many
    before it were never made; `is_of_outage` whether HMS-SYS ran when it was due, but could not make it.
    """

    span: Span
    zone: str
    errors: Errors = Errors()
    alerts: Alerts = Alerts()
    rollouts: Rollouts = Rollouts()
    uptimes: tuple[Uptime, ...] = ()
    late: timedelta = timedelta(0)
    missed: int = 0
    is_of_outage: bool = False

    @property
    def items(self) -> tuple[str, ...]:
        """What it names that people act on, by its label: groups of errors and open alerts."""
        groups = (group.label for group in (*self.errors.new, *self.errors.worst))
        return tuple(dict.fromkeys([*groups, *(alert.label for alert in self.alerts.open)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDigest:
    """A digest in the database; `G-3` when it is a subject of messages.

    `key` is the day of a scheduled one (`2026-11-24`), else one of its own. `revision` rises with each
    change. `picture` is the file in Slack that holds its chart, "" none.
    """

    id: int
    key: str
    channel: str
    due_at: datetime
    made_at: datetime
    digest: Digest
    revision: int = 1
    picture: str = ""

    @property
    def label(self) -> str:
        """`G-3`."""
        return f"G-{self.id}"

    @property
    def is_scheduled(self) -> bool:
        """Whether it is the day's own, and not one that somebody asked for."""
        return not self.key.startswith(ASKED_FOR)


ASKED_FOR = "now:"
"""How the keys begin of those that somebody asked for."""
