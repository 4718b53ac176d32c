"""The nodes of the control plane: the stand-in's kubelet on real pods, in a thread of its own.

It also answers what the API server asks a kubelet for: the logs of a container.
Two nodes are registered, as DaemonSets are counted by nodes; one kubelet works for both.
"""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import parse_qsl, urlsplit

import httpx

from sandbox.kubernetes.kubelet import Digests, Kubelet
from sandbox.kubernetes.logs import select
from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.statuses import ApiError
from sandbox.kubernetes.store import Store
from tests.control_plane.objects import RemoteObjects
from tests.control_plane.processes import ControlPlane

NAMES = ("stand-in-node", "stand-in-node-2")
_PACE = 0.03
_PASSING = frozenset({404, 409, 500, 503})


class Nodes:
    """`kubelet` has the knobs of the stand-in's."""

    def __init__(self, plane: ControlPlane, digests: Digests) -> None:
        self._plane = plane
        self._client = plane.client()
        self._objects = RemoteObjects(self._client)
        self.kubelet = Kubelet(cast(Store, self._objects), digests, slow_paces=100_000)
        self._ended = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Pods come to life within the block."""
        server = self._serve_logs()
        for name in NAMES:
            self._register(name, server.server_port)
        threads = [
            threading.Thread(target=self._work, name="kubelet"),
            threading.Thread(target=server.serve_forever, name="kubelet's logs"),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            server.shutdown()
            for thread in threads:
                thread.join()
            server.server_close()
            self._client.close()

    def log(self, path: str) -> tuple[int, str]:
        """Status and text for `/containerLogs/NAMESPACE/POD/CONTAINER`, as a kubelet answers."""
        address = urlsplit(path)
        query = dict(parse_qsl(address.query))
        _, _, namespace, name, container = address.path.split("/")
        pod = self._objects.get("pods", namespace, name)
        lines = self.kubelet.log_of(pod, previous=query.get("previous") == "true")
        if lines is None:
            state = f'container "{container}" in pod "{name}" is waiting to start'
            return 400, f"{state}: ContainerCreating"
        try:
            return 200, select(lines, query)
        except ApiError as error:
            return 400, str(error)

    def _work(self) -> None:
        while not self._ended.wait(_PACE):
            try:
                self.kubelet.tick()
            except httpx.TransportError:
                continue  # the API server restarts
            except httpx.HTTPStatusError as gone:
                # A pod may be deleted, or changed, between a look and a word about it.
                if gone.response.status_code not in _PASSING:
                    raise

    def _register(self, name: str, port: int) -> None:
        path = f"/api/v1/nodes/{name}"
        self._client.delete(path)
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
        self._client.post("/api/v1/nodes", json=node).raise_for_status()
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
            "allocatable": {"pods": "1000", "cpu": "64", "memory": "64Gi"},
            "capacity": {"pods": "1000", "cpu": "64", "memory": "64Gi"},
        }
        headers = {"Content-Type": "application/merge-patch+json"}
        body = {"status": status}
        self._client.patch(f"{path}/status", json=body, headers=headers).raise_for_status()
        # The API server taints a new node; nothing here would take that away again.
        free: Json = {"spec": {"taints": None}}
        self._client.patch(path, json=free, headers=headers).raise_for_status()

    def _serve_logs(self) -> http.server.ThreadingHTTPServer:
        node = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, text = node.log(self.path)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._plane.authority, self._plane.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        return server
