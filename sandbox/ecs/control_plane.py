"""ECS's operations on services, tasks and service deployments, by their wire names.

Task definitions and clusters are moto's (see `server`). What ECS refuses is refused in its words;
parameters that the stand-in does not act upon are refused too, never ignored.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.ecs import answers
from sandbox.ecs.model import Breaker, Service, ServiceDeployment, Task
from sandbox.ecs.moto_app import Json, MotoApp
from sandbox.ecs.parameters import (
    ApiError,
    breaker_from,
    last,
    limited,
    only,
    page,
    required,
)
from sandbox.ecs.revisions import revise
from sandbox.ecs.scheduler import Scheduler

Operation = Callable[[str, Json, float], Json]


class ControlPlane:
    """Services of one account. The caller holds its lock around every call."""

    def __init__(self, moto: MotoApp, scheduler: Scheduler) -> None:
        self._moto = moto
        self._scheduler = scheduler
        self._clusters: set[tuple[str, str]] = set()
        self.services: dict[tuple[str, str, str], Service] = {}
        self.operations: dict[str, Operation] = {
            "CreateService": self.create_service,
            "UpdateService": self.update_service,
            "DescribeServices": self.describe_services,
            "ListServices": self.list_services,
            "ListTasks": self.list_tasks,
            "DescribeTasks": self.describe_tasks,
            "ListServiceDeployments": self.list_service_deployments,
            "DescribeServiceDeployments": self.describe_service_deployments,
            "DescribeServiceRevisions": self.describe_service_revisions,
            "StopServiceDeployment": self.stop_service_deployment,
        }

    def create_service(self, region: str, params: Json, at: float) -> Json:
        """CreateService."""
        only(
            params,
            "cluster serviceName taskDefinition desiredCount launchType deploymentConfiguration"
            " deploymentController networkConfiguration schedulingStrategy",
        )
        cluster = self._cluster(region, params)
        name = required(params, "serviceName")
        if (region, cluster, name) in self.services:
            raise ApiError("InvalidParameterException", "Creation of service was not idempotent.")
        service = Service(
            name=name,
            cluster=cluster,
            region=region,
            account=self._moto.account,
            desired=int(params.get("desiredCount", 1)),
            breaker=breaker_from(params, Breaker(enable=False, rollback=False)),
            controller=params.get("deploymentController", {}).get("type", "ECS"),
            created_at=at,
        )
        revision = revise(self._moto, service, required(params, "taskDefinition"), at)
        service.task_definition = revision.task_definition
        if service.controller == "ECS":
            self._scheduler.deploy(service, revision, at)
        self.services[region, cluster, name] = service
        return {"service": answers.service_json(service)}

    def update_service(self, region: str, params: Json, at: float) -> Json:
        """UpdateService."""
        only(
            params,
            "cluster service taskDefinition desiredCount deploymentConfiguration forceNewDeployment",
        )
        service = self._service(region, params)
        if service.controller != "ECS" and "taskDefinition" in params:
            raise ApiError("InvalidParameterException", _not_ours(service.controller))
        service.breaker = breaker_from(params, service.breaker)
        if "desiredCount" in params:
            service.desired = service.primary.desired = int(params["desiredCount"])
        if "taskDefinition" in params or params.get("forceNewDeployment"):
            wanted = params.get("taskDefinition", service.task_definition)
            revision = revise(self._moto, service, wanted, at)
            changed = revision.task_definition != service.task_definition
            if changed or params.get("forceNewDeployment"):
                self._scheduler.deploy(service, revision, at)
        return {"service": answers.service_json(service)}

    def describe_services(self, region: str, params: Json, at: float) -> Json:
        """DescribeServices."""
        only(params, "cluster services include")
        cluster = self._cluster(region, params)
        names = limited(params, "services", 10)
        found = [self.services.get((region, cluster, last(name))) for name in names]
        prefix = f"arn:aws:ecs:{region}:{self._moto.account}:service/{cluster}/"
        return {
            "services": [answers.service_json(s) for s in found if s is not None],
            "failures": [
                {"arn": prefix + last(name), "reason": "MISSING"}
                for name, service in zip(names, found, strict=True)
                if service is None
            ],
        }

    def list_services(self, region: str, params: Json, at: float) -> Json:
        """ListServices."""
        only(params, "cluster nextToken maxResults launchType schedulingStrategy")
        cluster = self._cluster(region, params)
        arns = [s.arn for (r, c, _), s in self.services.items() if (r, c) == (region, cluster)]
        return page(params, "serviceArns", arns, default=10)

    def list_tasks(self, region: str, params: Json, at: float) -> Json:
        """ListTasks."""
        only(
            params,
            "cluster serviceName family startedBy desiredStatus nextToken maxResults launchType",
        )
        cluster = self._cluster(region, params)
        if "serviceName" in params:
            services = [self._service(region, {**params, "service": params["serviceName"]})]
        else:
            services = self._services_of(region, cluster)
        wanted = params.get("desiredStatus", "RUNNING")
        arns = [
            service.arn_of("task", f"{cluster}/{task.id}")
            for service in services
            for task in service.all_tasks()
            if ("STOPPED" if task.status == "STOPPED" else "RUNNING") == wanted
            and params.get("startedBy", task.started_by) == task.started_by
            and params.get("family", _family(task)) == _family(task)
        ]
        return page(params, "taskArns", arns, default=100)

    def describe_tasks(self, region: str, params: Json, at: float) -> Json:
        """DescribeTasks."""
        only(params, "cluster tasks include")
        cluster = self._cluster(region, params)
        known = {
            task.id: answers.task_json(service, task)
            for service in self._services_of(region, cluster)
            for task in service.all_tasks()
        }
        wanted = limited(params, "tasks", 100)
        return {
            "tasks": [known[last(arn)] for arn in wanted if last(arn) in known],
            "failures": [
                {"arn": arn, "reason": "MISSING"} for arn in wanted if last(arn) not in known
            ],
        }

    def list_service_deployments(self, region: str, params: Json, at: float) -> Json:
        """ListServiceDeployments, newest first."""
        only(params, "service cluster status createdAt nextToken maxResults")
        service = self._service(region, params)
        states = params.get("status") or ()
        span = params.get("createdAt", {})
        briefs = [
            answers.record_brief(service, record)
            for record in service.history
            if (not states or record.status in states)
            and record.created_at > span.get("after", 0.0)
            and record.created_at < span.get("before", float("inf"))
        ]
        return page(params, "serviceDeployments", briefs, default=20)

    def describe_service_deployments(self, region: str, params: Json, at: float) -> Json:
        """DescribeServiceDeployments."""
        only(params, "serviceDeploymentArns")
        wanted = limited(params, "serviceDeploymentArns", 20)
        found = {arn: self._record(arn) for arn in wanted}
        return {
            "serviceDeployments": [answers.record_json(*it) for it in found.values() if it],
            "failures": [{"arn": arn, "reason": "MISSING"} for arn, it in found.items() if not it],
        }

    def describe_service_revisions(self, region: str, params: Json, at: float) -> Json:
        """DescribeServiceRevisions."""
        only(params, "serviceRevisionArns")
        wanted = limited(params, "serviceRevisionArns", 20)
        known = {arn: (s, r) for s in self.services.values() for arn, r in s.revisions.items()}
        return {
            "serviceRevisions": [answers.revision_json(*known[a]) for a in wanted if a in known],
            "failures": [{"arn": a, "reason": "MISSING"} for a in wanted if a not in known],
        }

    def stop_service_deployment(self, region: str, params: Json, at: float) -> Json:
        """StopServiceDeployment; ROLLBACK is the only stop type that ECS takes."""
        only(params, "serviceDeploymentArn stopType")
        arn = required(params, "serviceDeploymentArn")
        if params.get("stopType", "ROLLBACK") != "ROLLBACK":
            raise ApiError("InvalidParameterException", "The stop type is not supported.")
        found = self._record(arn)
        if found is None:
            raise ApiError(
                "ServiceDeploymentNotFoundException", "The service deployment was not found."
            )
        record = found[1]
        if not record.is_ongoing:
            raise ApiError("ConflictException", "The service deployment is already finished.")
        if record.status in {"PENDING", "IN_PROGRESS"}:
            record.status = "ROLLBACK_REQUESTED"
        return {"serviceDeploymentArn": arn}

    def _cluster(self, region: str, params: Json) -> str:
        name = last(str(params.get("cluster", "default")))
        if (region, name) not in self._clusters:
            answer = self._moto.call("ecs", "DescribeClusters", region, {"clusters": [name]})
            if not answer.get("clusters"):
                raise ApiError("ClusterNotFoundException", "Cluster not found.")
            self._clusters.add((region, name))
        return name

    def _service(self, region: str, params: Json) -> Service:
        cluster = self._cluster(region, params)
        service = self.services.get((region, cluster, last(required(params, "service"))))
        if service is None:
            raise ApiError("ServiceNotFoundException", "Service not found.")
        return service

    def _services_of(self, region: str, cluster: str) -> list[Service]:
        return [s for (r, c, _), s in self.services.items() if (r, c) == (region, cluster)]

    def _record(self, arn: str) -> tuple[Service, ServiceDeployment] | None:
        everything = ((s, r) for s in self.services.values() for r in s.history)
        return next(((s, r) for s, r in everything if r.arn == arn), None)


def _family(task: Task) -> str:
    return last(task.revision.task_definition).partition(":")[0]


def _not_ours(controller: str) -> str:
    if controller == "CODE_DEPLOY":
        return (
            "Unable to update task definition on services with a CODE_DEPLOY deployment controller."
            " Use AWS CodeDeploy to trigger a new deployment."
        )
    return (
        f"Unable to update task definition on services with an {controller} deployment controller."
    )
