"""The server of the stand-in: one HTTP address for ECS, ECR, CloudWatch logs and STS, as with moto.

Requests to services and tasks of ECS are answered here, task definitions and clusters and the other
services by moto. Anything else is refused and kept in `unexpected`.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.ecs.control_plane import ApiError, ControlPlane
from sandbox.ecs.faults import Faults
from sandbox.ecs.images import Images
from sandbox.ecs.model import Service, Task
from sandbox.ecs.moto_app import Environ, Json, MotoApp, MotoError, StartResponse
from sandbox.ecs.scheduler import Scheduler

MOST_STEPS_AT_ONCE = 500
_MOTO_CALLS = frozenset(
    {
        "CreateCluster",
        "DescribeClusters",
        "ListClusters",
        "RegisterTaskDefinition",
        "DeregisterTaskDefinition",
        "DescribeTaskDefinition",
        "ListTaskDefinitions",
        "ListTaskDefinitionFamilies",
    }
)
_MOTO_SERVICES = frozenset({"ecr", "logs", "sts"})
_accounts = itertools.count(123456789012)


class EcsStandIn:
    """A context manager that serves on a free port of 127.0.0.1 while it is open.

    `pace` is in seconds: how long a task takes from one state to the next. `calls` counts the requests
    by operation, `unexpected` names those that nobody here understands.
    """

    def __init__(self, *, pace: float = 0.03, region: str = "eu-west-1", port: int = 0) -> None:
        self.pace = pace
        self.region = region
        self.account = str(next(_accounts))
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self._port = port
        self._moto = MotoApp(self.account)
        self._images = Images(self._moto, region)
        self._scheduler = Scheduler(self._write_log)
        self._plane = ControlPlane(self._moto, self._scheduler)
        self._lock = threading.RLock()
        self._moved_at = time.time()
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> EcsStandIn:
        self._server = make_server(
            "127.0.0.1", self._port, self._answer, threaded=True, request_handler=_QuietHandler
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="ecs-stand-in", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join(timeout=5)
            self._server.server_close()

    async def __aenter__(self) -> EcsStandIn:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """The address of every AWS service here."""
        if self._server is None:
            raise RuntimeError("The stand-in is not open.")
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def registry(self) -> str:
        """Host name of the account's ECR."""
        return self._images.host

    def environment(self) -> dict[str, str]:
        """What boto3 needs to come here and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "stand-in",
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def push_image(self, repository: str, tag: str, content: str = "") -> str:
        """Push to ECR; returns the digest. Other `content` under the same tag moves the tag."""
        return self._images.push(repository, tag, content)

    def add_service(  # noqa: PLR0913 - a scene is set in one line
        self,
        cluster: str,
        name: str,
        image: str,
        tag: str,
        desired: int,
        breaker: bool = True,
        container: str = "app",
        *,
        controller: str = "ECS",
    ) -> str:
        """A service that has been running `image:tag` for long; returns its task definition's ARN.

        An image without a registry's host is one of the account's ECR; its repository is created.
        """
        if "/" not in image or "." not in image.partition("/")[0]:
            self._images.push(image, tag)
            image = f"{self.registry}/{image}"
        group = f"/ecs/{name}"
        with self._lock, suppress(MotoError):
            self._moto.call("logs", "CreateLogGroup", self.region, {"logGroupName": group})
        definition = {
            "family": name,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [
                {
                    "name": container,
                    "image": f"{image}:{tag}",
                    "essential": True,
                    "memory": 512,
                    "logConfiguration": {
                        "logDriver": "awslogs",
                        "options": {
                            "awslogs-group": group,
                            "awslogs-region": self.region,
                            "awslogs-stream-prefix": "ecs",
                        },
                    },
                }
            ],
            "tags": [{"key": "team", "value": "platform"}],
        }
        return self._set_scene(cluster, name, definition, desired, breaker, controller)

    def service(self, cluster: str, name: str) -> Service:
        """The service as it is now; for looking, not for changing."""
        with self._lock:
            self._advance()
            return self._plane.services[self.region, cluster, name]

    def serving(self, cluster: str, name: str) -> str:
        """The tag whose tasks run, read behind the API; "" when none or when more than one does."""
        with self._lock:
            self._advance()
            tasks = self._plane.services[self.region, cluster, name].all_tasks()
            images = {t.revision.containers[0].image for t in tasks if t.is_running}
        tags = {self._tag_of(image) for image in images}
        return tags.pop() if len(tags) == 1 else ""

    def call(self, service: str, operation: str, params: Json) -> Json:
        """What somebody else does in the same account, behind the API: `ecs`, `ecr` or `logs`."""
        if service == "ecs" and operation in self._plane.operations:
            with self._lock:
                self._advance()
                return self._plane.operations[operation](self.region, params, time.time())
        return self._moto.call(service, operation, self.region, params)

    def _set_scene(
        self,
        cluster: str,
        name: str,
        definition: Json,
        desired: int,
        breaker: bool,
        controller: str,
    ) -> str:
        at = time.time() - 60
        with self._lock:
            self._moto.call("ecs", "CreateCluster", self.region, {"clusterName": cluster})
            answer = self._moto.call("ecs", "RegisterTaskDefinition", self.region, definition)
            arn = str(answer["taskDefinition"]["taskDefinitionArn"])
            settings = {"enable": breaker, "rollback": breaker}
            params = {
                "cluster": cluster,
                "serviceName": name,
                "taskDefinition": arn,
                "desiredCount": desired,
                "deploymentController": {"type": controller},
                "deploymentConfiguration": {"deploymentCircuitBreaker": settings},
            }
            self._plane.create_service(self.region, params, at)
            service = self._plane.services[self.region, cluster, name]
            if service.deployments:
                self._scheduler.settle(service, at)
        return arn

    def _tag_of(self, image: str) -> str:
        name, _, digest = image.partition("@")
        if not digest:
            return name.rpartition(":")[2]
        return self._images.tags_of(name.removeprefix(f"{self.registry}/"), digest)[0]

    def _advance(self) -> None:
        """Take the steps that are due; nothing moves while nobody looks."""
        due = int((time.time() - self._moved_at) / self.pace)
        for step in range(1, min(due, MOST_STEPS_AT_ONCE) + 1):
            at = self._moved_at + step * self.pace
            moving = [s for s in self._plane.services.values() if not self._scheduler.is_still(s)]
            if not moving:
                break
            for service in moving:
                self._scheduler.step(service, at)
        self._moved_at += due * self.pace

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
            self._moto.call("logs", "CreateLogStream", place.region, stream)
        events = [{"timestamp": int(at * 1000), "message": line} for line in lines]
        with suppress(MotoError):  # no such log group: the driver's output is lost, as on AWS
            self._moto.call("logs", "PutLogEvents", place.region, {**stream, "logEvents": events})

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self.faults.latency:
            time.sleep(self.faults.latency)
        if self.faults.down:
            return _hang_up(environ)
        service, region = _scope(environ)
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        with self._lock:
            self.calls[operation] += 1
            self._advance()
        if service in _MOTO_SERVICES:
            return self._moto.answer(environ, start_response)
        if service != "ecs":
            return self._refuse_unknown(start_response, f"{service}:{operation}")
        return self._answer_ecs(environ, start_response, region, operation)

    def _answer_ecs(
        self, environ: Environ, start_response: StartResponse, region: str, operation: str
    ) -> Iterable[bytes]:
        if self.faults.take_throttle():
            return _refuse(start_response, "ThrottlingException", "Rate exceeded")
        if operation in self.faults.denied:
            who = f"arn:aws:iam::{self.account}:user/hms-sys"
            message = f"User: {who} is not authorized to perform: ecs:{operation}"
            return _refuse(start_response, "AccessDeniedException", message)
        if operation in _MOTO_CALLS:
            answer = self._moto.answer(environ, start_response)
        elif operation in self._plane.operations:
            answer = self._operate(environ, start_response, region, operation)
        else:
            return self._refuse_unknown(start_response, f"ecs:{operation}")
        return _hang_up(environ) if self.faults.take_loss(operation) else answer

    def _operate(
        self, environ: Environ, start_response: StartResponse, region: str, operation: str
    ) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        params = json.loads(environ["wsgi.input"].read(length) or b"{}")
        try:
            with self._lock:
                document = self._plane.operations[operation](region, params, time.time())
        except ApiError as exc:
            return _refuse(start_response, exc.code, exc.message)
        return _respond(start_response, "200 OK", document)

    def _refuse_unknown(self, start_response: StartResponse, call: str) -> Iterable[bytes]:
        with self._lock:
            self.unexpected.append(call)
        message = f"The stand-in does not know {call}."
        return _refuse(start_response, "UnknownOperationException", message)


class _QuietHandler(MotoRequestHandler):
    """Does not write a line for each request."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing: `calls` and `unexpected` say it."""


def _scope(environ: Environ) -> tuple[str, str]:
    """Service and region that the request was signed for."""
    _, _, credential = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")
    parts = credential.partition(",")[0].split("/")
    return (parts[3], parts[2]) if len(parts) == 5 else ("", "")


def _hang_up(environ: Environ) -> Iterable[bytes]:
    with suppress(OSError):
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionError("hung up on purpose")


def _refuse(start_response: StartResponse, code: str, message: str) -> Iterable[bytes]:
    return _respond(start_response, "400 Bad Request", {"__type": code, "message": message})


def _respond(start_response: StartResponse, status: str, document: Json) -> Iterable[bytes]:
    body = json.dumps(document).encode()
    headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("Content-Length", str(len(body))),
    ]
    start_response(status, headers)
    return [body]
