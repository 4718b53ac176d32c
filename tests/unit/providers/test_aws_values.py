"""Image names, handles, task definitions and errors of the AWS adapter."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from operations.errors import (
    InvalidRequest,
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from providers.aws.definitions import Definition, Marks, next_revision
from providers.aws.errors import translate
from providers.aws.handles import EcsHandle
from providers.aws.images import ImageName

DIGEST = "sha256:" + "a" * 64
MODEL = botocore.session.get_session().get_service_model("ecs")
POLICY = Path(__file__).parents[3] / "docs" / "ecs-iam-policy.json"


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest", "host", "path"),
    [
        ("nginx", "nginx", "", "", "", "nginx"),
        ("acme/myapp:1.4", "acme/myapp", "1.4", "", "", "acme/myapp"),
        ("reg:5000/a/b:1", "reg:5000/a/b", "1", "", "reg:5000", "a/b"),
        (f"ghcr.io/a/b:1@{DIGEST}", "ghcr.io/a/b", "1", DIGEST, "ghcr.io", "a/b"),
        ("localhost/a", "localhost/a", "", "", "localhost", "a"),
    ],
)
def test_an_image_name_in_its_parts(
    text: str, repository: str, tag: str, digest: str, host: str, path: str
) -> None:
    name = ImageName.parse(text)

    assert (name.repository, name.tag, name.digest) == (repository, tag, digest)
    assert (name.host, name.path) == (host, path)


def definition(*names: str, **more: object) -> Definition:
    containers = [{"name": name, "image": f"acme/{name}:1"} for name in names]
    raw: dict[str, object] = {
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:1:task-definition/myapp:7",
        "family": "myapp",
        "revision": 7,
        "status": "ACTIVE",
        "containerDefinitions": containers,
        **more,
    }
    tags = {"team": "platform", "aws:cloudformation:stack-name": "x", "hms-sys:rollout": "D-1"}
    return Definition(raw, tags)  # type: ignore[arg-type]  # a table of cases, not of types


def test_the_only_container_needs_no_name() -> None:
    assert definition("app").container("")["name"] == "app"


@pytest.mark.parametrize("name", ["", "web"])
def test_a_container_in_doubt_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        definition("app", "proxy").container(name)

    assert "app, proxy" in caught.value.hint


def test_a_digest_is_told_by_the_version_that_we_noted() -> None:
    image = f"acme/app@{DIGEST}"
    noted = Definition(
        {"containerDefinitions": [{"name": "app", "image": image}]}, {"hms-sys:version": "1.4"}
    )
    bare = Definition({"containerDefinitions": [{"name": "app", "image": image}]}, {})

    assert (noted.release("").version, noted.release("").pin) == ("1.4", DIGEST)
    assert bare.release("").version == "sha256:aaaaaaaaaaaa"


def test_the_next_revision_keeps_all_that_can_be_registered() -> None:
    """Whatever the API takes, of every kind it knows; what only comes back is left out."""
    shape = MODEL.operation_model("RegisterTaskDefinition").input_shape
    assert shape is not None
    taken = frozenset(shape.members)
    told = {name: [name] for name in taken - {"family", "containerDefinitions", "tags"}}
    base = definition("app", "proxy", registeredAt="now", compatibilities=["EC2"], **told)

    request = next_revision(base, "app", "acme/app:2", Marks(key="D-2", version="2"), taken)

    assert set(request) == taken
    assert [c["image"] for c in request["containerDefinitions"]] == ["acme/app:2", "acme/proxy:1"]


def test_empty_values_are_not_sent_back() -> None:
    shape = MODEL.operation_model("RegisterTaskDefinition").input_shape
    assert shape is not None
    base = definition("app", taskRoleArn="", volumes=[], cpu=None)

    request = next_revision(base, "app", "x", Marks(key="D", version="1"), frozenset(shape.members))

    assert set(request) == {"family", "containerDefinitions", "tags"}


def test_tags_are_kept_and_ours_are_renewed() -> None:
    marks = Marks(key="D-2", version="weird#1", former="myapp:7")

    request = next_revision(definition("app"), "app", "x", marks, frozenset({"tags"}))

    assert {tag["key"]: tag.get("value") for tag in request["tags"]} == {
        "team": "platform",
        "hms-sys:rollout": "D-2",
        "hms-sys:version": "weird_1",
        "hms-sys:former": "myapp:7",
    }


def test_a_handle_of_somebody_else_is_refused() -> None:
    with pytest.raises(ProviderRejected):
        EcsHandle.load({"deployment": 7})


def answered(code: str, status: int) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": "no token=abcdef123456 today"},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "1",
                "HostId": "",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "UpdateService",
    )


CASES: list[tuple[ClientError | BotoCoreError, type[ProviderError], type[ProviderError]]] = [
    (answered("ThrottlingException", 400), ProviderUnavailable, ProviderUnavailable),
    (answered("AccessDeniedException", 400), ProviderUnauthorized, ProviderUnauthorized),
    (answered("ExpiredTokenException", 400), ProviderUnauthorized, ProviderUnauthorized),
    (answered("ClientException", 400), ProviderRejected, ProviderRejected),
    (answered("ServerException", 500), ProviderUnavailable, OutcomeUnknown),
    (answered("503", 503), ProviderUnavailable, OutcomeUnknown),
    (ReadTimeoutError(endpoint_url="x"), ProviderUnavailable, OutcomeUnknown),
    (ConnectionClosedError(endpoint_url="x"), ProviderUnavailable, OutcomeUnknown),
    (EndpointConnectionError(endpoint_url="x"), ProviderUnavailable, ProviderUnavailable),
    (NoCredentialsError(), ProviderUnauthorized, ProviderUnauthorized),
]


@pytest.mark.parametrize(("error", "of_read", "of_change"), CASES)
def test_an_error_of_aws_is_one_of_ours(
    error: ClientError | BotoCoreError, of_read: type[ProviderError], of_change: type[ProviderError]
) -> None:
    """A change without an answer may have happened; a read may simply be repeated."""
    assert type(translate(error, "do it", change=False)) is of_read
    assert type(translate(error, "do it", change=True)) is of_change


def test_awss_words_are_cleaned_and_end_as_a_sentence() -> None:
    message = translate(answered("ClientException", 400), "do it", change=True).message

    assert message.startswith("AWS refused to do it: ")
    assert "abcdef123456" not in message
    assert message.endswith(".")


def test_the_policy_names_operations_that_exist() -> None:
    policy = json.loads(POLICY.read_text())
    actions = [
        action
        for statement in policy["Statement"]
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    ]
    known = {
        f"{service}:{operation}"
        for service in ("ecs", "ecr", "logs")
        for operation in botocore.session.get_session().get_service_model(service).operation_names
    }

    assert [a for a in actions if a not in known] == ["iam:PassRole"]
