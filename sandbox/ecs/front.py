"""The HTTP side of the stand-in: one address for ECS, ECR, CloudWatch logs and STS, as with moto.

Requests to services and tasks of ECS are answered by the account, task definitions, clusters and the
other AWS services by moto. Anything else is refused and kept in `unexpected`.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from moto.moto_server.werkzeug_app import MotoRequestHandler

from sandbox.ecs.account import Account
from sandbox.ecs.faults import Faults
from sandbox.ecs.moto_app import Environ, Json, StartResponse
from sandbox.ecs.parameters import ApiError

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


class Front:
    """A WSGI application. `calls` counts requests by operation."""

    def __init__(self, account: Account, faults: Faults) -> None:
        self.calls: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self._account = account
        self._faults = faults
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self._faults.latency:
            time.sleep(self._faults.latency)
        if self._faults.down:
            return _hang_up(environ)
        service, region = _scope(environ)
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        with self._lock:
            self.calls[operation] += 1
        self._account.advance()
        if service in _MOTO_SERVICES:
            return self._account.moto.answer(environ, start_response)
        if service != "ecs":
            return self._refuse_unknown(start_response, f"{service}:{operation}")
        return self._answer_ecs(environ, start_response, region, operation)

    def _answer_ecs(
        self, environ: Environ, start_response: StartResponse, region: str, operation: str
    ) -> Iterable[bytes]:
        if self._faults.take_throttle(operation):
            return _refuse(start_response, "ThrottlingException", "Rate exceeded")
        if operation in self._faults.denied:
            who = f"arn:aws:iam::{self._account.id}:user/hms-sys"
            message = f"User: {who} is not authorized to perform: ecs:{operation}"
            return _refuse(start_response, "AccessDeniedException", message)
        if operation in _MOTO_CALLS:
            answer = self._account.moto.answer(environ, start_response)
        elif self._account.knows(operation):
            answer = self._operate(environ, start_response, region, operation)
        else:
            return self._refuse_unknown(start_response, f"ecs:{operation}")
        return _hang_up(environ) if self._faults.take_loss(operation) else answer

    def _operate(
        self, environ: Environ, start_response: StartResponse, region: str, operation: str
    ) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        params = json.loads(environ["wsgi.input"].read(length) or b"{}")
        try:
            document = self._account.operate(region, operation, params)
        except ApiError as exc:
            return _refuse(start_response, exc.code, exc.message)
        return _respond(start_response, "200 OK", document)

    def _refuse_unknown(self, start_response: StartResponse, call: str) -> Iterable[bytes]:
        with self._lock:
            self.unexpected.append(call)
        message = f"The stand-in does not know {call}."
        return _refuse(start_response, "UnknownOperationException", message)


class QuietHandler(MotoRequestHandler):
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
