"""The handle of an ECS rollout: what `follow` needs after a restart, as flat JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from operations.deployment.progress import Handle
from operations.errors import ProviderRejected
from providers.aws.services import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsHandle:
    """`task_definition` is to become what serves; `returning`: it is the former one on its way back.

    `record` is the service deployment's ARN, "" when the API does not tell. `former_*` are what
    stood there before: the task definition that served, and the PRIMARY deployment's id.
    `started_at` is by AWS's clock.
    """

    cluster: str
    service: str
    task_definition: str
    deployment: str
    started_at: datetime
    record: str = ""
    former_task_definition: str = ""
    former_deployment: str = ""
    returning: bool = False

    def dump(self) -> Handle:
        """For the database."""
        return {
            "cluster": self.cluster,
            "service": self.service,
            "taskDefinitionArn": self.task_definition,
            "deploymentId": self.deployment,
            "serviceDeploymentArn": self.record,
            "startedAt": self.started_at.isoformat(),
            "formerTaskDefinitionArn": self.former_task_definition,
            "formerDeploymentId": self.former_deployment,
            "returning": self.returning,
        }

    @classmethod
    def load(cls, handle: Handle) -> EcsHandle:
        """From the database; raises ProviderRejected when it is not one of ours."""
        try:
            return cls(
                cluster=str(handle["cluster"]),
                service=str(handle["service"]),
                task_definition=str(handle["taskDefinitionArn"]),
                deployment=str(handle["deploymentId"]),
                started_at=datetime.fromisoformat(str(handle["startedAt"])).astimezone(UTC),
                record=str(handle.get("serviceDeploymentArn") or ""),
                former_task_definition=str(handle.get("formerTaskDefinitionArn") or ""),
                former_deployment=str(handle.get("formerDeploymentId") or ""),
                returning=bool(handle.get("returning")),
            )
        except (KeyError, ValueError) as exc:
            raise ProviderRejected("The stored handle is not one of an ECS rollout.") from exc

    def is_own(self, deployment: Deployment) -> bool:
        """Whether a deployment ships what this handle asked for."""
        return deployment.task_definition == self.task_definition
