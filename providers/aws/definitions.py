"""Task definitions: reading them, and making the next revision with nothing but one image changed.

Each revision of ours carries its rollout's key, version and predecessor as tags, so that any process
can find it again.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from operations.deployment.release import Release
from operations.errors import InvalidRequest
from providers.aws.gateway import Clients, Gateway, Place
from providers.aws.images import ImageName

if TYPE_CHECKING:
    from mypy_boto3_ecs.type_defs import (
        ContainerDefinitionOutputTypeDef,
        RegisterTaskDefinitionRequestTypeDef,
        TagTypeDef,
        TaskDefinitionTypeDef,
    )

KEY_TAG = "hms-sys:rollout"
VERSION_TAG = "hms-sys:version"
FORMER_TAG = "hms-sys:former"
OUR_TAGS = frozenset({KEY_TAG, VERSION_TAG, FORMER_TAG})
NEWEST_LOOKED_AT = 10
_KEPT = 500
_NOT_IN_TAGS = re.compile(r"[^\w +\-=.:/@]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What our tags say of a revision; `former` is the task definition it followed (`myapp:41`)."""

    key: str
    version: str
    former: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A task definition's revision with its tags, which the API keeps apart from it."""

    raw: TaskDefinitionTypeDef
    tags: Mapping[str, str]

    @property
    def arn(self) -> str:
        """Full ARN with revision."""
        return self.raw.get("taskDefinitionArn", "")

    @property
    def family(self) -> str:
        """The name that its revisions share."""
        return self.raw.get("family", "")

    @property
    def is_active(self) -> bool:
        """Whether services may still be updated to it."""
        return self.raw.get("status", "") == "ACTIVE"

    @property
    def marks(self) -> Marks:
        """Our own tags, empty strings when it is not one of ours."""
        return Marks(
            key=self.tags.get(KEY_TAG, ""),
            version=self.tags.get(VERSION_TAG, ""),
            former=self.tags.get(FORMER_TAG, ""),
        )

    def container(self, name: str) -> ContainerDefinitionOutputTypeDef:
        """The container of this name, or the only one for ""; InvalidRequest names the choices."""
        containers = self.raw.get("containerDefinitions", [])
        chosen = [c for c in containers if not name or c.get("name") == name]
        if len(chosen) == 1:
            return chosen[0]
        names = ", ".join(c.get("name", "") for c in containers)
        if name:
            raise InvalidRequest(
                f"The task definition {short(self.arn)} has no container “{name}”.",
                hint=f"Its containers: {names}.",
            )
        raise InvalidRequest(
            f"The task definition {short(self.arn)} has several containers.",
            hint=f"Set `container` of the target to one of: {names}.",
        )

    def is_made_by(self, key: str, container: str, image: str) -> bool:
        """Whether a rollout registered it for this image.

        The key alone does not tell: a database that was begun anew counts its rollouts from the start again.
        """
        return self.marks.key == key and self.container(container).get("image") == image

    def release(self, container: str) -> Release:
        """What the container runs: the image's tag, or the version that we noted with its digest."""
        image = self.container(container).get("image", "")
        name = ImageName.parse(image)
        if name.digest:
            version = self.marks.version or name.tag or name.short_digest
            return Release(version=version, artifact=image, pin=name.digest)
        return Release(version=name.tag or "latest", artifact=image)


class Definitions:
    """Reads task definitions, which never change, and registers new revisions."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: OrderedDict[tuple[Place, str], Definition] = OrderedDict()

    async def read(self, place: Place, name: str) -> Definition:
        """The revision of an ARN or of `family:revision`."""
        known = self._known.get((place, name))
        return known if known is not None else await self.read_afresh(place, name)

    async def read_afresh(self, place: Place, name: str) -> Definition:
        """As `read`, but sees a revision that was deregistered or tagged since."""
        answer = await self._gateway.read(
            place,
            "read the task definition",
            lambda aws: aws.ecs.describe_task_definition(taskDefinition=name, include=["TAGS"]),
        )
        tags = {t.get("key", ""): t.get("value", "") for t in answer.get("tags", [])}
        definition = Definition(answer["taskDefinition"], tags)
        self._known[place, name] = definition
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return definition

    async def newest(self, place: Place, family: str) -> list[Definition]:
        """The newest active revisions of a family, newest first."""
        answer = await self._gateway.read(
            place,
            "list the task definitions",
            lambda aws: aws.ecs.list_task_definitions(
                familyPrefix=family, sort="DESC", status="ACTIVE", maxResults=NEWEST_LOOKED_AT
            ),
        )
        return [await self.read(place, arn) for arn in answer["taskDefinitionArns"]]

    async def register(
        self, place: Place, base: Definition, container: str, image: str, marks: Marks
    ) -> Definition:
        """The next revision of `base` with another image in one container."""
        name = base.container(container).get("name", "")

        def call(aws: Clients) -> TaskDefinitionTypeDef:
            operation = aws.ecs_once.meta.service_model.operation_model("RegisterTaskDefinition")
            taken = operation.input_shape.members if operation.input_shape else {}
            request = next_revision(base, name, image, marks, frozenset(taken))
            return aws.ecs_once.register_task_definition(**request)["taskDefinition"]

        raw = await self._gateway.change(place, "register the task definition", call)
        return Definition(raw, _tags(base.tags, marks))


def next_revision(
    base: Definition, container: str, image: str, marks: Marks, taken: frozenset[str]
) -> RegisterTaskDefinitionRequestTypeDef:
    """The request for the next revision: only what registering takes (`taken`), nothing empty."""
    request: dict[str, object] = {
        key: value
        for key, value in base.raw.items()
        if key in taken and value not in (None, "", [], {})
    }
    request["containerDefinitions"] = [
        {**c, "image": image} if c.get("name") == container else c
        for c in base.raw.get("containerDefinitions", [])
    ]
    tags: list[TagTypeDef] = [
        {"key": key, "value": value} for key, value in _tags(base.tags, marks).items()
    ]
    request["tags"] = tags
    return cast("RegisterTaskDefinitionRequestTypeDef", request)


def short(arn: str) -> str:
    """`myapp:42` of a task definition's ARN."""
    return arn.rpartition("/")[2]


def _tags(present: Mapping[str, str], marks: Marks) -> dict[str, str]:
    """Present tags with ours put in place; AWS's own (`aws:`) cannot be set by us."""
    ours = {KEY_TAG: marks.key, VERSION_TAG: marks.version, FORMER_TAG: marks.former}
    kept = {k: v for k, v in present.items() if k not in OUR_TAGS and not k.startswith("aws:")}
    return kept | {k: _NOT_IN_TAGS.sub("_", v)[:256] for k, v in ours.items() if v}
