"""Changing a service: to a new revision of its task definition, and back to the former one.

Every change can be found again: the revision carries the rollout's key, and what the service points
at says whether it was told. So nothing is sent twice, whoever dies in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Started
from operations.deployment.release import Release
from operations.deployment.target import Target
from operations.errors import ProviderError, ProviderRejected
from providers.aws.definitions import Definition, Definitions, Marks, short
from providers.aws.evidence import Evidence
from providers.aws.gateway import Gateway, Place
from providers.aws.handles import EcsHandle
from providers.aws.images import ImageName
from providers.aws.records import ONGOING, RETURNING, Records
from providers.aws.services import Service, Services, service_from
from providers.specs import EcsSpec

BACK = "/back"
"""Added to a rollout's key when its way back needs a revision of its own."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a change happens: the target's spec and the service as it was found."""

    spec: EcsSpec
    place: Place
    service: Service

    @property
    def served_by(self) -> str:
        """The task definition that does the work now."""
        serving = self.service.serving
        return serving.task_definition if serving else self.service.task_definition


class Shipping:
    """Makes the changes."""

    def __init__(
        self,
        gateway: Gateway,
        services: Services,
        definitions: Definitions,
        records: Records,
        evidence: Evidence,
    ) -> None:
        self._gateway = gateway
        self._services = services
        self._definitions = definitions
        self._records = records
        self._evidence = evidence

    async def start(self, spec: EcsSpec, order: StartOrder) -> Started:
        """Ship a release; finds what an earlier attempt of the same key has done."""
        site = await self._site(spec)
        base = await self._definitions.read_afresh(site.place, site.service.task_definition)
        image = order.release.artifact
        if base.is_made_by(order.key, spec.container, image):
            return await self._found(site, base, order.intended_at)
        revision = None
        if order.resumed:
            newest = await self._definitions.newest(site.place, base.family)
            made = (d for d in newest if d.is_made_by(order.key, spec.container, image))
            revision = next(made, None)
            if revision is not None and await self._was_applied(site, revision, order.intended_at):
                return await self._found(site, revision, order.intended_at)
        if revision is None:
            revision = await self._register(site, base, order.release, order.key)
        handle = await self._update(site, revision.arn, order.intended_at)
        return _started(handle, f"Task definition {short(revision.arn)}")

    async def restore(self, spec: EcsSpec, order: RestoreOrder) -> Started:
        """Bring the former task definition back, by ECS's own rollback where one can be asked for."""
        site = await self._site(spec)
        own = EcsHandle.load(order.handle) if order.handle is not None else None
        await self._refuse_foreign(site, own, order.key)
        former = await self._former(site, own, order.previous)
        if former is None:
            return await self._ship_again(site, order)
        summary = f"Back to task definition {short(former.arn)}"
        if (
            site.service.task_definition == former.arn
            or await self._goes_back_already(site, own, former.arn)
            or await self._stop(site, own, former.arn)
        ):
            handle = _standing(site, former.arn, order.intended_at)
        else:
            handle = await self._update(site, former.arn, order.intended_at)
        return _started(_returning(handle, site, order.intended_at), summary)

    async def _refuse_foreign(self, site: Site, own: EcsHandle | None, key: str) -> None:
        """Going back from what somebody else brought since would undo their work, not ours."""
        present = site.service.task_definition
        if own is None or present in (own.task_definition, own.former_task_definition):
            return
        definition = await self._definitions.read(site.place, present)
        if definition.marks.key != f"{key}{BACK}":
            raise ProviderRejected(f"another deployment took its place: {short(present)}")

    async def _site(self, spec: EcsSpec) -> Site:
        service = await self._services.demand(spec)
        return Site(spec, Place(spec.profile, spec.region), service)

    async def _register(
        self, site: Site, base: Definition, release: Release, key: str
    ) -> Definition:
        marks = Marks(key=key, version=release.version, former=short(site.served_by))
        return await self._definitions.register(
            site.place, base, site.spec.container, release.artifact, marks
        )

    async def _update(self, site: Site, arn: str, intended_at: datetime) -> EcsHandle:
        spec, place = site.spec, site.place
        answer = await self._gateway.change(
            place,
            "update the service",
            lambda aws: aws.ecs_once.update_service(
                cluster=spec.cluster, service=spec.service, taskDefinition=arn
            ),
        )
        handle = _standing(Site(spec, place, service_from(answer["service"])), arn, intended_at)
        before = site.service.primary
        handle = replace(
            handle,
            former_task_definition=site.served_by,
            former_deployment=before.id if before else "",
        )
        return await self._with_record(place, handle, handle.started_at)

    async def _with_record(self, place: Place, handle: EcsHandle, since: datetime) -> EcsHandle:
        """The handle with its service deployment; a failure to find it loses nothing."""
        try:
            record = await self._records.find(
                place, handle.cluster, handle.service, handle.task_definition, since
            )
        except ProviderError:
            return handle
        return replace(handle, record=record)

    async def _found(self, site: Site, revision: Definition, since: datetime) -> Started:
        """The handle of a change that an earlier attempt made."""
        handle = _standing(site, revision.arn, since)
        former = revision.marks.former
        if former:
            prefix = revision.arn.rpartition("/")[0]
            handle = replace(handle, former_task_definition=f"{prefix}/{former}")
        handle = await self._with_record(site.place, handle, since)
        return _started(handle, f"Task definition {short(revision.arn)}")

    async def _was_applied(self, site: Site, revision: Definition, since: datetime) -> bool:
        """Whether the service was ever told of a revision that it does not point at now."""
        if any(d.task_definition == revision.arn for d in site.service.deployments):
            return True
        handle = _standing(site, revision.arn, since)
        if (await self._with_record(site.place, handle, since)).record:
            return True
        return bool(await self._evidence.stopped(site.place, handle))

    async def _former(
        self, site: Site, own: EcsHandle | None, previous: Release
    ) -> Definition | None:
        """The revision to go back to: the one that was noted, else one that runs the same release."""
        if own is not None and own.former_task_definition:
            noted = await self._definitions.read_afresh(site.place, own.former_task_definition)
            if noted.is_active:
                return noted
        present = await self._definitions.read(site.place, site.service.task_definition)
        candidates = [present, *await self._definitions.newest(site.place, present.family)]
        for candidate in candidates:
            if _runs(candidate, site.spec.container, previous):
                return candidate
        return None

    async def _ship_again(self, site: Site, order: RestoreOrder) -> Started:
        """The former revision is gone: its image becomes a new one."""
        start = StartOrder(
            target=order.target,
            release=order.previous,
            key=f"{order.key}{BACK}",
            cause=order.cause,
            intended_at=order.intended_at,
            resumed=True,
            is_rollback=True,
        )
        started = await self.start(site.spec, start)
        handle = _returning(EcsHandle.load(started.handle), site, order.intended_at)
        return _started(handle, started.summary)

    async def _goes_back_already(self, site: Site, own: EcsHandle | None, former: str) -> bool:
        """Whether ECS is rolling our deployment back by itself, or by an earlier order of ours."""
        if own is None or not own.record:
            return False
        record = (await self._records.read(site.place, [own.record])).get(own.record)
        if record is None or record.status not in RETURNING:
            return False
        return await self._leads_to(site, record.source_revisions, former)

    async def _stop(self, site: Site, own: EcsHandle | None, former: str) -> bool:
        """Ask for ECS's own rollback of our deployment; False when it would not do what we want."""
        if own is None or not own.record or site.service.task_definition != own.task_definition:
            return False
        record = (await self._records.read(site.place, [own.record])).get(own.record)
        if record is None or record.status not in ONGOING:
            return False
        if not await self._leads_to(site, record.source_revisions, former):
            return False
        return await self._records.roll_back(site.place, own.record)

    async def _leads_to(self, site: Site, revisions: tuple[str, ...], former: str) -> bool:
        sources = await self._records.task_definitions(site.place, revisions)
        return set(sources.values()) == {former}


