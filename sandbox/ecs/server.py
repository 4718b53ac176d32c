"""The stand-in as people and tests open it."""

from __future__ import annotations

import os
import threading
from collections import Counter
from contextlib import suppress
from types import TracebackType

from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.ecs.account import Account
from sandbox.ecs.faults import Faults
from sandbox.ecs.front import Front, QuietHandler
from sandbox.ecs.model import Service
from sandbox.ecs.moto_app import Json, MotoError


class EcsStandIn:
    """A context manager, plain or async, that serves on 127.0.0.1 while it is open.

    `pace` is in seconds: how long a task takes from one state to the next. `calls` counts the requests
    by operation, `unexpected` names those that nobody here understands.
    """

    def __init__(
        self,
        *,
        pace: float = 0.03,
        region: str = "eu-west-1",
        port: int = 0,
    ) -> None:
        self.region = region
        self.faults = Faults()
        self._account = Account(pace=pace, region=region)
        self._front = Front(self._account, self.faults)
        self._port = port
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> EcsStandIn:
        self._server = make_server(
            "127.0.0.1", self._port, self._front, threaded=True, request_handler=QuietHandler
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
    def account(self) -> str:
        """The account's twelve digits."""
        return self._account.id

    @property
    def registry(self) -> str:
        """Host name of the account's ECR."""
        return self._account.images.host

    @property
    def calls(self) -> Counter[str]:
        """Requests so far, by operation."""
        return self._front.calls

    @property
    def unexpected(self) -> list[str]:
        """Requests that were refused because nobody here knows them: `service:Operation`."""
        return self._front.unexpected

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
        return self._account.images.push(repository, tag, content)

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
            self.push_image(image, tag)
            image = f"{self.registry}/{image}"
        with suppress(MotoError):  # another service's group of the same name
            self.call("logs", "CreateLogGroup", {"logGroupName": f"/ecs/{name}"})
        settings = {"enable": breaker, "rollback": breaker}
        params = {
            "cluster": cluster,
            "serviceName": name,
            "desiredCount": desired,
            "deploymentController": {"type": controller},
            "deploymentConfiguration": {"deploymentCircuitBreaker": settings},
        }
        definition = _definition(name, container, f"{image}:{tag}", self.region)
        return self._account.set_scene(params, definition)

    def service(self, cluster: str, name: str) -> Service:
        """The service as it is now; for looking, not for changing."""
        return self._account.service(cluster, name)

    def serving(self, cluster: str, name: str) -> str:
        """The tag whose tasks run, read behind the API; "" when none or when more than one does."""
        return self._account.serving(cluster, name)

    def call(self, service: str, operation: str, params: Json) -> Json:
        """What somebody else does in the same account, uncounted: `ecs`, `ecr` or `logs`."""
        if service == "ecs" and self._account.knows(operation):
            return self._account.operate(self.region, operation, params)
        return self._account.moto.call(service, operation, self.region, params)


def _definition(family: str, container: str, image: str, region: str) -> Json:
    """The parameters of RegisterTaskDefinition for a small Fargate task with awslogs."""
    log_options = {
        "awslogs-group": f"/ecs/{family}",
        "awslogs-region": region,
        "awslogs-stream-prefix": "ecs",
    }
    return {
        "family": family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [
            {
                "name": container,
                "image": image,
                "essential": True,
                "memory": 512,
                "logConfiguration": {"logDriver": "awslogs", "options": log_options},
            }
        ],
        "tags": [{"key": "team", "value": "platform"}],
    }
