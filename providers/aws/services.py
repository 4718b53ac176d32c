"""ECS services as they are now: what DescribeServices tells, as values, and reading several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from operations.errors import ProviderRejected
from providers.aws.gateway import Gateway, Place
from providers.specs import EcsSpec

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import DeploymentTypeDef, ServiceTypeDef

SERVICES_A_CALL = 10  # DescribeServices takes no more
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One entry of a service's deployments. `rollout_state` is "" where ECS keeps none."""

    id: str
    status: str
    task_definition: str
    desired: int
    running: int
    failed: int
    rollout_state: str
    reason: str
    created_at: datetime
    updated_at: datetime

    @property
    def is_full(self) -> bool:
        """Whether as many tasks run as are wanted."""
        return self.running == self.desired


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the service's own account."""

    at: datetime
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service; the newest deployment is the PRIMARY one, events are newest first.

    `revisions` are ARNs of the service revisions that run now.
    """

    name: str
    status: str
    controller: str
    task_definition: str
    desired: int
    running: int
    breaker: bool
    breaker_rolls_back: bool
    deployments: tuple[Deployment, ...]
    events: tuple[Event, ...]
    revisions: tuple[str, ...]

    @property
    def primary(self) -> Deployment | None:
        """The deployment that ECS works towards."""
        return next((d for d in self.deployments if d.status == "PRIMARY"), None)

    @property
    def serving(self) -> Deployment | None:
        """The deployment whose tasks do the work: the former one until the newest is complete."""
        primary = self.primary
        if primary is None or primary.rollout_state == "COMPLETED" or len(self.deployments) == 1:
            return primary
        older = [d for d in self.deployments if d is not primary and d.running]
        return max(older, key=lambda d: d.running, default=primary)

    @property
    def is_moving(self) -> bool:
        """Whether a deployment is in progress."""
        primary = self.primary
        if primary is None:
            return False
        if primary.rollout_state:
            return primary.rollout_state == "IN_PROGRESS"
        return len(self.deployments) > 1


class Services:
    """Reads services."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def read(self, spec: EcsSpec) -> Service | None:
        """The target's service; None: there is none of this name, or it is being deleted."""
        place = Place(spec.profile, spec.region)
        found = await self.read_some(place, spec.cluster, (spec.service,))
        return found.get(spec.service)

    async def demand(self, spec: EcsSpec) -> Service:
        """The target's service; raises ProviderRejected when it is gone or not ECS's to deploy."""
        service = await self.read(spec)
        if service is None:
            raise ProviderRejected(missing(spec))
        return self.refuse_foreign(service)

    @staticmethod
    def refuse_foreign(service: Service) -> Service:
        """The service itself; raises ProviderRejected when CodeDeploy or another deploys it."""
        if service.controller != "ECS":
            raise ProviderRejected(
                f"The service {service.name} is deployed by {service.controller}, not by ECS.",
                hint="HMS-SYS deploys services with ECS's own deployment controller only.",
            )
        return service

    async def read_some(
        self, place: Place, cluster: str, names: Sequence[str]
    ) -> dict[str, Service]:
        """Those of at most ten services that exist."""
        answer = await self._gateway.read(
            place,
            "read the service",
            lambda aws: aws.ecs.describe_services(cluster=cluster, services=list(names)),
        )
        found = [service_from(raw) for raw in answer["services"]]
        return {service.name: service for service in found if service.status != "INACTIVE"}


def missing(spec: EcsSpec) -> str:
    """One sentence: there is no such service."""
    return f"There is no service {spec.service} in the ECS cluster {spec.cluster} ({spec.region})."


def service_from(raw: ServiceTypeDef) -> Service:
    """A service as boto3 gives it."""
    breaker = raw.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker")
    return Service(
        name=raw.get("serviceName", ""),
        status=raw.get("status", ""),
        controller=raw.get("deploymentController", {}).get("type", "ECS"),
        task_definition=raw.get("taskDefinition", ""),
        desired=raw.get("desiredCount", 0),
        running=raw.get("runningCount", 0),
        breaker=bool(breaker and breaker["enable"]),
        breaker_rolls_back=bool(breaker and breaker["enable"] and breaker["rollback"]),
        deployments=tuple(_deployment_from(d) for d in raw.get("deployments", [])),
        events=tuple(
            Event(_aware(e.get("createdAt")), e.get("message", "")) for e in raw.get("events", [])
        ),
        revisions=tuple(r.get("arn", "") for r in raw.get("currentServiceRevisions", [])),
    )


def _deployment_from(raw: DeploymentTypeDef) -> Deployment:
    return Deployment(
        id=raw.get("id", ""),
        status=raw.get("status", ""),
        task_definition=raw.get("taskDefinition", ""),
        desired=raw.get("desiredCount", 0),
        running=raw.get("runningCount", 0),
        failed=raw.get("failedTasks", 0),
        rollout_state=raw.get("rolloutState", ""),
        reason=raw.get("rolloutStateReason", ""),
        created_at=_aware(raw.get("createdAt")),
        updated_at=_aware(raw.get("updatedAt")),
    )


def _aware(at: datetime | None) -> datetime:
    return at.astimezone(UTC) if at is not None else _EPOCH
