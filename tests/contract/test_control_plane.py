"""What only a real control plane can show: our rights, its certificate, and a server that truly restarts."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from bot.clock import SystemClock
from operations.deployment.progress import Verdict
from operations.deployment.release import Release
from operations.deployment.target import Target
from operations.errors import ProviderUnauthorized, ProviderUnavailable
from providers.kubernetes import KubernetesProvider
from providers.registry import Registry
from sandbox.kubernetes.objects import Json
from tests.contract.world_kubernetes import (
    CONTROL_PLANE,
    NAMESPACE,
    Setting,
    open_setting,
    until,
)
from tests.control_plane.opening import running_plane
from tests.control_plane.processes import PROGRAMS, find_assets

if find_assets() is None:
    pytest.skip(
        f"KUBEBUILDER_ASSETS names no folder with {', '.join(PROGRAMS)}", allow_module_level=True
    )

_RBAC = Path(__file__).parents[2] / "docs" / "kubernetes-rbac.yaml"
_GROUP = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
_ACCOUNTS = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
_PATHS = {
    "ServiceAccount": _ACCOUNTS,
    "Role": f"{_GROUP}/roles",
    "RoleBinding": f"{_GROUP}/rolebindings",
}


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    async with open_setting(kind=CONTROL_PLANE) as opened:
        yield opened


@pytest.fixture
async def provider(setting: Setting, tmp_path: Path) -> AsyncIterator[KubernetesProvider]:
    """The adapter as an operator sets it up: the documented rights, TLS, no way around."""
    registry = Registry()
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig(apply_rights())))
    opened = KubernetesProvider(clock=SystemClock(), registry=registry, kubeconfig=str(path))
    yield opened
    await opened.close()
    await registry.close()


def apply_rights(*, bound: bool = True) -> str:
    """`kubectl apply -f docs/kubernetes-rbac.yaml` and `kubectl create token hms-sys`."""
    with running_plane().client() as client:
        for document in yaml.safe_load_all(_RBAC.read_text()):
            path = _PATHS[document["kind"]]
            client.delete(f"{path}/{document['metadata']['name']}")
            if document["kind"] == "RoleBinding":
                for subject in document["subjects"]:
                    subject.setdefault("namespace", NAMESPACE)  # as kubectl does
                if not bound:
                    continue
            client.post(path, json=document).raise_for_status()
        wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        made = client.post(f"{_ACCOUNTS}/hms-sys/token", json=wanted).raise_for_status()
        token: str = made.json()["status"]["token"]
        return token


def kubeconfig(token: str, *, server: str = "") -> dict[str, object]:
    plane = running_plane()
    authority = base64.b64encode(plane.authority.read_bytes()).decode()
    cluster = {"server": server or plane.url, "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "shop", "cluster": cluster}],
        "users": [{"name": "hms-sys", "user": {"token": token}}],
        "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "hms-sys"}}],
        "current-context": "shop",
    }


async def end_of(provider: KubernetesProvider, target: Target, handle: object) -> Verdict:
    async with asyncio.timeout(30):
        async for seen in provider.follow(target, handle):  # type: ignore[arg-type]  # a handle
            if seen.verdict is not None:
                return seen.verdict
    raise AssertionError("the stream ended without a verdict")


def rich_template(image: str) -> Json:
    """Lists of every kind: known by a name, by several keys, and by nothing."""
    probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 3}
    app = {
        "name": "app",
        "image": image,
        "args": ["--verbose", "--verbose"],
        "env": [
            {"name": "B", "value": "2"},
            {"name": "A", "value": "$(B)"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "envFrom": [{"configMapRef": {"name": "web", "optional": True}}],
        "ports": [
            {"name": "http", "containerPort": 8080},
            {"name": "dns", "containerPort": 8080, "protocol": "UDP"},
        ],
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
        "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/scratch"}],
    }
    sidecar = {"name": "log", "image": "acme/log:3", "volumeMounts": app["volumeMounts"]}
    spread = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    return {
        "metadata": {"labels": {"app": "web", "tier": "x"}, "annotations": {"note": "a"}},
        "spec": {
            "initContainers": [{"name": "migrate", "image": "acme/migrate:2"}],
            "containers": [app, sidecar],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
            "imagePullSecrets": [{"name": "registry"}],
            "tolerations": [{"key": "spot", "operator": "Exists"}, {"operator": "Exists"}],
            "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["a", "b"]}],
            "topologySpreadConstraints": [
                {**spread, "labelSelector": {"matchLabels": {"app": "web"}}}
            ],
            "terminationGracePeriodSeconds": 1,
        },
    }


def is_rolled_out(setting: Setting) -> bool:
    found = setting.cluster.get("deployments", NAMESPACE, "web")
    status = found["status"]
    is_seen = status.get("observedGeneration") == found["metadata"]["generation"]
    counts = [status.get(k) for k in ("replicas", "updatedReplicas", "readyReplicas")]
    return bool(is_seen and counts == [3, 3, 3])


async def test_the_documented_rights_are_enough_to_ship_look_and_go_back(
    setting: Setting, provider: KubernetesProvider
) -> None:
    target = setting.target

    started = await provider.start(setting.order("1.1-bad"))
    verdict = await end_of(provider, target, started.handle)
    explained = await provider.explain(target, started.handle)
    back = await provider.restore(setting.way_back(setting.pinned("1.0"), handle=started.handle))

    assert verdict is Verdict.FAILED
    assert any("not found" in line for line in explained.evidence)
    assert await end_of(provider, target, back.handle) is Verdict.SUCCEEDED
    assert (await provider.status(target)).version == "1.0"
    assert await provider.logs(target, lines=5, since=None)


@pytest.mark.parametrize("kind", ["statefulset", "daemonset"])
async def test_the_documented_rights_are_enough_for_other_kinds(
    setting: Setting, provider: KubernetesProvider, kind: str
) -> None:
    getattr(setting.cluster, f"add_{kind}")(NAMESPACE, "db", f"{setting.image}:1.0")
    target = setting.target_of(f"{kind}/db")

    started = await provider.start(setting.order("1.1", target=target))

    assert await end_of(provider, target, started.handle) is Verdict.SUCCEEDED


async def test_a_template_with_everything_in_it_comes_back_as_it_was(
    setting: Setting, provider: KubernetesProvider
) -> None:
    cluster, image = setting.cluster, f"{setting.image}:1.0"
    cluster.edit("deployments", NAMESPACE, "web", template=rich_template(image))
    await until(lambda: is_rolled_out(setting), seconds=20)
    before = cluster.get("deployments", NAMESPACE, "web")["spec"]

    target = setting.target_of("deployment/web", container="app")
    started = await provider.start(setting.order("1.1-bad", target=target))
    await end_of(provider, target, started.handle)
    previous = Release(version="1.0", artifact=image)
    way_back = setting.way_back(previous, handle=started.handle, target=target)
    back = await provider.restore(way_back)

    assert await end_of(provider, target, back.handle) is Verdict.SUCCEEDED
    assert cluster.get("deployments", NAMESPACE, "web")["spec"] == before


async def test_without_rights_it_says_which_one_is_missing(
    setting: Setting, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig(apply_rights(bound=False))))
    provider = KubernetesProvider(clock=SystemClock(), registry=Registry(), kubeconfig=str(path))

    with pytest.raises(ProviderUnauthorized, match="Kubernetes forbids it") as caught:
        await provider.status(setting.target)

    assert "deployments" in f"{caught.value.message} {caught.value.hint}"
    await provider.close()


async def test_a_certificate_of_somebody_else_is_not_trusted(
    setting: Setting, tmp_path: Path
) -> None:
    elsewhere = running_plane().url.replace("127.0.0.1", "localhost.localdomain")
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig("any", server=elsewhere)))
    provider = KubernetesProvider(clock=SystemClock(), registry=Registry(), kubeconfig=str(path))

    with pytest.raises(ProviderUnavailable):
        await provider.status(setting.target)

    await provider.close()


async def test_a_rollout_is_followed_through_a_restart_of_the_api_server(
    setting: Setting, provider: KubernetesProvider
) -> None:
    started = await provider.start(setting.order("1.1-slow"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(end_of(provider, setting.target, started.handle))
        await asyncio.to_thread(running_plane().restart)
        setting.cluster.set_image("deployments", NAMESPACE, "web", f"{setting.image}:2.0")

    # Whoever missed the change would go on for ever: the image was set while nobody was told.
    assert following.result() is Verdict.UNKNOWN
