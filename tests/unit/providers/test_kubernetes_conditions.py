"""How far a rollout is: the table of `kubectl rollout status`, with absent zeros as the API has them."""

from __future__ import annotations

import pytest

from providers.kubernetes.conditions import has_settled, refusal_of, stage_of
from providers.kubernetes.objects import JsonObject
from providers.kubernetes.workload import Workload


def make(resource: str, spec: JsonObject, status: JsonObject, generation: int = 2) -> Workload:
    raw: JsonObject = {
        "metadata": {"name": "web", "namespace": "shop", "generation": generation},
        "spec": spec,
        "status": status,
    }
    return Workload(resource, raw)


def deployment(**status: object) -> Workload:
    return make("deployments", {"replicas": 3}, {"observedGeneration": 2, **status})


def stateful_set(spec: JsonObject | None = None, **status: object) -> Workload:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    merged: JsonObject = {"replicas": 3, "updateStrategy": strategy, **(spec or {})}
    return make("statefulsets", merged, {"observedGeneration": 2, **status})


def daemon_set(**status: object) -> Workload:
    return make("daemonsets", {}, {"observedGeneration": 2, **status})


@pytest.mark.parametrize(
    ("workload", "waiting"),
    [
        (make("deployments", {"replicas": 1}, {}), "waiting for the controller"),
        (
            make("deployments", {"replicas": 1}, {"observedGeneration": 1, "updatedReplicas": 1}),
            "waiting for the controller",
        ),
        (deployment(), "0 of 3 new pods created"),
        (deployment(updatedReplicas=2, replicas=4), "2 of 3 new pods created"),
        (deployment(updatedReplicas=3, replicas=5), "2 old pods still to stop"),
        (deployment(updatedReplicas=3, replicas=4), "1 old pod still to stop"),
        (deployment(updatedReplicas=3, replicas=3), "0 of 3 new pods available"),
        (deployment(updatedReplicas=3, replicas=3, availableReplicas=3), ""),
        (make("deployments", {"replicas": 0}, {"observedGeneration": 2}), ""),
        (make("deployments", {}, {"observedGeneration": 2}), "0 of 1 new pods created"),
        (stateful_set(), "0 of 3 pods ready"),
        (stateful_set(readyReplicas=3), "0 of 3 new pods created"),
        (stateful_set(readyReplicas=3, updatedReplicas=3), ""),
        (
            stateful_set(
                {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
                readyReplicas=3,
                updatedReplicas=1,
            ),
            "",
        ),
        (
            stateful_set(
                {"updateStrategy": {"type": "RollingUpdate"}},
                readyReplicas=3,
                updatedReplicas=1,
                updateRevision="b",
                currentRevision="a",
            ),
            "1 of 3 new pods created",
        ),
        (
            stateful_set(
                {"minReadySeconds": 5}, readyReplicas=3, updatedReplicas=3, availableReplicas=2
            ),
            "2 of 3 pods available",
        ),
        (daemon_set(desiredNumberScheduled=2), "0 of 2 new pods created"),
        (
            daemon_set(desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=1),
            "1 of 2 new pods available",
        ),
        (
            daemon_set(desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=2),
            "",
        ),
    ],
)
def test_what_is_waited_for(workload: Workload, waiting: str) -> None:
    stage = stage_of(workload)

    assert stage.waiting == waiting
    assert stage.is_done == (not waiting)


def test_an_exceeded_deadline_fails_even_when_the_counts_are_fine() -> None:
    overdue = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": 'ReplicaSet "web-1" has timed out progressing.',
    }
    stage = stage_of(
        deployment(updatedReplicas=3, replicas=3, availableReplicas=3, conditions=[overdue])
    )

    assert stage.failed == 'ReplicaSet "web-1" has timed out progressing.'
    assert not stage.is_done


def test_an_exceeded_deadline_of_an_older_generation_is_not_held_against_the_new() -> None:
    overdue = {"type": "Progressing", "reason": "ProgressDeadlineExceeded"}
    old = make("deployments", {"replicas": 1}, {"observedGeneration": 1, "conditions": [overdue]})

    assert stage_of(old).failed == ""


def test_a_replica_failure_is_a_refusal_only_while_true() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}

    assert refusal_of(deployment(conditions=[failure])) == ("FailedCreate", "")
    assert refusal_of(deployment(conditions=[{**failure, "status": "False"}])) == ("", "")


def test_a_completed_rollout_stays_settled_when_a_pod_is_lost() -> None:
    available = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}

    assert has_settled(deployment(conditions=[available], updatedReplicas=3, replicas=3))
    assert has_settled(stateful_set(updateRevision="a", currentRevision="a"))
    assert not has_settled(stateful_set(updateRevision="b", currentRevision="a"))
    assert has_settled(daemon_set(desiredNumberScheduled=2, updatedNumberScheduled=2))
