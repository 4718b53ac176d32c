"""The ECS stand-in refuses what ECS refuses, and fails as ECS fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.ecs import EcsStandIn
from sandbox.ecs.model import Breaker, Service
from sandbox.ecs.parameters import ApiError

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

WHERE = {"cluster": "main", "service": "myapp"}


@pytest.fixture
def ecs() -> Iterator[EcsStandIn]:
    with EcsStandIn(pace=0.001) as opened:
        opened.add_service("main", "myapp", "acme/myapp", "1.0", 2)
        yield opened


@pytest.fixture
def client(ecs: EcsStandIn) -> ECSClient:
    return boto3.client(
        "ecs",
        region_name=ecs.region,
        endpoint_url=ecs.url,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(retries={"total_max_attempts": 1}),
    )


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return error.value.response["Error"]["Code"]


def ship(ecs: EcsStandIn, tag: str) -> None:
    ecs.push_image("acme/myapp", tag)
    described = ecs.call("ecs", "DescribeTaskDefinition", {"taskDefinition": "myapp"})
    container = described["taskDefinition"]["containerDefinitions"][0]
    container["image"] = f"{ecs.registry}/acme/myapp:{tag}"
    params = {"family": "myapp", "containerDefinitions": [container]}
    arn = ecs.call("ecs", "RegisterTaskDefinition", params)["taskDefinition"]["taskDefinitionArn"]
    ecs.call("ecs", "UpdateService", {**WHERE, "taskDefinition": arn})


def settle(ecs: EcsStandIn) -> Service:
    """The service once its PRIMARY deployment has ended."""
    return look(ecs, lambda service: service.primary.rollout_state != "IN_PROGRESS")


def look(ecs: EcsStandIn, wanted: Callable[[Service], bool]) -> Service:
    """The service as soon as it is as wanted."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        service = ecs.service("main", "myapp")
        if wanted(service):
            return service
        time.sleep(0.001)
    raise AssertionError("it never came so far")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        pytest.param({**WHERE, "service": "x"}, "ServiceNotFoundException", id="service"),
        pytest.param({**WHERE, "cluster": "x"}, "ClusterNotFoundException", id="cluster"),
        pytest.param({**WHERE, "taskDefinition": "x:9"}, "ClientException", id="definition"),
        pytest.param(
            {**WHERE, "enableExecuteCommand": True}, "UnsupportedFeatureException", id="unknown"
        ),
    ],
)
def test_an_update_that_ecs_refuses_is_refused(
    ecs: EcsStandIn, params: dict[str, object], code: str
) -> None:
    with pytest.raises(ApiError) as caught:
        ecs.call("ecs", "UpdateService", params)

    assert caught.value.code == code


def test_an_inactive_definition_is_refused(ecs: EcsStandIn) -> None:
    ecs.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": "myapp:1"})

    with pytest.raises(ApiError, match="inactive"):
        ecs.call("ecs", "UpdateService", {**WHERE, "taskDefinition": "myapp:1"})


def test_eleven_services_in_a_call_are_too_many(client: ECSClient) -> None:
    with pytest.raises(ClientError) as caught:
        client.describe_services(cluster="main", services=[f"s{n}" for n in range(11)])

    assert code_of(caught) == "InvalidParameterException"


def test_an_operation_that_nobody_here_knows_is_an_error_and_is_kept(
    ecs: EcsStandIn, client: ECSClient
) -> None:
    with pytest.raises(ClientError):
        client.list_account_settings()

    assert ecs.unexpected == ["ecs:ListAccountSettings"]


def test_throttling_is_answered_as_often_as_asked(ecs: EcsStandIn, client: ECSClient) -> None:
    ecs.faults.throttle(1)

    with pytest.raises(ClientError) as caught:
        client.list_services(cluster="main")

    assert code_of(caught) == "ThrottlingException"
    assert client.list_services(cluster="main")["serviceArns"]


def test_a_lost_answer_hides_a_change_that_was_made(ecs: EcsStandIn, client: ECSClient) -> None:
    ecs.faults.lose_answer("UpdateService")

    with pytest.raises(BotoCoreError):
        client.update_service(cluster="main", service="myapp", desiredCount=3)

    assert ecs.service("main", "myapp").desired == 3


def test_while_it_is_down_nobody_is_answered(ecs: EcsStandIn, client: ECSClient) -> None:
    ecs.faults.down = True

    with pytest.raises(BotoCoreError):
        client.list_services(cluster="main")


def test_a_good_version_takes_the_old_ones_place(ecs: EcsStandIn) -> None:
    ship(ecs, "1.1")

    service = settle(ecs)

    assert service.primary.rollout_state == "COMPLETED"
    assert ecs.serving("main", "myapp") == "1.1"
    assert "deployment completed" in " ".join(e.message for e in service.events)


@pytest.mark.parametrize("tag", ["1.2-bad", "1.2-crash"])
def test_the_breaker_brings_the_old_version_back_under_a_new_deployment(
    ecs: EcsStandIn, tag: str
) -> None:
    former = ecs.service("main", "myapp").primary.id
    ship(ecs, tag)

    service = settle(ecs)

    assert service.primary.id != former
    assert service.task_definition.endswith(":1")
    assert service.history[0].status == "ROLLBACK_SUCCESSFUL"
    assert service.history[0].attempt.rollout_state == "FAILED"
    assert ecs.serving("main", "myapp") == "1.0"


def test_without_a_breaker_a_bad_version_is_tried_for_ever(ecs: EcsStandIn) -> None:
    off = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
    ecs.call("ecs", "UpdateService", {**WHERE, "deploymentConfiguration": off})
    ship(ecs, "bad")

    service = look(ecs, lambda service: service.primary.failed > 10)

    assert service.primary.rollout_state == "IN_PROGRESS"
    assert "unable to consistently start tasks" in " ".join(e.message for e in service.events)


@pytest.mark.parametrize(("desired", "threshold"), [(1, 3), (10, 5), (11, 6), (1000, 200)])
def test_the_breakers_threshold_is_half_of_the_tasks_from_3_to_200(
    desired: int, threshold: int
) -> None:
    assert Breaker().threshold(desired) == threshold


def test_a_crash_leaves_its_traceback_in_the_log(ecs: EcsStandIn) -> None:
    ship(ecs, "1.2-crash")
    settle(ecs)

    events = ecs.call("logs", "FilterLogEvents", {"logGroupName": "/ecs/myapp"})["events"]

    assert "KeyError: 'DATABASE_URL'" in [event["message"] for event in events]


def test_an_image_that_is_not_in_the_registry_cannot_be_pulled(ecs: EcsStandIn) -> None:
    described = ecs.call("ecs", "DescribeTaskDefinition", {"taskDefinition": "myapp"})
    container = described["taskDefinition"]["containerDefinitions"][0]
    container["image"] = f"{ecs.registry}/acme/myapp:never-pushed"
    params = {"family": "myapp", "containerDefinitions": [container]}
    ecs.call("ecs", "RegisterTaskDefinition", params)
    ecs.call("ecs", "UpdateService", {**WHERE, "taskDefinition": "myapp:2"})

    service = settle(ecs)

    assert any("not found" in task.stopped_reason for task in service.stopped)


def test_two_stand_ins_know_nothing_of_each_other(ecs: EcsStandIn) -> None:
    with EcsStandIn(pace=0.001) as other:
        assert other.account != ecs.account
        with pytest.raises(ApiError, match="Cluster not found"):
            other.call("ecs", "ListServices", {"cluster": "main"})
