"""One AWS account of the stand-in: its registry, its services and the time that moves them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from sandbox.ecs.control_plane import ControlPlane
from sandbox.ecs.images import Images
from sandbox.ecs.model import Service, Task
from sandbox.ecs.moto_app import Json, MotoApp, MotoError
from sandbox.ecs.scheduler import Scheduler

MOST_STEPS_AT_ONCE = 500
_ids = itertools.count(123456789012)


class Account:
    """Safe to use from several threads. `pace` is in seconds, see EcsStandIn."""

    def __init__(self, *, pace: float, region: str) -> None:
        self.id = str(next(_ids))
        self.region = region
        self.moto = MotoApp(self.id)
        self.images = Images(self.moto, region)
        self._pace = pace
        self._scheduler = Scheduler(self._write_log)
        self._plane = ControlPlane(self.moto, self._scheduler)
        self._lock = threading.RLock()
        self._moved_at = time.time()

    def knows(self, operation: str) -> bool:
        """Whether the operation of ECS is answered here rather than by moto."""
        return operation in self._plane.operations

    def operate(self, region: str, operation: str, params: Json) -> Json:
        """Carry an operation of ECS out; raises ApiError."""
        with self._lock:
            self.advance()
            return self._plane.operations[operation](region, params, time.time())

    def advance(self) -> None:
        """Take the steps that are due; nothing moves while nobody looks."""
        with self._lock:
            due = int((time.time() - self._moved_at) / self._pace)
            for step in range(1, min(due, MOST_STEPS_AT_ONCE) + 1):
                at = self._moved_at + step * self._pace
                everything = self._plane.services.values()
                moving = [s for s in everything if not self._scheduler.is_still(s)]
                if not moving:
                    break
                for service in moving:
                    self._scheduler.step(service, at)
            self._moved_at += due * self._pace

    def service(self, cluster: str, name: str) -> Service:
        """The service as it is now; for looking, not for changing."""
        with self._lock:
            self.advance()
            return self._plane.services[self.region, cluster, name]

    def serving(self, cluster: str, name: str) -> str:
        """The tag whose tasks run, read behind the API; "" when none or when more than one does."""
        with self._lock:
            tasks = self.service(cluster, name).all_tasks()
            images = {t.revision.containers[0].image for t in tasks if t.is_running}
        tags = {self._tag_of(image) for image in images}
        return tags.pop() if len(tags) == 1 else ""

    def set_scene(self, params: Json, definition: Json) -> str:
        """A service (parameters of CreateService) that has been running for long.

        Returns the ARN of its task definition.
        """
        at = time.time() - 60
        with self._lock:
            self.moto.call("ecs", "CreateCluster", self.region, {"clusterName": params["cluster"]})
            answer = self.moto.call("ecs", "RegisterTaskDefinition", self.region, definition)
            arn = str(answer["taskDefinition"]["taskDefinitionArn"])
            self._plane.create_service(self.region, {**params, "taskDefinition": arn}, at)
            service = self._plane.services[self.region, params["cluster"], params["serviceName"]]
            if service.deployments:
                self._scheduler.settle(service, at)
        return arn

    def _tag_of(self, image: str) -> str:
        name, _, digest = image.partition("@")
        if not digest:
            return name.rpartition(":")[2]
        return self.images.tags_of(name.removeprefix(f"{self.images.host}/"), digest)[0]

    def _write_log(self, service: Service, task: Task, at: float, lines: Sequence[str]) -> None:
        container = task.revision.troubled
        place = container.log
        if place is None:
            return
        stream = {
            "logGroupName": place.group,
            "logStreamName": f"{place.prefix}/{container.name}/{task.id}",
        }
        with suppress(MotoError):  # the stream may be there already
            self.moto.call("logs", "CreateLogStream", place.region, stream)
        events = [{"timestamp": int(at * 1000), "message": line} for line in lines]
        with suppress(MotoError):  # no such log group: the driver's output is lost, as on AWS
            self.moto.call("logs", "PutLogEvents", place.region, {**stream, "logEvents": events})
