"""etcd, the API server and the controllers: real programs, on loopback, with nothing of them left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
ADMIN = "admin-of-the-tests"
_CONTROLLERS = (
    "deployment,replicaset,statefulset,daemonset,garbagecollector,resourcequota,"
    "serviceaccount,serviceaccount-token"
)
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


def find_assets() -> Path | None:
    """The folder with the programs; None when they are not at hand."""
    folder = Path(os.environ.get("KUBEBUILDER_ASSETS") or "/nowhere")
    return folder if all(os.access(folder / name, os.X_OK) for name in PROGRAMS) else None


class ControlPlane:
    """One cluster; `url` and `authority` (its certificate's file) are set once it answers."""

    def __init__(self, assets: Path) -> None:
        self._assets = assets
        self._home = Path(tempfile.mkdtemp(prefix="hms-k8s-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port, self._store_port, self._peer_port = (_free_port() for _ in range(3))
        self.url = f"https://127.0.0.1:{self._port}"
        self.authority = self._home / "certs" / "apiserver.crt"
        self.key = self._home / "certs" / "apiserver.key"

    def start(self) -> None:
        """Return once the API server is ready and the controllers are about to be."""
        self._write_secrets()
        self._run("etcd", self._store_arguments())
        self._run("kube-apiserver", self._server_arguments())
        self._wait()
        self._run("kube-controller-manager", self._controller_arguments())

    def restart(self) -> None:
        """The API server is killed and started anew; it knows nothing of former watches."""
        server = self._processes[PROGRAMS.index("kube-apiserver")]
        server.kill()
        server.wait()
        self._processes.remove(server)
        self._run("kube-apiserver", self._server_arguments())
        self._processes.insert(PROGRAMS.index("kube-apiserver"), self._processes.pop())
        self._wait()

    def remove(self) -> None:
        """Stop all of them, and leave nothing."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._home)

    def client(self, token: str = ADMIN) -> httpx.Client:
        """A client of whoever has the token; the server's certificate is checked."""
        trust = ssl.create_default_context(cafile=str(self.authority))
        login = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, verify=trust, headers=login, timeout=20)

    def _store_arguments(self) -> Sequence[str]:
        own, peers = f"http://127.0.0.1:{self._store_port}", f"http://127.0.0.1:{self._peer_port}"
        return (
            f"--data-dir={self._home / 'etcd'}",
            f"--listen-client-urls={own}",
            f"--advertise-client-urls={own}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
        )

    def _server_arguments(self) -> Sequence[str]:
        key = self._home / "accounts.key"
        return (
            f"--etcd-servers=http://127.0.0.1:{self._store_port}",
            f"--cert-dir={self._home / 'certs'}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={self._home / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--kubelet-preferred-address-types=InternalIP",
            # Pods of the tests need no token of their own, and would wait for it.
            "--disable-admission-plugins=ServiceAccount",
        )

    def _controller_arguments(self) -> Sequence[str]:
        return (
            f"--kubeconfig={self._home / 'kubeconfig'}",
            f"--controllers={_CONTROLLERS}",
            "--leader-elect=false",
            f"--service-account-private-key-file={self._home / 'accounts.key'}",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )

    def _write_secrets(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (self._home / "accounts.key").write_bytes(pem)
        (self._home / "tokens.csv").write_text(f'{ADMIN},admin,admin,"system:masters"\n')
        (self._home / "kubeconfig").write_text(
            f"""\
apiVersion: v1
kind: Config
clusters: [{{name: it, cluster: {{server: "{self.url}", insecure-skip-tls-verify: true}}}}]
users: [{{name: admin, user: {{token: {ADMIN}}}}}]
contexts: [{{name: it, context: {{cluster: it, user: admin}}}}]
current-context: it
"""
        )

    def _run(self, name: str, arguments: Sequence[str]) -> None:
        with (self._home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [self._assets / name, *arguments], cwd=self._home, stdout=log, stderr=log
            )
        self._processes.append(process)

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if time.monotonic() > end or any(p.poll() is not None for p in self._processes):
                logs = [(self._home / f"{name}.log") for name in PROGRAMS]
                said = [log.read_text()[-3000:] for log in logs if log.exists()]
                self.remove()
                raise RuntimeError("\n".join(said))
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        if not self.authority.exists():
            return False
        try:
            with self.client() as client:
                # The namespace is what a start creates last.
                is_ready = client.get("/readyz").status_code == 200
                return is_ready and client.get("/api/v1/namespaces/default").status_code == 200
        except (httpx.TransportError, ssl.SSLError):
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
