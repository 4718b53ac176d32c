"""Why a deployment does not get on: stopped tasks, the service's events and the tail of the log.

Whatever cannot be read is left out: a missing right must not hide the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operations.deployment.progress import Failure
from operations.errors import InvalidRequest, ProviderError
from operations.redaction import clean
from providers.aws.definitions import Definitions
from providers.aws.gateway import Gateway, Place
from providers.aws.handles import EcsHandle
from providers.aws.logs import Logs, log_place
from providers.aws.services import Service

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ContainerTypeDef, TaskTypeDef

TELLING = (
    "fail", "unhealthy", "error", "throttle", "unable", "missing", "alarm", "rolling back",
)  # fmt: skip
HARD = (
    "CannotPull",
    "ResourceInitializationError",
    "CannotStartContainer",
    "CannotCreateContainer",
)
"""Reasons that no further attempt changes."""
HARD_ENOUGH = 3
CRASHES_ENOUGH = 5
EVENTS_TOLD = 8
LINES_TOLD = 20
_LONGEST = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedTask:
    """A task of the deployment that ended; `reason` as ECS put it."""

    arn: str
    container: str
    reason: str
    exit_code: int | None

    @property
    def line(self) -> str:
        """One line for the thread."""
        code = f" (exit code {self.exit_code})" if self.exit_code is not None else ""
        return f"task {self.arn.rpartition('/')[2][:12]}: {self.reason}{code}"

    @property
    def is_hard(self) -> bool:
        """Whether trying again cannot help."""
        return any(word in self.reason for word in HARD)

    @property
    def headline(self) -> str:
        """What happened, for people."""
        if "CannotPull" in self.reason:
            return f"The image of container {self.container} cannot be pulled."
        if "OutOfMemory" in self.reason or self.exit_code == 137:
            return f"Container {self.container} ran out of memory or was killed."
        if self.exit_code:
            return f"Container {self.container} ended with exit code {self.exit_code}."
        if "health check" in self.reason:
            return "New tasks failed their health checks."
        return "New tasks did not start."


class Evidence:
    """Gathers what AWS knows."""

    def __init__(self, gateway: Gateway, definitions: Definitions, logs: Logs) -> None:
        self._gateway = gateway
        self._definitions = definitions
        self._logs = logs

    async def failure(
        self, place: Place, handle: EcsHandle, service: Service | None, *, why: str, container: str
    ) -> Failure:
        """All of it. `why` is the platform's word on the whole deployment, "" when it said none."""
        tasks = await self._stopped_quietly(place, handle)
        events = _events(service, handle) if service is not None else []
        crashed = next((t for t in tasks if t.exit_code is not None), None)
        log = await self._log(place, handle, crashed, container) if crashed else []
        worst = _most_common(tasks)
        reasons = dict.fromkeys(
            clean(r, limit=_LONGEST) for r in (worst and worst.reason, why) if r
        )
        return Failure(
            summary=worst.headline if worst else _headline(events, why),
            reason="\n".join(reasons),
            evidence=(*dict.fromkeys(t.line for t in tasks[:3]), *events, *log),
        )

    async def hopeless(self, place: Place, handle: EcsHandle) -> bool:
        """Whether the same hard reason stopped several tasks: no later attempt will go better."""
        tasks = await self._stopped_quietly(place, handle)
        hard = Counter(t.reason for t in tasks if t.is_hard)
        crashes = Counter((t.container, t.exit_code) for t in tasks if t.exit_code)
        return (
            max(hard.values(), default=0) >= HARD_ENOUGH
            or max(crashes.values(), default=0) >= CRASHES_ENOUGH
        )

    async def stopped(self, place: Place, handle: EcsHandle) -> list[StoppedTask]:
        """Tasks of the handle's task definition that ended by themselves, as ECS still shows them."""
        listed = await self._gateway.read(
            place,
            "list the stopped tasks",
            lambda aws: aws.ecs.list_tasks(
                cluster=handle.cluster,
                serviceName=handle.service,
                desiredStatus="STOPPED",
                maxResults=100,
            ),
        )
        if not listed["taskArns"]:
            return []
        answer = await self._gateway.read(
            place,
            "read the stopped tasks",
            lambda aws: aws.ecs.describe_tasks(cluster=handle.cluster, tasks=listed["taskArns"]),
        )
        own = [t for t in answer["tasks"] if _is_own(t, handle)]
        own.sort(
            key=lambda t: t["stoppedAt"].timestamp() if "stoppedAt" in t else 0.0, reverse=True
        )
        return [_stopped_from(t) for t in own]

    async def _stopped_quietly(self, place: Place, handle: EcsHandle) -> list[StoppedTask]:
        try:
            return await self.stopped(place, handle)
        except ProviderError:
            return []

    async def _log(
        self, place: Place, handle: EcsHandle, task: StoppedTask, container: str
    ) -> Sequence[str]:
        try:
            definition = await self._definitions.read(place, handle.task_definition)
            where = log_place(place, definition.container(task.container or container))
            return await self._logs.of_task(where, task.arn, lines=LINES_TOLD)
        except (ProviderError, InvalidRequest):
            return []


def _is_own(task: TaskTypeDef, handle: EcsHandle) -> bool:
    ours = (
        task.get("taskDefinitionArn") == handle.task_definition
        or task.get("startedBy") == handle.deployment
    )
    return ours and "Scaling activity initiated by" not in task.get("stoppedReason", "")


def _stopped_from(task: TaskTypeDef) -> StoppedTask:
    culprit = _culprit(task.get("containers", []))
    name = culprit.get("name", "") if culprit else ""
    own = culprit.get("reason", "") if culprit else ""
    text = task.get("stoppedReason", "")
    return StoppedTask(
        arn=task.get("taskArn", ""),
        container=name,
        reason=clean(text if own in text else f"{text}: {own}", limit=_LONGEST),
        exit_code=culprit.get("exitCode") if culprit else None,
    )


def _culprit(containers: Sequence[ContainerTypeDef]) -> ContainerTypeDef | None:
    """The container that ended badly, else the first."""
    bad = (c for c in containers if c.get("reason") or c.get("exitCode"))
    return next(bad, containers[0] if containers else None)


def _most_common(tasks: Sequence[StoppedTask]) -> StoppedTask | None:
    if not tasks:
        return None
    counts = Counter(task.reason for task in tasks)
    return max(tasks, key=lambda task: counts[task.reason])


def _events(service: Service, handle: EcsHandle) -> list[str]:
    """Telling events since the start, oldest first."""
    since = [e for e in service.events if e.at >= handle.started_at]
    telling = [e.message for e in since if any(word in e.message.lower() for word in TELLING)]
    return [clean(message, limit=_LONGEST) for message in reversed(telling[:EVENTS_TOLD])]


def _headline(events: Sequence[str], why: str) -> str:
    if any("unable to place a task" in event for event in events):
        return "New tasks could not be placed."
    return "The deployment failed." if why else "New tasks are not all running."
