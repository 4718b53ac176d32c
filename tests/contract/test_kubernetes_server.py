"""What an API server answers, asked past the adapter: the stand-in says what a real one says.

Where no real one is at hand (see `tests.control_plane`), only the stand-in is asked.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.patches import JSON_PATCH, MERGE, STRATEGIC
from tests.contract.world_kubernetes import CLUSTERS, Setting, open_setting

WEB = "/apis/apps/v1/namespaces/shop/deployments/web"
PODS = "/api/v1/namespaces/shop/pods"


@dataclass(frozen=True)
class Asker:
    """Requests with the cluster's own token."""

    setting: Setting
    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, token: str = "") -> tuple[int, Json]:
        async with self.session.get(self.url + path, headers=self._login(token)) as response:
            return response.status, await response.json()

    async def text(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path, headers=self._login()) as response:
            return response.status, await response.text()

    async def patch(self, body: object, kind: str = STRATEGIC, path: str = WEB) -> tuple[int, Json]:
        headers = {**self._login(), "Content-Type": kind}
        sent = json.dumps(body)
        async with self.session.patch(self.url + path, data=sent, headers=headers) as response:
            return response.status, await response.json()

    async def template(self) -> Json:
        found: Json = (await self.get(WEB))[1]["spec"]["template"]
        return found

    async def pod(self) -> str:
        name: str = (await self.get(PODS))[1]["items"][0]["metadata"]["name"]
        return name

    def _login(self, token: str = "") -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.setting.cluster.token}"}


@pytest.fixture(params=CLUSTERS)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Asker]:
    async with open_setting(kind=request.param) as setting, aiohttp.ClientSession() as session:
        yield Asker(setting, session, setting.cluster.url)


def image(name: str, container: str = "app") -> Json:
    return {"spec": {"template": {"spec": {"containers": [{"name": container, "image": name}]}}}}


async def test_a_wrong_token_is_401(server: Asker) -> None:
    status, answer = await server.get(WEB, token="wrong")

    assert (status, answer["reason"], answer["message"]) == (401, "Unauthorized", "Unauthorized")


async def test_an_unknown_object_is_404_and_named(server: Asker) -> None:
    status, answer = await server.get(f"{WEB}x")

    assert (status, answer["reason"]) == (404, "NotFound")
    assert answer["message"] == 'deployments.apps "webx" not found'
    assert answer["details"] == {"name": "webx", "group": "apps", "kind": "deployments"}


async def test_a_list_tells_its_version_and_items_without_their_kind(server: Asker) -> None:
    _, answer = await server.get(PODS)

    assert (answer["kind"], answer["apiVersion"]) == ("PodList", "v1")
    assert int(answer["metadata"]["resourceVersion"]) > 0
    assert all("kind" not in item for item in answer["items"])


async def test_a_stale_resource_version_is_409(server: Asker) -> None:
    status, answer = await server.patch({"metadata": {"resourceVersion": "1"}})

    assert (status, answer["reason"]) == (409, "Conflict")


async def test_another_uid_is_422(server: Asker) -> None:
    status, answer = await server.patch({"metadata": {"uid": "another"}})

    assert (status, answer["reason"]) == (422, "Invalid")


async def test_an_unknown_patch_type_is_415(server: Asker) -> None:
    assert (await server.patch({}, kind="application/json"))[0] == 415


@pytest.mark.parametrize(
    "body",
    [
        image(""),
        image("acme/web:1.1", container=""),
        {"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}},
        {"spec": {"replicas": -1}},
        {"spec": {"progressDeadlineSeconds": 0.3}},
        {"metadata": {"annotations": {"a": 1}}},
        {"spec": {"template": "text"}},
    ],
)
async def test_an_object_that_cannot_be_is_422(server: Asker, body: object) -> None:
    status, answer = await server.patch(body)

    assert (status, answer["kind"]) == (422, "Status")
    assert answer["message"]


async def test_a_change_of_spec_or_annotations_raises_a_deployments_generation(
    server: Asker,
) -> None:
    before = (await server.get(WEB))[1]["metadata"]["generation"]

    _, marked = await server.patch({"metadata": {"annotations": {"a": "b"}}})
    _, labelled = await server.patch({"metadata": {"labels": {"a": "b"}}})
    _, scaled = await server.patch({"spec": {"replicas": 5}})

    found = [each["metadata"]["generation"] for each in (marked, labelled, scaled)]
    assert found == [before + 1, before + 1, before + 2]


async def test_only_the_spec_raises_a_daemonsets_generation(server: Asker) -> None:
    server.setting.cluster.add_daemonset("shop", "agent", "acme/agent:1.0")
    path = "/apis/apps/v1/namespaces/shop/daemonsets/agent"
    before = (await server.get(path))[1]["metadata"]["generation"]

    _, marked = await server.patch({"metadata": {"annotations": {"a": "b"}}}, path=path)

    assert marked["metadata"]["generation"] == before


async def test_a_patch_that_changes_nothing_keeps_the_version(server: Asker) -> None:
    _, once = await server.patch({"metadata": {"labels": {"a": "b"}}})
    _, twice = await server.patch({"metadata": {"labels": {"a": "b"}}})

    assert twice["metadata"]["generation"] == once["metadata"]["generation"]


async def test_a_strategic_patch_knows_containers_by_name(server: Asker) -> None:
    before = (await server.template())["spec"]["containers"][0]

    _, answer = await server.patch(image("acme/web:1.1"))

    containers = answer["spec"]["template"]["spec"]["containers"]
    assert containers == [{**before, "image": "acme/web:1.1"}]


async def test_a_strategic_patch_adds_a_container_that_it_does_not_find(server: Asker) -> None:
    _, answer = await server.patch(image("acme/log:1", container="log"))

    names = [c["name"] for c in answer["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == ["app", "log"]


async def test_a_replaced_template_leaves_nothing_of_the_former_one(server: Asker) -> None:
    former = await server.template()
    more = {"metadata": {"labels": {"more": "x"}}, "spec": {"priority": None, "hostname": "h"}}
    await server.patch({"spec": {"template": more}})

    _, answer = await server.patch({"spec": {"template": {"$patch": "replace", **former}}})

    assert answer["spec"]["template"] == former


async def test_null_takes_an_annotation_out(server: Asker) -> None:
    await server.patch({"metadata": {"annotations": {"a": "b", "c": "d"}}})

    _, answer = await server.patch({"metadata": {"annotations": {"a": None}}})

    found = answer["metadata"]["annotations"]
    assert "a" not in found
    assert found["c"] == "d"


async def test_a_merge_patch_replaces_lists(server: Asker) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "new", "image": "x"}]}}}}

    _, answer = await server.patch(body, kind=MERGE)

    assert [c["name"] for c in answer["spec"]["template"]["spec"]["containers"]] == ["new"]


