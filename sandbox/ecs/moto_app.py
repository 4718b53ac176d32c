"""moto's WSGI application as one account's back room: task definitions, images, log groups, STS.

Each stand-in has an account of its own in it, so that several live side by side in a process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, cast

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

Json = dict[str, Any]  # a JSON document as it came over the wire: its shape is AWS's, not ours
Environ = dict[str, Any]  # WSGI's own
StartResponse = Callable[..., Any]

_TARGETS = {
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "logs": "Logs_20140328",
}


class MotoError(Exception):
    """moto's own refusal, in AWS's words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@cache
def _application() -> DomainDispatcherApplication:
    return DomainDispatcherApplication(create_backend_app)


class MotoApp:
    """One account of the process's moto."""

    def __init__(self, account: str) -> None:
        self.account = account

    def answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Let moto answer a request as it came."""
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self.account
        return cast("Iterable[bytes]", _application()(environ, start_response))

    def call(self, service: str, operation: str, region: str, params: Json) -> Json:
        """Ask moto without the network; raises MotoError."""
        scope = f"stand-in/20260101/{region}/{service}/aws4_request"
        builder = EnvironBuilder(
            method="POST",
            path="/",
            data=json.dumps(params),
            headers=Headers(
                {
                    "Content-Type": "application/x-amz-json-1.1",
                    "X-Amz-Target": f"{_TARGETS[service]}.{operation}",
                    "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=h, Signature=s",
                }
            ),
        )
        body, status, headers = run_wsgi_app(self.answer, builder.get_environ(), buffered=True)
        document = json.loads(b"".join(body) or b"{}")
        if not status.startswith("200"):
            kind = document.get("__type") or headers.get("x-amzn-errortype", status)
            raise MotoError(kind.rpartition("#")[2], document.get("message", status))
        return cast("Json", document)
