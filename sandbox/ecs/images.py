"""The stand-in's registry: ECR repositories in moto, and what a container image means to a task."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress

from sandbox.ecs.model import Fate, fate_of
from sandbox.ecs.moto_app import MotoApp, MotoError

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Images:
    """ECR of one account and region."""

    def __init__(self, moto: MotoApp, region: str) -> None:
        self._moto = moto
        self._region = region
        self.host = f"{moto.account}.dkr.ecr.{region}.amazonaws.com"

    def push(self, repository: str, tag: str, content: str = "") -> str:
        """Store an image under a tag, creating the repository; returns its digest.

        Pushing other `content` under the same tag moves the tag.
        """
        self._create(repository)
        layer = hashlib.sha256(f"{repository}:{content or tag}".encode()).hexdigest()
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": "config", "size": 1, "digest": f"sha256:{layer}"},
            "layers": [{"mediaType": "layer", "size": 1, "digest": f"sha256:{layer}"}],
        }
        image = {
            "repositoryName": repository,
            "imageManifest": json.dumps(manifest),
            "imageTag": tag,
        }
        with suppress(MotoError):  # ECR refuses the very same image once more
            self._moto.call("ecr", "PutImage", self._region, image)
        return self.resolve(f"{self.host}/{repository}:{tag}")[0]

    def resolve(self, image: str) -> tuple[str, Fate]:
        """Digest ("" when the registry is not ours) and fate of an image as a task would pull it."""
        host, _, rest = image.partition("/")
        if host != self.host:
            return "", fate_of(image.rpartition("/")[2].partition(":")[2])
        repository, _, digest = rest.partition("@")
        repository, _, tag = repository.partition(":")
        wanted = {"imageDigest": digest} if digest else {"imageTag": tag or "latest"}
        try:
            answer = self._moto.call(
                "ecr",
                "DescribeImages",
                self._region,
                {"repositoryName": repository, "imageIds": [wanted]},
            )
        except MotoError:
            return "", Fate.NOT_FOUND
        details = answer["imageDetails"][0]
        tags = [tag] if tag else details.get("imageTags", [])
        return str(details["imageDigest"]), fate_of(" ".join(tags))

    def tags_of(self, repository: str, digest: str) -> list[str]:
        """The tags that point at a digest."""
        answer = self._moto.call(
            "ecr",
            "DescribeImages",
            self._region,
            {"repositoryName": repository, "imageIds": [{"imageDigest": digest}]},
        )
        return list(answer["imageDetails"][0].get("imageTags", []))

    def _create(self, repository: str) -> None:
        try:
            self._moto.call("ecr", "CreateRepository", self._region, {"repositoryName": repository})
        except MotoError as exc:
            if exc.code != "RepositoryAlreadyExistsException":
                raise
