"""The port of deployment platforms, answered by AWS ECS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from functools import partial

from operations.clock import Clock
from operations.deployment.ports import Capabilities, RestoreOrder, StartOrder, TargetHealth
from operations.deployment.progress import Failure, Handle, Progress, Started
from operations.deployment.release import Resolution
from operations.deployment.target import Target
from operations.errors import ProviderRejected
from operations.monitoring.errors.log_ports import LogPage, LogSource
from providers.aws.board import Board
from providers.aws.definitions import Definitions
from providers.aws.evidence import Evidence
from providers.aws.following import Follower
from providers.aws.gateway import Gateway, Place
from providers.aws.handles import EcsHandle
from providers.aws.log_pages import LogGroups
from providers.aws.logs import Logs, log_place
from providers.aws.records import Records
from providers.aws.resolution import Resolver
from providers.aws.services import Service, Services, missing
from providers.aws.shipping import Shipping, spec_of


class EcsProvider:
    """Services on ECS that ECS's own controller deploys.

    `poll_seconds`: between readings of a cluster, shared by all who follow in it.
    `unreachable_seconds`: how long `follow` survives that AWS cannot be asked.
    """

    def __init__(
        self, *, clock: Clock, poll_seconds: float = 3.0, unreachable_seconds: float = 60.0
    ) -> None:
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._unreachable = timedelta(seconds=unreachable_seconds)
        self._gateway = Gateway(clock)
        self._services = Services(self._gateway)
        self._definitions = Definitions(self._gateway)
        self._records = Records(self._gateway)
        self._logs = Logs(self._gateway)
        self._groups = LogGroups(self._gateway)
        self._evidence = Evidence(self._gateway, self._definitions, self._logs)
        self._resolver = Resolver(self._gateway, self._services, self._definitions, self._records)
        self._shipping = Shipping(
            self._gateway, self._services, self._definitions, self._records, self._evidence
        )
        self._boards: dict[tuple[Place, str], Board] = {}

    @property
    def capabilities(self) -> Capabilities:
        """Everything."""
        return Capabilities(pins=True, aborts=True, rolls_back=True)

    async def close(self) -> None:
        """Release threads and connections."""
        await self._gateway.close()

    async def resolve(self, target: Target, version: str) -> Resolution:
        """See the port. Images outside ECR stay unpinned, with a warning."""
        return await self._resolver.resolve(spec_of(target), version)

    async def start(self, order: StartOrder) -> Started:
        """Register the next revision with one image changed and update the service to it."""
        return await self._shipping.start(spec_of(order.target), order)

    async def restore(self, order: RestoreOrder) -> Started:
        """Go back to the former task definition."""
        return await self._shipping.restore(spec_of(order.target), order)

    async def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """See the port; tells what changed, in rounds shared with all who follow in the cluster."""
        spec = spec_of(target)
        place = Place(spec.profile, spec.region)
        own = EcsHandle.load(handle)
        follower = Follower(
            board=self._board(place, own.cluster),
            evidence=self._evidence,
            clock=self._clock,
            unreachable=self._unreachable,
            place=place,
            container=spec.container,
        )
        async for progress in follower.follow(own):
            yield progress

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """Stopped tasks, events and the log's tail of what the handle asked for."""
        spec = spec_of(target)
        own = EcsHandle.load(handle)
        service = await self._services.read(spec)
        why = _reason(service, own) if service is not None else missing(spec)
        place = Place(spec.profile, spec.region)
        return await self._evidence.failure(place, own, service, why=why, container=spec.container)

    async def status(self, target: Target) -> TargetHealth:
        """What the service's tasks run; counts are tasks."""
        spec = spec_of(target)
        service = await self._services.read(spec)
        if service is None:
            raise ProviderRejected(missing(spec))
        serving = service.serving
        arn = serving.task_definition if serving else service.task_definition
        definition = await self._definitions.read(Place(spec.profile, spec.region), arn)
        release = definition.release(spec.container)
        state, detail = _health(service)
        return TargetHealth(
            version=release.version,
            artifact=release.artifact,
            desired=service.desired,
            healthy=service.running,
            state=state,
            detail=detail,
        )

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """The awslogs of the container, over all its tasks."""
        spec = spec_of(target)
        place = Place(spec.profile, spec.region)
        service = await self._services.read(spec)
        if service is None:
            raise ProviderRejected(missing(spec))
        definition = await self._definitions.read(place, service.task_definition)
        where = log_place(place, definition.container(spec.container))
        return await self._logs.newest(where, lines=lines, now=self._clock.now(), since=since)

    async def read_log(self, source: LogSource, target: Target, cursor: str, limit: int) -> LogPage:
        """What came into the source's log group, in the target's region; see `LogReader`."""
        spec = spec_of(target)
        place, now = Place(spec.profile, spec.region), self._clock.now()
        return await self._groups.read(place, source.group, cursor, limit=limit, now=now)

    def _board(self, place: Place, cluster: str) -> Board:
        key = (place, cluster)
        if key not in self._boards:
            self._boards[key] = Board(
                services=partial(self._services.read_some, place, cluster),
                records=partial(self._records.read, place),
                clock=self._clock,
                seconds=self._poll_seconds,
            )
        return self._boards[key]


def _reason(service: Service, handle: EcsHandle) -> str:
    """ECS's word on our deployment, while it is still listed."""
    return next((d.reason for d in service.deployments if handle.is_own(d)), "")


def _health(service: Service) -> tuple[str, str]:
    detail = f"{service.running} of {service.desired} tasks running"
    if service.is_moving:
        return "deploying", detail
    if service.desired and not service.running:
        return "down", detail
    return ("degraded" if service.running < service.desired else "healthy"), detail
