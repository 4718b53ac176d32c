"""The stand-in's records as the JSON that ECS answers with (names and shapes: ECS API 2014-11-13)."""

from __future__ import annotations

from sandbox.ecs.model import Container, Deployment, Revision, Service, ServiceDeployment, Task
from sandbox.ecs.moto_app import Json


def _given(document: Json) -> Json:
    """Without what has no value: ECS leaves such members out."""
    return {name: value for name, value in document.items() if value not in (None, "")}


def deployment_configuration(service: Service) -> Json:
    """The rolling update's settings."""
    return {
        "deploymentCircuitBreaker": {
            "enable": service.breaker.enable,
            "rollback": service.breaker.rollback,
        },
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
    }


def service_json(service: Service) -> Json:
    """A Service as DescribeServices tells it."""
    record = service.history[0] if service.history else None
    return _given(
        {
            "serviceArn": service.arn,
            "serviceName": service.name,
            "clusterArn": service.cluster_arn,
            "status": "ACTIVE",
            "desiredCount": service.desired,
            "runningCount": sum(d.running for d in service.deployments),
            "pendingCount": sum(d.pending for d in service.deployments),
            "launchType": "FARGATE",
            "platformVersion": "LATEST",
            "taskDefinition": service.task_definition,
            "deploymentConfiguration": deployment_configuration(service),
            "deploymentController": {"type": service.controller},
            "deployments": [deployment_json(d) for d in service.deployments],
            "events": [
                {"id": e.id, "createdAt": e.at, "message": e.message} for e in service.events
            ],
            "createdAt": service.created_at,
            "schedulingStrategy": "REPLICA",
            "currentServiceDeployment": record.arn if record and record.is_ongoing else None,
            "currentServiceRevisions": [_revision_summary(d) for d in service.deployments],
            "loadBalancers": [],
            "enableECSManagedTags": False,
            "enableExecuteCommand": False,
        }
    )


def _revision_summary(deployment: Deployment) -> Json:
    return {
        "arn": deployment.revision.arn,
        "requestedTaskCount": deployment.desired,
        "runningTaskCount": deployment.running,
        "pendingTaskCount": deployment.pending,
    }


def deployment_json(deployment: Deployment) -> Json:
    """A Deployment of a service."""
    return _given(
        {
            "id": deployment.id,
            "status": deployment.status,
            "taskDefinition": deployment.revision.task_definition,
            "desiredCount": deployment.desired,
            "pendingCount": deployment.pending,
            "runningCount": deployment.running,
            "failedTasks": deployment.failed,
            "createdAt": deployment.created_at,
            "updatedAt": deployment.updated_at,
            "launchType": "FARGATE",
            "platformVersion": "1.4.0",
            "rolloutState": deployment.rollout_state,
            "rolloutStateReason": deployment.reason,
        }
    )


def task_json(service: Service, task: Task) -> Json:
    """A Task as DescribeTasks tells it."""
    arn = service.arn_of("task", f"{service.cluster}/{task.id}")
    stopped = task.status == "STOPPED"
    return _given(
        {
            "taskArn": arn,
            "clusterArn": service.cluster_arn,
            "taskDefinitionArn": task.revision.task_definition,
            "group": f"service:{service.name}",
            "startedBy": task.started_by,
            "lastStatus": task.status,
            "desiredStatus": "STOPPED" if stopped else "RUNNING",
            "launchType": "FARGATE",
            "createdAt": task.created_at,
            "startedAt": task.started_at,
            "stoppingAt": task.stopped_at,
            "stoppedAt": task.stopped_at,
            "stopCode": task.stop_code,
            "stoppedReason": task.stopped_reason,
            "containers": [_container_json(arn, c, task) for c in task.revision.containers],
            "version": task.age + 1,
        }
    )


def _container_json(task_arn: str, container: Container, task: Task) -> Json:
    culprit = container is task.revision.troubled
    return _given(
        {
            "containerArn": task_arn.replace(":task/", ":container/") + f"/{container.name}",
            "taskArn": task_arn,
            "name": container.name,
            "image": container.image,
            "imageDigest": container.digest,
            "lastStatus": task.status if task.is_running or task.stopped_at else "PENDING",
            "exitCode": task.exit_code if culprit or task.exit_code is None else 0,
            "reason": task.container_reason if culprit else None,
            "healthStatus": "UNKNOWN",
        }
    )


def revision_json(service: Service, revision: Revision) -> Json:
    """A ServiceRevision: what is really deployed."""
    return {
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster_arn,
        "taskDefinition": revision.task_definition,
        "launchType": "FARGATE",
        "createdAt": revision.created_at,
        "containerImages": [
            _given({"containerName": c.name, "image": c.image, "imageDigest": c.digest})
            for c in revision.containers
        ],
    }


def record_brief(service: Service, record: ServiceDeployment) -> Json:
    """A ServiceDeploymentBrief of ListServiceDeployments."""
    return _given(
        {
            "serviceDeploymentArn": record.arn,
            "serviceArn": service.arn,
            "clusterArn": service.cluster_arn,
            "createdAt": record.created_at,
            "startedAt": None if record.status == "PENDING" else record.created_at,
            "finishedAt": record.finished_at,
            "targetServiceRevisionArn": record.target.arn,
            "status": record.status,
            "statusReason": record.status_reason,
        }
    )


def record_json(service: Service, record: ServiceDeployment) -> Json:
    """A ServiceDeployment of DescribeServiceDeployments."""
    brief = record_brief(service, record)
    del brief["targetServiceRevisionArn"]
    target = next((d for d in service.deployments if d.revision == record.target), None)
    rollback = {
        "reason": record.rollback_reason,
        "startedAt": record.rollback_at,
        "serviceRevisionArn": record.back_to.arn if record.back_to else None,
    }
    return brief | _given(
        {
            "updatedAt": record.finished_at or record.created_at,
            "sourceServiceRevisions": [{"arn": revision.arn} for revision in record.sources],
            "targetServiceRevision": (
                _revision_summary(target) if target else {"arn": record.target.arn}
            ),
            "deploymentConfiguration": deployment_configuration(service),
            "rollback": rollback if record.rollback_at else None,
            "deploymentCircuitBreaker": {
                "status": record.breaker_status,
                "failureCount": record.attempt.failed,
                "threshold": service.breaker.threshold(service.desired),
            },
        }
    )