def spec_of(target: Target) -> EcsSpec:
    """The target's own part; anything else is a mistake of the wiring."""
    if not isinstance(target.spec, EcsSpec):
        raise TypeError(f"{target.name} is not a target on ECS")
    return target.spec


def _runs(definition: Definition, container: str, release: Release) -> bool:
    present = definition.release(container)
    if present.artifact == release.artifact or (release.pin and present.pin == release.pin):
        return True
    here, there = ImageName.parse(present.artifact), ImageName.parse(release.artifact)
    same_tag = present.version == release.version and here.repository == there.repository
    return same_tag and not present.is_pinned


def _standing(site: Site, arn: str, intended_at: datetime) -> EcsHandle:
    """A handle for a task definition on a service as it stands; the deployment may be over already."""
    own = next((d for d in site.service.deployments if d.task_definition == arn), None)
    return EcsHandle(
        cluster=site.spec.cluster,
        service=site.spec.service,
        task_definition=arn,
        deployment=own.id if own else "",
        started_at=own.created_at if own else intended_at,
    )


def _returning(handle: EcsHandle, before: Site, intended_at: datetime) -> EcsHandle:
    """The handle of a way back, from what the service pointed at before."""
    primary = before.service.primary
    return replace(
        handle,
        returning=True,
        started_at=intended_at,
        record="",
        former_task_definition=before.service.task_definition,
        former_deployment=primary.id if primary else "",
    )


def _started(handle: EcsHandle, summary: str) -> Started:
    return Started(handle=handle.dump(), summary=summary)
