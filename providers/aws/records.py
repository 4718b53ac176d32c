"""ECS's service deployments API: the truest account of a deployment, where the account may use it.

It is younger than the rest of ECS, and roles often lack its rights: a place that refuses it once is
not asked again, and everything falls back to what DescribeServices tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from operations.errors import ProviderError
from providers.aws.errors import DENIED, NOT_OFFERED, code_of
from providers.aws.gateway import Clients, Gateway, Place

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import ServiceDeploymentTypeDef

T = TypeVar("T")

RECORDS_A_CALL = 20  # DescribeServiceDeployments takes no more
ONGOING = frozenset({"PENDING", "IN_PROGRESS"})
RETURNING = frozenset({"STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
_CLOCKS_APART = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A service deployment. `tripped`: a breaker, an alarm or a hook ended it, not a person."""

    arn: str
    status: str
    reason: str
    rollback_reason: str
    tripped: bool
    source_revisions: tuple[str, ...]


class Records:
    """Reads and stops service deployments. A refusal by rights counts as "nothing known"."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._refused: set[Place] = set()

    async def read(self, place: Place, arns: Sequence[str]) -> dict[str, Record]:
        """Those of at most twenty service deployments that are known."""
        answer = await self._ask(
            place,
            "read the service deployment",
            lambda aws: aws.ecs_once.describe_service_deployments(serviceDeploymentArns=list(arns)),
        )
        found = [_record_from(raw) for raw in answer["serviceDeployments"]] if answer else []
        return {record.arn: record for record in found}

    async def find(
        self, place: Place, cluster: str, service: str, task_definition: str, since: datetime
    ) -> str:
        """ARN of the newest service deployment of a task definition since then, "" when unknown."""
        answer = await self._ask(
            place,
            "list the service deployments",
            lambda aws: aws.ecs_once.list_service_deployments(
                cluster=cluster,
                service=service,
                createdAt={"after": since - _CLOCKS_APART},
                maxResults=20,
            ),
        )
        briefs = answer["serviceDeployments"] if answer else []
        targets = [b.get("targetServiceRevisionArn", "") for b in briefs]
        definitions = await self.task_definitions(place, [t for t in targets if t])
        for brief in briefs:
            target = brief.get("targetServiceRevisionArn", "")
            if definitions.get(target) == task_definition:
                return brief.get("serviceDeploymentArn", "")
        return ""

    async def task_definitions(self, place: Place, revisions: Sequence[str]) -> dict[str, str]:
        """Task definition of each of at most twenty service revisions."""
        if not revisions:
            return {}
        answer = await self._ask(
            place,
            "read the service revisions",
            lambda aws: aws.ecs_once.describe_service_revisions(
                serviceRevisionArns=list(revisions)
            ),
        )
        found = answer["serviceRevisions"] if answer else []
        return {r.get("serviceRevisionArn", ""): r.get("taskDefinition", "") for r in found}

    async def digest(self, place: Place, revisions: Sequence[str], image: str) -> str:
        """The digest that ECS resolved an image's tag to in one of the revisions, "" when unknown."""
        if not revisions:
            return ""
        answer = await self._ask(
            place,
            "read the service revisions",
            lambda aws: aws.ecs_once.describe_service_revisions(
                serviceRevisionArns=list(revisions)
            ),
        )
        found = answer["serviceRevisions"] if answer else []
        images = [c for revision in found for c in revision.get("containerImages", [])]
        digests = [c.get("imageDigest", "") for c in images if c.get("image") == image]
        return next((digest for digest in digests if digest), "")

    async def roll_back(self, place: Place, arn: str) -> bool:
        """Ask ECS to stop a service deployment and go back; False: it cannot be asked."""
        if place in self._refused:
            return False
        try:
            await self._gateway.change(
                place,
                "stop the deployment",
                lambda aws: aws.ecs_once.stop_service_deployment(
                    serviceDeploymentArn=arn, stopType="ROLLBACK"
                ),
            )
        except ProviderError as exc:
            finished = {"ConflictException", "ServiceDeploymentNotFoundException"}
            if code_of(exc) in DENIED | NOT_OFFERED | finished:
                return False
            raise
        return True

    async def _ask(self, place: Place, doing: str, call: Callable[[Clients], T]) -> T | None:
        if place in self._refused:
            return None
        try:
            return await self._gateway.read(place, doing, call)
        except ProviderError as exc:
            if code_of(exc) not in DENIED | NOT_OFFERED:
                raise
            self._refused.add(place)
            return None


def _record_from(raw: ServiceDeploymentTypeDef) -> Record:
    rollback = raw.get("rollback", {}).get("reason", "")
    breaker = raw.get("deploymentCircuitBreaker", {}).get("status", "")
    alarms = raw.get("alarms", {}).get("status", "")
    hooks = {hook.get("status", "") for hook in raw.get("lifecycleHookDetails", [])}
    return Record(
        arn=raw.get("serviceDeploymentArn", ""),
        status=raw.get("status", ""),
        reason=raw.get("statusReason", ""),
        rollback_reason=rollback,
        tripped="TRIGGERED" in {breaker, alarms}
        or "FAILED" in hooks
        or "circuit breaker" in rollback
        or "alarm" in rollback,
        source_revisions=tuple(r.get("arn", "") for r in raw.get("sourceServiceRevisions", [])),
    )
