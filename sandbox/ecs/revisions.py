"""From a task definition to a service revision: every image resolved once, at the deployment."""

from __future__ import annotations

from sandbox.ecs.images import Images
from sandbox.ecs.model import Container, LogPlace, Revision, Service, new_number
from sandbox.ecs.moto_app import Json, MotoApp, MotoError
from sandbox.ecs.parameters import ApiError


def revise(moto: MotoApp, service: Service, name: str, at: float) -> Revision:
    """A service revision of the task definition `name`; refuses unknown and inactive ones."""
    try:
        answer = moto.call(
            "ecs", "DescribeTaskDefinition", service.region, {"taskDefinition": name}
        )
    except MotoError as exc:
        raise ApiError("ClientException", exc.message) from exc
    definition = answer["taskDefinition"]
    if definition["status"] != "ACTIVE":
        raise ApiError("ClientException", "TaskDefinition is inactive")
    images = Images(moto, service.region)
    return Revision(
        arn=service.own_arn("service-revision", new_number()),
        task_definition=definition["taskDefinitionArn"],
        containers=tuple(_container(images, c) for c in definition["containerDefinitions"]),
        created_at=at,
    )


def _container(images: Images, definition: Json) -> Container:
    digest, fate = images.resolve(definition["image"])
    log = definition.get("logConfiguration", {})
    options = log.get("options", {})
    return Container(
        name=definition["name"],
        image=definition["image"],
        digest=digest,
        fate=fate,
        log=LogPlace(
            group=options["awslogs-group"],
            region=options["awslogs-region"],
            prefix=options.get("awslogs-stream-prefix", ""),
        )
        if log.get("logDriver") == "awslogs"
        else None,
    )
