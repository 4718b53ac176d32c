"""What is Kubernetes' own in a rollout: kinds, marks, reasons, and the way back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from operations.deployment.progress import Verdict
from operations.deployment.release import Release
from operations.errors import InvalidRequest, OutcomeUnknown, ProviderRejected
from providers.kubernetes import Patience
from tests.contract.world_kubernetes import CLUSTERS, NAMESPACE, Setting, open_setting, until

QUICK = Patience(silence=0.5, unschedulable=0.2, blocked=0.3, given_up=0.2, look=0.05)


@pytest.fixture(params=CLUSTERS)
async def setting(request: pytest.FixtureRequest) -> AsyncIterator[Setting]:
    async with open_setting(patience=QUICK, kind=request.param) as opened:
        yield opened


def marks_of(setting: Setting, resource: str = "deployments", name: str = "web") -> dict[str, str]:
    found: dict[str, str] = setting.cluster.get(resource, NAMESPACE, name)["metadata"][
        "annotations"
    ]
    return found


# -- resolving -------------------------------------------------------------------------------------


async def test_the_pin_is_the_registrys_digest(setting: Setting) -> None:
    resolution = await setting.provider.resolve(setting.target, "1.1")

    assert resolution.release == setting.pinned("1.1")
    assert resolution.changes == (
        f"image of Deployment web/app: {setting.image}:1.0 → {setting.pinned('1.1').artifact}",
    )
    assert resolution.warnings == ()


async def test_a_silent_registry_leaves_it_unpinned_and_warns(setting: Setting) -> None:
    setting.registry.unauthorized = True

    resolution = await setting.provider.resolve(setting.target, "1.1")

    assert resolution.release == Release(version="1.1", artifact=f"{setting.image}:1.1")
    assert any("does not tell the digest" in w for w in resolution.warnings)


async def test_a_silent_registry_is_replaced_by_what_the_pods_pulled(setting: Setting) -> None:
    setting.registry.down = True

    resolution = await setting.provider.resolve(setting.target, "")

    assert resolution.release == setting.pinned("1.0")


async def test_without_an_image_the_running_ones_repository_is_used(setting: Setting) -> None:
    target = setting.target_of("deployment/web", image=None)

    assert (await setting.provider.resolve(target, "1.1")).release == setting.pinned("1.1")


async def test_a_digest_remembers_the_version_it_was_deployed_as(setting: Setting) -> None:
    await setting.provider.start(setting.order("1.1"))
    await until(lambda: setting.cluster.serving(NAMESPACE, {"app": "web"}) == {"1.1"})

    current = (await setting.provider.resolve(setting.target, "1.2")).current

    assert current == setting.pinned("1.1")


async def test_a_digest_set_by_somebody_else_has_no_version_of_ours(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1"))
    await setting.end_of(started.handle)
    other = setting.pinned("1.2")
    setting.cluster.set_image("deployments", NAMESPACE, "web", other.artifact)
    await until(lambda: setting.cluster.serving(NAMESPACE, {"app": "web"}) == {"1.2"})

    assert (await setting.provider.status(setting.target)).version == other.pin


async def test_what_serves_is_current_while_a_broken_version_is_in_the_template(
    setting: Setting,
) -> None:
    started = await setting.provider.start(setting.order("1.1-bad"))
    await setting.end_of(started.handle)

    current = (await setting.provider.resolve(setting.target, "1.2")).current

    assert current is not None
    assert current.version == "1.0"


@pytest.mark.parametrize("version", ["no spaces", "-dash", "a/b", "sha256:short", "x" * 129])
async def test_words_that_cannot_be_tags_are_refused(setting: Setting, version: str) -> None:
    with pytest.raises(InvalidRequest):
        await setting.provider.resolve(setting.target, version)


async def test_a_missing_workload_is_named(setting: Setting) -> None:
    with pytest.raises(ProviderRejected, match="no Deployment “api” in namespace “shop”"):
        await setting.provider.resolve(setting.target_of("deployment/api"), "1.1")


async def test_an_unknown_container_is_answered_with_the_choices(setting: Setting) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await setting.provider.resolve(
            setting.target_of("deployment/web", container="sidecar"), "1.1"
        )

    assert "app" in caught.value.hint


async def test_a_workload_that_belongs_to_helm_is_warned_of(setting: Setting) -> None:
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    setting.cluster.annotate("deployments", NAMESPACE, "web", labels=labels)

    warnings = (await setting.provider.resolve(setting.target, "1.1")).warnings

    assert any("belongs to Helm" in w for w in warnings)


# -- starting --------------------------------------------------------------------------------------


async def test_a_start_leaves_our_marks_and_the_cause(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1"))

    assert started.summary == "Deployment web patched to 1.1"
    found = marks_of(setting)
    assert found["hms-sys/rollout"] == "D-1042"
    assert found["hms-sys/version"] == "1.1"
    assert found["kubernetes.io/change-cause"] == "D-1042 by alice"


async def test_a_paused_deployment_is_refused_and_not_touched(setting: Setting) -> None:
    setting.cluster.edit("deployments", NAMESPACE, "web", paused=True)

    with pytest.raises(ProviderRejected, match="paused"):
        await setting.provider.start(setting.order("1.1"))

    assert setting.cluster.patches == []


async def test_a_patch_loses_no_other_container_field(setting: Setting) -> None:
    before = setting.cluster.get("deployments", NAMESPACE, "web")["spec"]["template"]["spec"]

    await setting.provider.start(setting.order("1.1"))

    after = setting.cluster.get("deployments", NAMESPACE, "web")["spec"]["template"]["spec"]
    expected = [{**before["containers"][0], "image": setting.pinned("1.1").artifact}]
    assert after == {**before, "containers": expected}


async def test_a_lost_answer_is_found_again_by_the_key(setting: Setting) -> None:
    setting.cluster.faults.swallow_next_patch()

    with pytest.raises(OutcomeUnknown):
        await setting.provider.start(setting.order("1.1"))
    again = await setting.provider.start(replace(setting.order("1.1"), resumed=True))

    assert len(setting.cluster.patches) == 1
    assert (await setting.end_of(again.handle)).verdict is Verdict.SUCCEEDED


# -- following -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["statefulset", "daemonset"])
async def test_other_kinds_roll_out_too(setting: Setting, kind: str) -> None:
    if kind == "statefulset":
        setting.cluster.add_statefulset(NAMESPACE, "db", f"{setting.image}:1.0")
    else:
        setting.cluster.add_daemonset(NAMESPACE, "db", f"{setting.image}:1.0")
    target = setting.target_of(f"{kind}/db")

    started = await setting.provider.start(setting.order("1.1", target=target))
    seen = await setting.end_of(started.handle, target)

    assert seen.verdict is Verdict.SUCCEEDED
    assert (seen.ready, seen.total) == (2, 2)
    assert setting.cluster.serving(NAMESPACE, {"app": "db"}) == {"1.1"}


async def test_pods_are_counted_on_the_way(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1"))
    counts = []
    async with asyncio.timeout(10):
        async for seen in setting.provider.follow(setting.target, started.handle):
            counts.append((seen.ready, seen.total))
            if seen.verdict is not None:
                break

    assert counts == sorted(counts)
    assert {(0, 3), (1, 3), (3, 3)} <= set(counts)


async def test_success_is_told_at_once(setting: Setting) -> None:
    done_at = 0.0

    async def watch() -> None:
        nonlocal done_at

        def done() -> bool:
            status = setting.cluster.get("deployments", NAMESPACE, "web")["status"]
            reasons = [c["reason"] for c in status["conditions"]]
            return status["observedGeneration"] == 2 and "NewReplicaSetAvailable" in reasons

        await until(done)
        done_at = time.monotonic()

    started = await setting.provider.start(setting.order("1.1"))
    async with asyncio.TaskGroup() as group:
        group.create_task(watch())
        await setting.end_of(started.handle)

    assert time.monotonic() - done_at < 0.3


@pytest.mark.parametrize(
    ("version", "summary", "reason", "evidence"),
    [
        ("1.1-bad", "cannot pull the image", "ImagePullBackOff", "not found"),
        ("1.1-crash", "crash", "CrashLoopBackOff: exit code 1", "KeyError: 'DATABASE_URL'"),
        ("1.1-noconfig", "cannot be started", "CreateContainerConfigError", "web-settings"),
    ],
)
async def test_pods_that_cannot_run_fail_it_with_their_reason(
    setting: Setting, version: str, summary: str, reason: str, evidence: str
) -> None:
    started = await setting.provider.start(setting.order(version))

    seen = await setting.end_of(started.handle)

    assert seen.verdict is Verdict.FAILED
    assert seen.failure is not None
    assert summary in seen.failure.summary
    assert seen.failure.reason.startswith(reason)
    assert any(evidence in line for line in seen.failure.evidence)


async def test_pods_without_a_node_fail_it_after_a_while(setting: Setting) -> None:
    setting.cluster.kubelet.nodes_full = True
    started = await setting.provider.start(setting.order("1.1"))

    seen = await setting.end_of(started.handle)

    assert seen.failure is not None
    assert "no node to run on" in seen.failure.summary
    assert "Insufficient cpu" in seen.failure.reason


async def test_a_full_quota_fails_it_without_any_pod(setting: Setting) -> None:
    setting.cluster.fill_quota()
    started = await setting.provider.start(setting.order("1.1"))

    seen = await setting.end_of(started.handle)

    assert seen.failure is not None
    assert seen.failure.summary == "The controller cannot create pods"
    assert "exceeded quota" in seen.failure.reason


async def test_the_progress_deadline_fails_it(setting: Setting) -> None:
    setting.cluster.edit("deployments", NAMESPACE, "web", progressDeadlineSeconds=1)
    started = await setting.provider.start(setting.order("1.1-slow"))

    seen = await setting.end_of(started.handle)

    assert seen.verdict is Verdict.FAILED
    assert seen.failure is not None
    assert "does not become ready" in seen.failure.summary


async def test_the_deadline_of_the_failed_rollout_does_not_fail_the_way_back(
    setting: Setting,
) -> None:
    first = await setting.provider.start(setting.order("1.1", key="D-1"))
    await setting.end_of(first.handle)
    setting.cluster.edit("deployments", NAMESPACE, "web", progressDeadlineSeconds=1)
    started = await setting.provider.start(setting.order("1.2-slow"))
    await setting.end_of(started.handle)

    way_back = setting.way_back(setting.pinned("1.1"), handle=started.handle)
    back = await setting.provider.restore(way_back)

    assert (await setting.end_of(back.handle)).verdict is Verdict.SUCCEEDED


async def test_pods_of_the_former_version_do_not_fail_it(setting: Setting) -> None:
    broken = await setting.provider.start(setting.order("1.1-bad", key="D-1"))
    await setting.end_of(broken.handle)

    started = await setting.provider.start(setting.order("1.2", key="D-2"))

    assert (await setting.end_of(started.handle)).verdict is Verdict.SUCCEEDED


async def test_an_image_set_by_somebody_else_ends_it_as_unknown(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-slow"))
    setting.cluster.set_image("deployments", NAMESPACE, "web", f"{setting.image}:2.0")

    seen = await setting.end_of(started.handle)

    assert seen.verdict is Verdict.UNKNOWN
    assert "another change took its place" in seen.detail


async def test_a_newer_rollout_ends_the_older_as_unknown(setting: Setting) -> None:
    first = await setting.provider.start(setting.order("1.1-slow", key="D-1"))
    await setting.provider.start(setting.order("1.1-slow", key="D-2"))

    seen = await setting.end_of(first.handle)

    assert seen.verdict is Verdict.UNKNOWN
    assert "D-2" in seen.detail


async def test_a_deleted_workload_ends_it_as_unknown(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-slow"))
    cluster = setting.cluster
    cluster.store.delete("deployments", cluster.get("deployments", NAMESPACE, "web"))

    assert (await setting.end_of(started.handle)).detail == "Deployment web was deleted"


async def test_a_namesake_made_anew_is_not_taken_for_it(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-slow"))
    cluster = setting.cluster
    cluster.store.delete("deployments", cluster.get("deployments", NAMESPACE, "web"))
    setting.cluster.add_deployment(NAMESPACE, "web", setting.pinned("1.1-slow").artifact)

    seen = await setting.end_of(started.handle)

    assert (seen.verdict, seen.detail) == (
        Verdict.UNKNOWN,
        "Deployment web was deleted and made anew",
    )


# -- the way back ----------------------------------------------------------------------------------


async def test_undo_brings_the_former_template_and_annotations_back(setting: Setting) -> None:
    first = await setting.provider.start(setting.order("1.1", key="D-1"))
    await setting.end_of(first.handle)
    before = setting.cluster.get("deployments", NAMESPACE, "web")["spec"]["template"]
    second = await setting.provider.start(setting.order("1.2-bad", key="D-2"))

    back = await setting.provider.restore(
        setting.way_back(setting.pinned("1.1"), key="D-2", handle=second.handle)
    )

    assert back.summary == "Deployment web rolled back to 1.1"
    assert setting.cluster.get("deployments", NAMESPACE, "web")["spec"]["template"] == before
    found = marks_of(setting)
    assert (found["hms-sys/rollout"], found["hms-sys/restored"]) == ("D-1", "D-2")
    assert (await setting.end_of(back.handle)).verdict is Verdict.SUCCEEDED


async def test_undo_also_brings_back_what_somebody_changed_beside_the_image(
    setting: Setting,
) -> None:
    first = await setting.provider.start(setting.order("1.1", key="D-1"))
    await setting.end_of(first.handle)
    old = setting.cluster.get("deployments", NAMESPACE, "web")["spec"]["template"]
    spec = {**old["spec"], "terminationGracePeriodSeconds": 99}
    spec["containers"] = [{**spec["containers"][0], "image": f"{setting.image}:2.0"}]
    setting.cluster.edit("deployments", NAMESPACE, "web", template={**old, "spec": spec})

    await setting.provider.restore(setting.way_back(setting.pinned("1.1"), key="D-9"))

    assert setting.cluster.get("deployments", NAMESPACE, "web")["spec"]["template"] == old


async def test_what_somebody_else_brought_since_is_not_undone(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.2-bad"))
    theirs = f"{setting.image}:2.0"
    setting.cluster.set_image("deployments", NAMESPACE, "web", theirs)

    with pytest.raises(ProviderRejected, match="another change took its place"):
        await setting.provider.restore(
            setting.way_back(setting.pinned("1.0"), handle=started.handle)
        )

    template = setting.cluster.get("deployments", NAMESPACE, "web")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == theirs


async def test_without_history_the_former_image_is_patched(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.2-bad"))
    for replicaset in list(setting.cluster.store.find("replicasets")):
        if "1.0" in replicaset["spec"]["template"]["spec"]["containers"][0]["image"]:
            setting.cluster.store.delete("replicasets", replicaset)

    previous = Release(version="1.0", artifact=f"{setting.image}:1.0")
    back = await setting.provider.restore(setting.way_back(previous, handle=started.handle))

    assert back.summary == "Deployment web patched back to 1.0"
    assert (await setting.end_of(back.handle)).verdict is Verdict.SUCCEEDED


async def test_what_never_began_is_only_marked_and_fenced(setting: Setting) -> None:
    before = setting.cluster.get("deployments", NAMESPACE, "web")["spec"]

    previous = Release(version="1.0", artifact=f"{setting.image}:1.0")
    back = await setting.provider.restore(setting.way_back(previous))

    assert back.summary == "Deployment web has 1.0 already"
    assert setting.cluster.get("deployments", NAMESPACE, "web")["spec"] == before
    assert (await setting.end_of(back.handle)).verdict is Verdict.SUCCEEDED


async def test_a_paused_deployment_is_not_rolled_back(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-slow"))
    setting.cluster.edit("deployments", NAMESPACE, "web", paused=True)

    with pytest.raises(ProviderRejected, match="paused"):
        await setting.provider.restore(
            setting.way_back(setting.pinned("1.0"), handle=started.handle)
        )


async def test_a_daemonset_goes_back_to_its_controller_revision(setting: Setting) -> None:
    setting.cluster.add_daemonset(NAMESPACE, "agent", f"{setting.image}:1.0")
    target = setting.target_of("daemonset/agent")
    started = await setting.provider.start(setting.order("1.1-bad", target=target))
    await setting.end_of(started.handle, target)

    previous = Release(version="1.0", artifact=f"{setting.image}:1.0")
    back = await setting.provider.restore(setting.way_back(previous, target=target))

    assert back.summary == "DaemonSet agent rolled back to 1.0"
    assert (await setting.end_of(back.handle, target)).verdict is Verdict.SUCCEEDED
    assert setting.cluster.serving(NAMESPACE, {"app": "agent"}) == {"1.0"}


async def test_a_statefulset_that_waits_for_a_broken_pod_says_so(setting: Setting) -> None:
    setting.cluster.add_statefulset(NAMESPACE, "db", f"{setting.image}:1.0")
    target = setting.target_of("statefulset/db")
    started = await setting.provider.start(setting.order("1.1-bad", target=target))
    await setting.end_of(started.handle, target)

    previous = Release(version="1.0", artifact=f"{setting.image}:1.0")
    back = await setting.provider.restore(setting.way_back(previous, target=target))
    seen = await setting.end_of(back.handle, target)

    assert seen.verdict is Verdict.FAILED
    assert seen.failure is not None
    assert "broken pod db-1" in seen.failure.summary
    assert seen.failure.evidence[0].endswith(f"kubectl -n {NAMESPACE} delete pod db-1")


# -- looking ---------------------------------------------------------------------------------------


async def test_status_tells_of_a_rollout_under_way_what_still_serves(setting: Setting) -> None:
    await setting.provider.start(setting.order("1.1-slow"))
    await until(
        lambda: (
            setting.cluster.get("deployments", NAMESPACE, "web")["status"]["observedGeneration"]
            == 2
        )
    )

    health = await setting.provider.status(setting.target)

    assert (health.version, health.state, health.desired) == ("1.0", "deploying", 3)


async def test_status_of_a_workload_without_pods_is_down(setting: Setting) -> None:
    setting.cluster.edit("deployments", NAMESPACE, "web", replicas=0)
    await until(
        lambda: "replicas" not in setting.cluster.get("deployments", NAMESPACE, "web")["status"]
    )

    health = await setting.provider.status(setting.target)

    assert (health.state, health.desired, health.healthy) == ("down", 0, 0)
    assert health.detail == "scaled to 0"


async def test_logs_of_several_pods_name_the_pod(setting: Setting) -> None:
    lines = await setting.provider.logs(setting.target, lines=4, since=None)

    assert len(lines) == 4
    assert all(line.startswith("[web-") for line in lines)


async def test_logs_of_a_pod_that_never_started_are_left_out(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-bad"))
    await setting.end_of(started.handle)

    lines = await setting.provider.logs(setting.target, lines=50, since=None)

    assert any("listening" in line for line in lines)


async def test_explain_tells_of_pods_that_are_only_slow(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-slow"))

    def running() -> bool:
        return any(
            "1.1-slow" in setting.cluster.kubelet.tag_of(p["spec"]["containers"][0]["image"])
            and p["status"]["phase"] == "Running"
            for p in setting.cluster.store.find("pods")
        )

    await until(running)
    failure = await setting.provider.explain(setting.target, started.handle)

    assert "not become ready" in failure.summary
    assert any("listening" in line for line in failure.evidence)
