"""Every answer of the ECS stand-in fits AWS's own model of the API: names, types and enumerations."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from sandbox.ecs import EcsStandIn

MODEL = botocore.session.get_session().get_service_model("ecs")
SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (float, int),
}
MUST_TELL = {
    "Service": {"serviceArn", "serviceName", "status", "taskDefinition", "deployments", "events"},
    "Deployment": {"id", "status", "taskDefinition", "rolloutState", "createdAt", "updatedAt"},
    "Task": {"taskArn", "taskDefinitionArn", "lastStatus", "containers", "startedBy"},
    "ServiceDeployment": {"serviceDeploymentArn", "status", "targetServiceRevision"},
    "ServiceRevision": {"serviceRevisionArn", "taskDefinition", "containerImages"},
}


def faults_of(value: object, shape: Shape, path: str = "") -> Iterator[str]:
    """Where a JSON value does not fit a shape of botocore's."""
    if isinstance(shape, StructureShape):
        yield from _faults_of_structure(value, shape, path)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield f"{path}: not a list"
            return
        for item in value:
            yield from faults_of(item, shape.member, f"{path}[]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield f"{path}: not a map"
    elif not isinstance(value, SCALARS[shape.type_name]):
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is not one of {shape.enum}"


def _faults_of_structure(value: object, shape: StructureShape, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: not a structure"
        return
    for name in MUST_TELL.get(shape.name, set()) - set(value):
        yield f"{path}: {shape.name} lacks {name}"
    for name, member in value.items():
        if name not in shape.members:
            yield f"{path}.{name}: {shape.name} has no such member"
        else:
            yield from faults_of(member, shape.members[name], f"{path}.{name}")


def ask(ecs: EcsStandIn, operation: str, params: dict[str, object]) -> dict[str, object]:
    """The raw answer: botocore would drop what it does not know."""
    scope = f"x/20260101/{ecs.region}/ecs/aws4_request"
    request = urllib.request.Request(  # noqa: S310 - the stand-in's own address
        ecs.url,
        data=json.dumps(params).encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=h, Signature=s",
        },
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        document: dict[str, object] = json.load(answer)
    return document


def check(ecs: EcsStandIn, operation: str, params: dict[str, object]) -> dict[str, object]:
    answer = ask(ecs, operation, params)
    shape = MODEL.operation_model(operation).output_shape
    assert shape is not None
    assert list(faults_of(answer, shape)) == []
    return answer


@pytest.fixture
def ecs() -> Iterator[EcsStandIn]:
    """A service that has shipped, failed and rolled back, so that every member has a value."""
    with EcsStandIn(pace=0.001) as opened:
        opened.add_service("main", "myapp", "acme/myapp", "1.0", 2)
        yield opened


def ship(ecs: EcsStandIn, tag: str) -> str:
    definition = ecs.call("ecs", "DescribeTaskDefinition", {"taskDefinition": "myapp"})
    container = definition["taskDefinition"]["containerDefinitions"][0]
    container["image"] = f"{ecs.registry}/acme/myapp:{tag}"
    registered = ecs.call(
        "ecs", "RegisterTaskDefinition", {"family": "myapp", "containerDefinitions": [container]}
    )
    arn = str(registered["taskDefinition"]["taskDefinitionArn"])
    check(ecs, "UpdateService", {"cluster": "main", "service": "myapp", "taskDefinition": arn})
    return arn


@pytest.mark.parametrize("tag", ["1.0", "crash", "bad", "slow"])
def test_what_services_tasks_and_deployments_tell_fits_the_model(ecs: EcsStandIn, tag: str) -> None:
    ecs.push_image("acme/myapp", tag)
    ship(ecs, tag)
    where: dict[str, object] = {"cluster": "main"}
    for _ in range(20):
        check(ecs, "DescribeServices", {**where, "services": ["myapp", "missing"]})
        for status in ("RUNNING", "STOPPED"):
            listed = check(
                ecs, "ListTasks", {**where, "serviceName": "myapp", "desiredStatus": status}
            )
            if listed["taskArns"]:
                check(ecs, "DescribeTasks", {**where, "tasks": listed["taskArns"]})


def test_what_service_deployments_tell_fits_the_model(ecs: EcsStandIn) -> None:
    ecs.push_image("acme/myapp", "bad")
    ship(ecs, "bad")
    for _ in range(20):
        listed = check(ecs, "ListServiceDeployments", {"cluster": "main", "service": "myapp"})
        briefs = listed["serviceDeployments"]
        assert isinstance(briefs, list)
        arns = [b["serviceDeploymentArn"] for b in briefs]
        revisions = [b["targetServiceRevisionArn"] for b in briefs]
        told = check(ecs, "DescribeServiceDeployments", {"serviceDeploymentArns": arns})
        assert told["failures"] == []
        check(ecs, "DescribeServiceRevisions", {"serviceRevisionArns": revisions})


def test_services_created_and_listed_fit_the_model(ecs: EcsStandIn) -> None:
    created = {"cluster": "main", "serviceName": "new", "taskDefinition": "myapp"}
    check(ecs, "CreateService", {**created, "desiredCount": 1})
    check(ecs, "ListServices", {"cluster": "main"})


def test_the_checker_sees_a_wrong_answer() -> None:
    shape = MODEL.operation_model("DescribeServices").output_shape
    assert shape is not None
    wrong = {"services": [{"serviceName": 1, "colour": "red"}], "failures": [{"reason": "MISSING"}]}

    found = " ".join(faults_of(wrong, shape))

    assert "no string" in found
    assert "no such member" in found
    assert "lacks" in found
