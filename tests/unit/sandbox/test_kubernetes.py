"""The Kubernetes stand-in refuses what the API server refuses, and its controllers do what theirs do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from sandbox.kubernetes import KubernetesStandIn
from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.patches import JSON_PATCH, MERGE, STRATEGIC, apply
from sandbox.kubernetes.statuses import ApiError

WEB = "/apis/apps/v1/namespaces/shop/deployments/web"


@pytest.fixture
async def cluster() -> AsyncIterator[KubernetesStandIn]:
    async with KubernetesStandIn(pace=60) as opened:
        opened.add_deployment("shop", "web", "acme/web:1.0")
        yield opened


async def ask(
    cluster: KubernetesStandIn,
    path: str,
    body: object = None,
    *,
    kind: str = STRATEGIC,
    token: str = KubernetesStandIn.token,
) -> tuple[int, Json]:
    """GET without a body, PATCH with one."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    method, sent = ("GET", None) if body is None else ("PATCH", json.dumps(body))
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, cluster.url + path, data=sent, headers=headers) as response,
    ):
        answer: Json = await response.json()
        return response.status, answer


@pytest.mark.parametrize(
    "path",
    [
        "/apis/apps/v1/namespaces/shop/cronjobs",
        "/api/v1/namespaces/shop/deployments",
        "/api/v1/namespaces/shop/secrets",
        f"{WEB}/status",
        f"{WEB}?exact=true",
    ],
)
async def test_what_it_does_not_know_is_refused_and_recorded(
    cluster: KubernetesStandIn, path: str
) -> None:
    assert (await ask(cluster, path))[0] in (400, 404)
    assert cluster.unexpected == [f"GET {path}"]


async def test_a_watch_tells_changes_and_then_that_it_is_too_old(
    cluster: KubernetesStandIn,
) -> None:
    path = f"{cluster.url}/apis/apps/v1/namespaces/shop/deployments"
    query = {"watch": "true", "resourceVersion": str(cluster.store.version), "timeoutSeconds": "5"}
    headers = {"Authorization": f"Bearer {cluster.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(path, params=query) as response,
    ):
        cluster.edit("deployments", "shop", "web", replicas=4)
        first = json.loads(await response.content.readline())
        cluster.expire_history()
        last = json.loads(await response.content.readline())

    assert (first["type"], first["object"]["spec"]["replicas"]) == ("MODIFIED", 4)
    assert (last["type"], last["object"]["code"]) == ("ERROR", 410)


def test_strategic_merge_knows_containers_by_name() -> None:
    target: Json = {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}]}

    merged = apply(STRATEGIC, target, {"containers": [{"name": "b", "image": "2"}]})

    assert merged == {"containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "2"}]}


def test_merge_patch_replaces_lists() -> None:
    merged = apply(MERGE, {"containers": [1, 2]}, {"containers": [3]})

    assert merged == {"containers": [3]}


def test_null_removes_and_replace_replaces() -> None:
    target: Json = {"a": {"x": 1, "y": 2}, "b": {"x": 1}}

    merged = apply(STRATEGIC, target, {"a": {"x": None}, "b": {"$patch": "replace", "z": 3}})

    assert merged == {"a": {"y": 2}, "b": {"z": 3}}


def test_json_patch_tests_before_it_replaces() -> None:
    steps = [
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "replace", "path": "/spec/a~1b", "value": 2},
    ]
    target: Json = {"metadata": {"uid": "u"}, "spec": {"a/b": 1}}

    assert apply(JSON_PATCH, target, steps)["spec"] == {"a/b": 2}
    with pytest.raises(ApiError) as caught:
        apply(JSON_PATCH, {**target, "metadata": {"uid": "v"}}, steps)
    assert caught.value.code == 422


async def test_a_rolling_update_never_goes_below_what_must_be_available(
    cluster: KubernetesStandIn,
) -> None:
    cluster.set_image("deployments", "shop", "web", "acme/web:1.1")
    seen = []
    for _ in range(40):
        cluster.tick()
        seen.append(cluster.get("deployments", "shop", "web")["status"])

    assert min(s.get("availableReplicas", 0) for s in seen) >= 3
    assert max(s.get("replicas", 0) for s in seen) <= 4
    assert cluster.serving("shop", {"app": "web"}) == {"1.1"}


async def test_going_back_gives_the_old_replicaset_a_new_number(cluster: KubernetesStandIn) -> None:
    for tag in ("1.1", "1.0"):
        cluster.set_image("deployments", "shop", "web", f"acme/web:{tag}")
        for _ in range(40):
            cluster.tick()

    numbers = {
        r["spec"]["template"]["spec"]["containers"][0]["image"]: r["metadata"]["annotations"][
            "deployment.kubernetes.io/revision"
        ]
        for r in cluster.store.find("replicasets")
    }
    assert numbers == {"acme/web:1.1": "2", "acme/web:1.0": "3"}


async def test_a_settled_cluster_changes_nothing(cluster: KubernetesStandIn) -> None:
    version = cluster.store.version

    for _ in range(10):
        cluster.tick()

    assert cluster.store.version == version


async def test_a_kubeconfig_points_to_it(cluster: KubernetesStandIn, tmp_path: Path) -> None:
    document = json.loads(cluster.kubeconfig(tmp_path / "config").read_text())

    assert document["clusters"][0]["cluster"]["server"] == cluster.url
    assert document["current-context"] == "stand-in"
