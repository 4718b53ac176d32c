"""What was said, understood: one value per verb. Names are as people wrote them, not yet looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from operations.deployment.start_time import StartTime


@dataclass(frozen=True, slots=True)
class Deploy:
    """`version` "": what runs now, or the branch's head. `provider` "": the word was left out.

    `at` None: as soon as it may.
    """

    project: str
    environment: str
    version: str = ""
    provider: str = ""
    reason: str = ""
    at: StartTime | None = None
    emergency: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class DeployForm:
    """`deploy` alone: Slack opens a form."""


@dataclass(frozen=True, slots=True)
class Status:
    """All empty: the whole fleet. `provider` alone: the fleet on that provider."""

    project: str = ""
    environment: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Approve:
    """A vote in favour."""

    rollout_id: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A vote against."""

    rollout_id: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """End a rollout that waits, stop one that runs."""

    rollout_id: int


@dataclass(frozen=True, slots=True)
class Why:
    """What stands in the way of a deploy now."""

    project: str
    environment: str


@dataclass(frozen=True, slots=True)
class Rollback:
    """`version` "": the former one."""

    project: str
    environment: str
    version: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Promote:
    """Bring what is live in `source` to `destination`; both are environments."""

    project: str
    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class History:
    """`by` is a Slack user's id or a name, without any `@`. `unreviewed`: emergencies nobody looked at."""

    project: str = ""
    environment: str = ""
    by: str = ""
    since: timedelta | None = None
    limit: int = 20
    unreviewed: bool = False


@dataclass(frozen=True, slots=True)
class Show:
    """One rollout and its timeline."""

    rollout_id: int


@dataclass(frozen=True, slots=True)
class Review:
    """Say that one has looked at an emergency that is over."""

    rollout_id: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stats:
    """How deploying goes. `project` "": all of them; `since` None: 30 days."""

    project: str = ""
    since: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Doctor:
    """What is wrong with the bot's own connections, in Slack; the command line has a program for it."""


@dataclass(frozen=True, slots=True)
class Lock:
    """`span` None: until somebody unlocks."""

    project: str
    environment: str
    reason: str = ""
    span: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Unlock:
    """Lift a lock."""

    project: str
    environment: str


@dataclass(frozen=True, slots=True)
class Logs:
    """The newest lines of the application's log; `follow` is the command line's only."""

    project: str
    environment: str
    lines: int = 50
    since: timedelta | None = None
    follow: bool = False


class MonitorAction(StrEnum):
    """What is done with checks."""

    START = "start"
    STOP = "stop"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Monitor:
    """Checks of everything, of a project, or of one target."""

    action: MonitorAction
    project: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody looks after an alert."""

    alert_id: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody wants to hear of an alert for so long."""

    alert_id: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Errors:
    """Groups of errors, the worst first; with `group_id` (`E-12`) that one, and nothing else counts.

    `since` None: a day.
    """

    count: int = 20
    group_id: int | None = None
    project: str = ""
    environment: str = ""
    since: timedelta | None = None
    newest: bool = False


class DigestAction(StrEnum):
    """What is done with a digest."""

    READ = ""
    NOW = "now"


@dataclass(frozen=True, slots=True)
class Digest:
    """What the daily summary would say now, for the asker alone, or posted where it belongs."""

    action: DigestAction = DigestAction.READ


@dataclass(frozen=True, slots=True)
class Help:
    """`topic` "": the overview; else the name of a verb."""

    topic: str = ""


Command = (
    Deploy
    | DeployForm
    | Status
    | Approve
    | Reject
    | Cancel
    | Why
    | Rollback
    | Promote
    | History
    | Show
    | Review
    | Stats
    | Doctor
    | Lock
    | Unlock
    | Logs
    | Monitor
    | Ack
    | Silence
    | Errors
    | Digest
    | Help
)
