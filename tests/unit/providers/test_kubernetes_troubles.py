"""Which faults of pods end a rollout, which may still pass, and how they are told."""

from __future__ import annotations

import pytest

from providers.kubernetes.objects import JsonObject
from providers.kubernetes.troubles import is_present, is_ready, summary_of, trouble_of


def pod(*containers: JsonObject, **status: object) -> JsonObject:
    statuses = [{"name": "app", "restartCount": 0, "ready": False, **c} for c in containers]
    return {
        "metadata": {"name": "web-1", "uid": "u1"},
        "status": {"phase": "Pending", "containerStatuses": statuses, **status},
    }


def waiting(reason: str, message: str = "", **more: object) -> JsonObject:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


CRASHED: JsonObject = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}


@pytest.mark.parametrize(
    ("container", "when"),
    [
        (waiting("ImagePullBackOff"), "now"),
        (waiting("ErrImageNeverPull"), "now"),
        (waiting("InvalidImageName"), "now"),
        (waiting("ErrImagePull"), "maybe"),
        (waiting("CreateContainerConfigError"), "now"),
        (waiting("CreateContainerError"), "maybe"),
        (waiting("CrashLoopBackOff", restartCount=1), "maybe"),
        (waiting("CrashLoopBackOff", restartCount=2), "now"),
        ({"state": {"running": {}}, "restartCount": 2}, "maybe"),
    ],
)
def test_when_a_fault_is_fatal(container: JsonObject, when: str) -> None:
    trouble = trouble_of(pod(container))

    assert trouble is not None
    assert trouble.when == when


@pytest.mark.parametrize(
    "container",
    [
        waiting("ContainerCreating"),
        waiting("PodInitializing"),
        {"state": {"running": {}}},
        {"state": {"running": {}}, "restartCount": 5, "ready": True},
        {},
    ],
)
def test_what_is_no_trouble(container: JsonObject) -> None:
    assert trouble_of(pod(container)) is None


def test_a_pod_without_a_status_is_no_trouble() -> None:
    assert trouble_of({"metadata": {"name": "web-1"}}) is None
    assert (
        trouble_of({"metadata": {"name": "web-1"}, "status": {"containerStatuses": None}}) is None
    )


def test_init_containers_count() -> None:
    trouble = trouble_of(
        pod(waiting("PodInitializing"), initContainerStatuses=[waiting("ImagePullBackOff")])
    )

    assert trouble is not None
    assert trouble.reason == "ImagePullBackOff"


def test_the_worst_container_speaks() -> None:
    trouble = trouble_of(pod(waiting("ErrImagePull"), waiting("ImagePullBackOff", "no such tag")))

    assert trouble is not None
    assert trouble.reason == "ImagePullBackOff: no such tag"


def test_a_crash_tells_how_it_ended() -> None:
    crash = waiting("CrashLoopBackOff", "back-off 20s", restartCount=3, lastState=CRASHED)

    trouble = trouble_of(pod(crash))

    assert trouble is not None
    assert trouble.reason == "CrashLoopBackOff: OOMKilled, exit code 137, 3 restarts"


def test_a_pod_without_a_node_may_wait_a_while() -> None:
    unscheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }

    trouble = trouble_of(pod(conditions=[unscheduled]))

    assert trouble is not None
    assert (trouble.when, trouble.reason) == ("soon", "Unschedulable: 0/3 nodes are available")


def test_secrets_in_messages_are_masked() -> None:
    message = "https://bot:hunter2secret@registry.example/v2: denied"

    trouble = trouble_of(pod(waiting("ImagePullBackOff", message)))

    assert trouble is not None
    assert "hunter2secret" not in trouble.reason


def test_one_and_many_are_told_differently() -> None:
    trouble = trouble_of(pod(waiting("ImagePullBackOff")))
    crash = trouble_of(pod(waiting("CrashLoopBackOff", restartCount=2)))

    assert trouble is not None
    assert crash is not None
    assert summary_of([trouble] * 3) == "3 pods cannot pull the image"
    assert summary_of([crash]) == "1 pod keeps crashing"
    assert summary_of([crash] * 2) == "2 pods keep crashing"


def test_pods_on_their_way_out_do_not_count() -> None:
    going: JsonObject = {"metadata": {"deletionTimestamp": "2026-11-23T12:00:00Z"}, "status": {}}
    evicted: JsonObject = {"metadata": {}, "status": {"phase": "Failed", "reason": "Evicted"}}

    assert not is_present(going)
    assert not is_present(evicted)
    assert is_present({"metadata": {"deletionTimestamp": None}, "status": {"phase": "Pending"}})


def test_ready_is_the_condition() -> None:
    assert is_ready({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    assert not is_ready({"status": {"conditions": None}})