async def test_a_json_patch_whose_test_fails_is_422_and_changes_nothing(server: Asker) -> None:
    steps = [
        {"op": "test", "path": "/metadata/uid", "value": "another"},
        {"op": "replace", "path": "/spec/replicas", "value": 7},
    ]

    status, _ = await server.patch(steps, kind=JSON_PATCH)

    assert status == 422
    assert (await server.get(WEB))[1]["spec"]["replicas"] == 3


async def test_a_json_patch_replaces_what_it_tested(server: Asker) -> None:
    uid = (await server.get(WEB))[1]["metadata"]["uid"]
    steps = [
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "replace", "path": "/spec/replicas", "value": 2},
    ]

    status, answer = await server.patch(steps, kind=JSON_PATCH)

    assert (status, answer["spec"]["replicas"]) == (200, 2)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("labelSelector=app%3Dweb", 3),
        ("labelSelector=app+in+(web,x)", 3),
        ("labelSelector=app+notin+(web)", 0),
        ("labelSelector=!app", 0),
        ("fieldSelector=status.phase%3DFailed", 0),
        ("fieldSelector=metadata.name%3Dnone", 0),
    ],
)
async def test_selectors_narrow_a_list(server: Asker, query: str, names: int) -> None:
    _, answer = await server.get(f"{PODS}?{query}")

    assert len(answer["items"]) == names


@pytest.mark.parametrize("query", ["fieldSelector=spec.color%3Dred", "labelSelector=a%3D%3D%3Db"])
async def test_a_selector_that_cannot_be_is_400(server: Asker, query: str) -> None:
    assert (await server.get(f"{PODS}?{query}"))[0] == 400


async def test_a_watch_goes_on_from_a_lists_version(server: Asker) -> None:
    path = "/apis/apps/v1/namespaces/shop/deployments"
    version = (await server.get(path))[1]["metadata"]["resourceVersion"]
    server.setting.cluster.edit("deployments", "shop", "web", replicas=4)

    query = f"watch=true&resourceVersion={version}&timeoutSeconds=3&allowWatchBookmarks=true"
    _, told = await server.text(f"{path}?{query}")

    first = json.loads(told.splitlines()[0])
    assert (first["type"], first["object"]["kind"]) == ("MODIFIED", "Deployment")
    assert first["object"]["spec"]["replicas"] == 4


async def test_a_log_is_text_with_times_of_nine_digits(server: Asker) -> None:
    path = f"{PODS}/{await server.pod()}/log?tailLines=1&timestamps=true&container=app"

    status, told = await server.text(path)

    stamp, _, line = told.partition(" ")
    assert (status, line) == (200, "GET /healthz 200\n")
    assert len(stamp) == len("2026-11-24T12:00:00.500000000Z")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("container=sidecar", 400),
        ("previous=true", 400),
        ("tailLines=-1", 422),
        ("limitBytes=0", 422),
        ("sinceSeconds=0", 422),
        ("sinceTime=noon", 400),
        ("sinceTime=2026-11-24T12:00:00Z&sinceSeconds=5", 422),
    ],
)
async def test_a_log_that_cannot_be_given_is_refused(
    server: Asker, query: str, status: int
) -> None:
    answered, told = await server.text(f"{PODS}/{await server.pod()}/log?{query}")

    assert (answered, json.loads(told)["kind"]) == (status, "Status")


async def test_the_log_of_an_unknown_pod_is_404(server: Asker) -> None:
    assert (await server.text(f"{PODS}/web-none/log"))[0] == 404
