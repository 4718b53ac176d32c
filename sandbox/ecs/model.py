"""What ECS keeps of services: tasks, deployments, events and service deployments, as mutable records.

Nothing moves here by itself (see `scheduler`), and nothing is turned into answers (see `answers`).
Times are seconds since the epoch, as JSON 1.1 carries them.
"""

from __future__ import annotations

import math
import secrets
import uuid
from dataclasses import dataclass, field
from enum import StrEnum

STOPPED_TASKS_KEPT = 40
EVENTS_KEPT = 100  # DescribeServices returns no more


class Fate(StrEnum):
    """What becomes of a container, told by a word in its image's tag."""

    RUNS = "runs"
    SLOW = "slow"  # takes SLOW_STEPS to start
    CANNOT_PULL = "bad"
    CRASHES = "crash"
    NOT_FOUND = "not found"  # no such image in the registry


def fate_of(tag: str) -> Fate:
    """`crash-2` crashes, `slow` is slow, `1.4-bad` cannot be pulled, anything else runs."""
    for fate in (Fate.CANNOT_PULL, Fate.CRASHES, Fate.SLOW):
        if fate.value in tag:
            return fate
    return Fate.RUNS


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    """Where a container's awslogs driver writes."""

    group: str
    region: str
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a service revision, its image resolved to a digest once (version consistency)."""

    name: str
    image: str
    digest: str
    fate: Fate
    log: LogPlace | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A service revision: one task definition with its images resolved."""

    arn: str
    task_definition: str
    containers: tuple[Container, ...]
    created_at: float

    @property
    def troubled(self) -> Container:
        """The container that decides what becomes of the task."""
        return next((c for c in self.containers if c.fate is not Fate.RUNS), self.containers[0])


@dataclass(slots=True, kw_only=True)
class Task:
    """One copy of the application. `age` is in steps."""

    id: str
    revision: Revision
    started_by: str
    created_at: float
    status: str = "PROVISIONING"
    age: int = 0
    started_at: float | None = None
    stopped_at: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    container_reason: str = ""
    exit_code: int | None = None

    @property
    def is_running(self) -> bool:
        return self.status == "RUNNING"


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One entry of `service.deployments`. `failures` in a row decide the circuit breaker."""

    id: str
    revision: Revision
    desired: int
    created_at: float
    updated_at: float
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    reason: str = ""
    tasks: list[Task] = field(default_factory=list)
    failed: int = 0
    failures_in_a_row: int = 0

    @property
    def running(self) -> int:
        return sum(task.is_running for task in self.tasks)

    @property
    def pending(self) -> int:
        return len(self.tasks) - self.running


@dataclass(slots=True, kw_only=True)
class ServiceDeployment:
    """The record that the service deployments API tells of."""

    arn: str
    sources: tuple[Revision, ...]
    target: Revision
    attempt: Deployment
    created_at: float
    status: str = "PENDING"
    status_reason: str = ""
    breaker_status: str = "MONITORING"
    back_to: Revision | None = None
    rollback_reason: str = ""
    rollback_at: float | None = None
    finished_at: float | None = None

    @property
    def is_ongoing(self) -> bool:
        return self.finished_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The deployment circuit breaker; off, a broken deployment is IN_PROGRESS for ever."""

    enable: bool = True
    rollback: bool = True
    count: int | None = None
    percent: int = 50

    def threshold(self, desired: int) -> int:
        """How many failures in a row trip it: half of the desired count, from 3 to 200, by default."""
        if self.count is not None:
            return max(1, self.count)
        return min(200, max(3, math.ceil(desired * self.percent / 100)))


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the service's own account."""

    id: str
    at: float
    message: str


@dataclass(slots=True, kw_only=True)
class Service:
    """A service of a cluster; its newest deployment is the PRIMARY one."""

    name: str
    cluster: str
    region: str
    account: str
    desired: int
    breaker: Breaker
    controller: str = "ECS"
    created_at: float = 0.0
    task_definition: str = ""
    deployments: list[Deployment] = field(default_factory=list)
    completed: Revision | None = None
    history: list[ServiceDeployment] = field(default_factory=list)
    revisions: dict[str, Revision] = field(default_factory=dict)
    stopped: list[Task] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def current(self) -> ServiceDeployment | None:
        """The service deployment that goes on."""
        return next((d for d in self.history if d.is_ongoing), None)

    @property
    def arn(self) -> str:
        return self.arn_of("service", f"{self.cluster}/{self.name}")

    @property
    def cluster_arn(self) -> str:
        return self.arn_of("cluster", self.cluster)

    def arn_of(self, kind: str, rest: str) -> str:
        return f"arn:aws:ecs:{self.region}:{self.account}:{kind}/{rest}"

    def own_arn(self, kind: str, name: str) -> str:
        """ARN of something that belongs to the service."""
        return self.arn_of(kind, f"{self.cluster}/{self.name}/{name}")

    def tell(self, at: float, message: str) -> None:
        """Add an event, newest first."""
        self.events.insert(0, Event(str(uuid.uuid4()), at, f"(service {self.name}) {message}"))
        del self.events[EVENTS_KEPT:]

    def all_tasks(self) -> list[Task]:
        """Living tasks, then the stopped ones, newest first."""
        return [t for d in self.deployments for t in d.tasks] + self.stopped

    def bury(self, task: Task) -> None:
        """Keep a stopped task where ListTasks still shows it for a while."""
        self.stopped.insert(0, task)
        del self.stopped[STOPPED_TASKS_KEPT:]


def new_number() -> str:
    """Nineteen digits, as ids of deployments and revisions are."""
    return str(10**18 + secrets.randbelow(9 * 10**18))


def new_task_id() -> str:
    """Thirty-two hexadecimal digits."""
    return secrets.token_hex(16)
