"""A rollout: one attempt to bring a release to a target, from the request to its end.

Plain frozen values. What may follow what is in `policy`; who changes it are `service` and `worker`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from operations.actor import Actor
from operations.deployment.progress import Failure, Handle, Step
from operations.deployment.release import Release


class RolloutState(StrEnum):
    """The states people and programs see."""

    PENDING_APPROVAL = "pending_approval"
    QUEUED = "queued"
    RUNNING = "running"
    VERIFYING = "verifying"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"


WAITING = frozenset({RolloutState.PENDING_APPROVAL, RolloutState.QUEUED})
ACTIVE = frozenset({RolloutState.RUNNING, RolloutState.VERIFYING})
ENDED = frozenset(RolloutState) - WAITING - ACTIVE


class RolloutKind(StrEnum):
    """Why a release goes out: something new, or the way back."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    IMPORT = "import"  # another tool shipped it; it is history, and never what serves


class Phase(StrEnum):
    """Where the worker is within `running` and `verifying`; each is stored before it is begun."""

    WAITING = "waiting"  # not begun
    STARTING = "starting"  # intent stored; the provider may or may not have been told
    FOLLOWING = "following"  # the handle is stored
    VERIFYING = "verifying"  # the platform is done; health is watched
    RESTORING = "restoring"  # intent to bring the former release back is stored
    RETURNING = "returning"  # the handle of the way back is stored
    DONE = "done"


class VoteKind(StrEnum):
    """A voter's answer."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One person's answer, with the time it was given."""

    actor: Actor
    kind: VoteKind
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """That somebody has looked, afterwards, at what an emergency shipped."""

    actor: Actor
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Which worker holds a rollout. Every take-over raises `number`; writes carry it (fencing)."""

    owner: str
    number: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """`revision` rises with every stored change; `id` is shown as `D-1042`.

    `previous` is what served at the request, or, once started, when it started. `failure` is why it
    went wrong, `outcome` one sentence on how it ended. `handle` belongs to the phase. `start_at` is the
    time it was asked to start at, None: as soon as it may. `review` is of emergencies only.
    """

    id: int
    project: str
    environment: str
    provider: str
    kind: RolloutKind
    release: Release
    previous: Release | None
    requested_by: Actor
    requested_at: datetime
    reason: str = ""
    channel: str = ""
    external_id: str = ""
    emergency: bool = False
    warnings: tuple[str, ...] = ()

    state: RolloutState
    phase: Phase = Phase.WAITING
    revision: int = 1
    votes: tuple[Vote, ...] = ()
    votes_required: int = 0
    expires_at: datetime | None = None
    start_at: datetime | None = None
    cancelled_by: Actor | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    handle: Handle | None = None
    failure: Failure | None = None
    outcome: str = ""
    review: Review | None = None
    lease: Lease | None = None

    @property
    def name(self) -> str:
        """The id that people say: `D-1042`; `H-42` of one that was imported."""
        return rollout_name(self.id)

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"

    @property
    def approvals(self) -> tuple[Vote, ...]:
        """The votes in favour."""
        return tuple(v for v in self.votes if v.kind is VoteKind.APPROVE)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED

    @property
    def is_returning(self) -> bool:
        """Whether the former release is being brought back."""
        return self.phase in {Phase.RESTORING, Phase.RETURNING}

    @property
    def is_to_be_reviewed(self) -> bool:
        """Whether it passed the rules, reached the platform, and nobody has looked at it since."""
        return self.emergency and self.has_ended and self.was_started and self.review is None

    @property
    def was_started(self) -> bool:
        """Whether a worker began it: the platform may have been told anything."""
        return self.started_at is not None

    @property
    def took(self) -> timedelta | None:
        """From the start to the end; None while it has not done both."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(timedelta(0), self.ended_at - self.started_at)


FIRST_IMPORTED = 1 - 10**12
"""The id of `H-1`. Ids of imported rollouts are negative: there is room for any number of them, and they
stand behind every one of our own in history."""

UNKNOWN_VERSION = "unknown"
"""Of an imported rollout whose log did not name it."""


def rollout_name(rollout_id: int) -> str:
    """The id that people say: `D-1042`; `H-42` of one that was imported."""
    if rollout_id >= 0:
        return f"D-{rollout_id}"
    return f"H-{rollout_id - FIRST_IMPORTED + 1}"


def parse_rollout_id(text: str) -> int | None:
    """`D-1042`, `d1042` or `1042` to 1042, `H-42` to its negative id; None when it is no rollout's id."""
    match = re.fullmatch(r"(?:(d|h)\s*-?\s*)?(\d{1,12})", text.strip(), re.IGNORECASE)
    if match is None:
        return None
    number = int(match[2])
    if (match[1] or "d").lower() == "d":
        return number
    return FIRST_IMPORTED + number - 1 if 0 < number < 10**12 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutDraft:
    """What the service knows of a rollout before the database gives it an id."""

    project: str
    environment: str
    provider: str
    kind: RolloutKind
    release: Release
    previous: Release | None
    requested_by: Actor
    requested_at: datetime
    reason: str
    channel: str
    external_id: str
    emergency: bool
    warnings: tuple[str, ...]
    state: RolloutState
    votes_required: int
    expires_at: datetime | None
    start_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """Which rollouts, newest first. `before` is the cursor: only ids smaller than it.

    `requested_by` is an actor's id, or a name or login in any case; `external_id` the asker's own name of
    the matter, to the letter. `unreviewed`: only emergencies that nobody has looked at since. `imported`:
    what another tool shipped is among them, which only people who read history want.
    """

    project: str = ""
    environment: str = ""
    requested_by: str = ""
    external_id: str = ""
    since: datetime | None = None
    before: int | None = None
    limit: int = 20
    unreviewed: bool = False
    imported: bool = False


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """`next` is the cursor of the following page, None at the end."""

    rollouts: tuple[Rollout, ...]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLock:
    """A person's hold on a target. `until` None: until somebody unlocks."""

    project: str
    environment: str
    actor: Actor
    reason: str
    at: datetime
    until: datetime | None
