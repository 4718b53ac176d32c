"""From a version to the release that would ship, and what people should know before they approve."""

from __future__ import annotations

from operations.deployment.release import Release, Resolution
from operations.errors import InvalidRequest, ProviderError
from providers.aws.definitions import Definition, Definitions, short
from providers.aws.errors import code_of
from providers.aws.gateway import Gateway, Place
from providers.aws.images import ImageName, ImageResolver, Pinned, check_version
from providers.aws.records import Records
from providers.aws.services import Service, Services, missing
from providers.specs import EcsSpec


class Resolver:
    """Answers "what would this version be?" for a target."""

    def __init__(
        self, gateway: Gateway, services: Services, definitions: Definitions, records: Records
    ) -> None:
        self._services = services
        self._definitions = definitions
        self._records = records
        self._images = ImageResolver(gateway)

    async def resolve(self, spec: EcsSpec, version: str) -> Resolution:
        """See the port. Raises InvalidRequest for a service, container or image that is not there."""
        place = Place(spec.profile, spec.region)
        service = await self._service(spec)
        serving = service.serving
        arn = serving.task_definition if serving else service.task_definition
        definition = await self._definitions.read(place, arn)
        current = await self._current(place, service, definition, spec.container)
        release, why_not = await self._release(place, spec, current, version)
        return Resolution(
            release=release,
            current=current if serving else None,
            changes=_changes(definition, spec.container, current, release),
            warnings=tuple(_warnings(service, release, why_not)),
        )

    async def _service(self, spec: EcsSpec) -> Service:
        try:
            service = await self._services.read(spec)
        except ProviderError as exc:
            if code_of(exc) == "ClusterNotFoundException":
                raise InvalidRequest(
                    f"There is no ECS cluster {spec.cluster} in {spec.region}."
                ) from exc
            raise
        if service is None:
            raise InvalidRequest(missing(spec))
        return Services.refuse_foreign(service)

    async def _current(
        self, place: Place, service: Service, definition: Definition, container: str
    ) -> Release:
        """What runs; a tag is told with the digest that ECS resolved it to, where ECS tells."""
        release = definition.release(container)
        if release.is_pinned:
            return release
        try:
            digest = await self._records.digest(place, service.revisions, release.artifact)
        except ProviderError:
            return release
        if not digest:
            return release
        repository = ImageName.parse(release.artifact).repository
        return Release(version=release.version, artifact=f"{repository}@{digest}", pin=digest)

    async def _release(
        self, place: Place, spec: EcsSpec, current: Release, version: str
    ) -> tuple[Release, str]:
        running = ImageName.parse(current.artifact)
        wanted = ImageName.parse(spec.image) if spec.image else running
        same = wanted.path == running.path and wanted.host in ("", running.host)
        if not version and current.is_pinned and same:
            return current, ""
        version = version or current.version
        check_version(version)
        pinned = await self._images.pin(place, wanted, running, version)
        return _release(pinned, version), pinned.why_not


def _release(pinned: Pinned, version: str) -> Release:
    if pinned.digest:
        return Release(
            version=version, artifact=f"{pinned.repository}@{pinned.digest}", pin=pinned.digest
        )
    return Release(version=version, artifact=f"{pinned.repository}:{version}")


def _changes(
    definition: Definition, container: str, current: Release, release: Release
) -> tuple[str, ...]:
    name = definition.container(container).get("name", "")
    image = f"image of container {name}: {current.artifact} → {release.artifact}"
    following = f"task definition: {short(definition.arn)} → a new revision of {definition.family}"
    return (image, following)


def _warnings(service: Service, release: Release, why_not: str) -> list[str]:
    found = []
    if not release.is_pinned:
        found.append(
            f"The tag {release.version} is mutable and was not pinned to a digest ({why_not}): "
            "what ships may differ from what was approved."
        )
    primary = service.primary
    if service.is_moving and primary is not None:
        found.append(
            f"A deployment of {short(primary.task_definition)} is in progress "
            f"({primary.running} of {primary.desired} running); this one takes its place."
        )
    if not service.breaker:
        found.append(
            "The service has no deployment circuit breaker: "
            "a failure shows only by stopped tasks or by the timeout."
        )
    return found
