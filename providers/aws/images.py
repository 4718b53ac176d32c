"""Image names, and ECR as the registry that can tell what a tag points at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from operations.errors import InvalidRequest, ProviderError, ProviderUnauthorized
from providers.aws.errors import code_of
from providers.aws.gateway import Gateway, Place

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

_ECR_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)"
)
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """An image reference in its parts; `repository` includes the registry's host."""

    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> ImageName:
        """Split `host:port/repository:tag@digest`."""
        name, _, digest = text.partition("@")
        head, slash, last = name.rpartition("/")
        last, _, tag = last.partition(":")
        return cls(repository=f"{head}{slash}{last}", tag=tag, digest=digest)

    @property
    def host(self) -> str:
        """The registry's host, "" when it is left to the platform's default."""
        first, slash, _ = self.repository.partition("/")
        is_host = slash and ("." in first or ":" in first or first == "localhost")
        return first if is_host else ""

    @property
    def path(self) -> str:
        """The repository within its registry."""
        return self.repository.removeprefix(f"{self.host}/") if self.host else self.repository

    @property
    def short_digest(self) -> str:
        """`sha256:` and the first twelve digits."""
        return self.digest[:19]


@dataclass(frozen=True, slots=True)
class Pinned:
    """What an image's tag points at. `why_not` says why there is no digest."""

    repository: str
    digest: str = ""
    why_not: str = ""


def check_version(version: str) -> None:
    """Raises InvalidRequest unless it can be an image's tag or digest."""
    if not (_VERSION.fullmatch(version) or _DIGEST.fullmatch(version)):
        raise InvalidRequest(
            f"“{version[:80]}” cannot be an image tag.",
            hint="A version is a tag such as 1.4.2, or a digest sha256:….",
        )


class ImageResolver:
    """Finds the digest behind a version."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def pin(self, place: Place, image: ImageName, current: ImageName, version: str) -> Pinned:
        """Ask ECR what `version` of `image` is; raises InvalidRequest when ECR knows no such image.

        A name without a host means the repository of the running image when that has the same path,
        else an ECR repository of the account if there is one, else the platform's default registry.
        """
        if not image.host and current.host and current.path == image.path:
            image = ImageName(repository=current.repository)
        match = _ECR_HOST.fullmatch(image.host)
        if match:
            there = Place(place.profile, match["region"])
            return await self._ask(there, image, match["account"], version)
        if not image.host:
            found = await self._own_repository(place, image.path)
            if found:
                return await self.pin(place, found, current, version)
        digest = version if _DIGEST.fullmatch(version) else ""
        return Pinned(image.repository, digest, "" if digest else "its registry is not ECR")

    async def _ask(self, place: Place, image: ImageName, account: str, version: str) -> Pinned:
        wanted: ImageIdentifierTypeDef = (
            {"imageDigest": version} if _DIGEST.fullmatch(version) else {"imageTag": version}
        )
        try:
            answer = await self._gateway.read(
                place,
                "look the image up in ECR",
                lambda aws: aws.ecr.describe_images(
                    registryId=account, repositoryName=image.path, imageIds=[wanted]
                ),
            )
        except ProviderUnauthorized:
            return Pinned(image.repository, why_not="we lack the right ecr:DescribeImages")
        except ProviderError as exc:
            if code_of(exc) == "RepositoryNotFoundException":
                raise InvalidRequest(f"There is no ECR repository {image.path}.") from exc
            if code_of(exc) == "ImageNotFoundException":
                hint = await self._known_tags(place, image, account)
                raise InvalidRequest(
                    f"There is no image {image.path}:{version}.", hint=hint
                ) from exc
            raise
        details = answer["imageDetails"]
        return Pinned(image.repository, details[0].get("imageDigest", "") if details else "")

    async def _own_repository(self, place: Place, path: str) -> ImageName | None:
        try:
            answer = await self._gateway.read(
                place,
                "look the repository up in ECR",
                lambda aws: aws.ecr.describe_repositories(repositoryNames=[path]),
            )
        except ProviderUnauthorized:
            return None
        except ProviderError as exc:
            if code_of(exc) in {"RepositoryNotFoundException", "InvalidParameterException"}:
                return None
            raise
        uris = [r.get("repositoryUri", "") for r in answer["repositories"]]
        found = ImageName(repository=uris[0]) if uris else None
        return found if found and _ECR_HOST.fullmatch(found.host) else None

    async def _known_tags(self, place: Place, image: ImageName, account: str) -> str:
        try:
            answer = await self._gateway.read(
                place,
                "list the images in ECR",
                lambda aws: aws.ecr.describe_images(
                    registryId=account,
                    repositoryName=image.path,
                    filter={"tagStatus": "TAGGED"},
                    maxResults=100,
                ),
            )
        except ProviderError:
            return ""
        found = sorted(
            (d for d in answer["imageDetails"] if "imagePushedAt" in d),
            key=lambda d: d["imagePushedAt"],
            reverse=True,
        )
        tags = [tag for d in found for tag in d.get("imageTags", [])][:5]
        return f"Known: {', '.join(tags)}." if tags else ""
