"""Asking for a rollout: resolve once, assess, store. Nothing ships here; see `worker`."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import datetime

from operations.actor import Actor
from operations.deployment.drafts import Also as Also
from operations.deployment.drafts import DeployRequest as DeployRequest
from operations.deployment.drafts import Requested as Requested
from operations.deployment.drafts import draft_deploy, draft_rollback, store_draft
from operations.deployment.identities import identify
from operations.deployment.policy import Answer, Identity, Question, assess, permission_obstacle
from operations.deployment.ports import Transaction
from operations.deployment.release import Release, Resolution, is_same_artifact
from operations.deployment.resources import Resources
from operations.deployment.rollout import (
    Rollout,
    RolloutKind,
    rollout_name,
)
from operations.deployment.start_time import moment_of, say_start
from operations.deployment.target import Target
from operations.deployment.way_back import check_serves, find_live_since, find_way_back
from operations.errors import Blocked, InvalidRequest, ProviderUnavailable, UnknownRollout
from operations.redaction import clean

_VERSION = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9._/:@+-]{0,254}")
_RESOLVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a request would do: the dry run. `start_at` None: as soon as it may."""

    target: Target
    resolution: Resolution
    answer: Answer
    behind: Rollout | None
    start_at: datetime | None = None


class Requests:
    """Turns wishes into rollouts."""

    def __init__(self, resources: Resources) -> None:
        self._catalog = resources.catalog
        self._providers = resources.providers
        self._store = resources.store
        self._members = resources.members
        self._clock = resources.clock

    async def request(
        self, request: DeployRequest, actor: Actor, *, also: Also | None = None
    ) -> Requested:
        """Resolve the version, check the rules and store a rollout that waits or is queued.

        Raises Refused with the reason, or ProviderError when the version could not be resolved.
        """
        asked_at = self._clock.now()
        target, identity, resolution = await self._prepare(request, actor)
        async with self._store.transaction() as tx:
            now = self._clock.now()
            since = await find_live_since(tx, target.project, target.environment, asked_at)
            if since is not None:  # what was asked of the platform is not true any more
                resolution = replace(resolution, current=since.release)
            answer = await self._assess(tx, request, target, identity, now)
            if answer.obstacles:
                raise answer.obstacles[0]
            draft = draft_deploy(request, target, actor, resolution, answer, now)
            requested = await store_draft(tx, draft, now)
            if draft.start_at is not None:
                starts = say_start(draft.start_at, target)
                requested = replace(requested, starts=starts, behind=None)
            if also is not None:
                await also(tx, requested)
            return requested

    async def plan(self, request: DeployRequest, actor: Actor) -> Plan:
        """The dry run: resolves and assesses like `request` and stores nothing."""
        target, identity, resolution = await self._prepare(request, actor)
        async with self._store.snapshot() as tx:
            now = self._clock.now()
            answer = await self._assess(tx, request, target, identity, now)
            behind = await tx.rollouts.active(target.project, target.environment)
        return Plan(
            target=target,
            resolution=resolution,
            answer=answer,
            behind=behind,
            start_at=moment_of(request.start, target, now),
        )

    async def rollback(self, request: DeployRequest, actor: Actor) -> Requested:
        """Ask for the former release, or one that was live here before, to come back.

        It needs no votes: it was approved when it first shipped. Locks and windows do not hold it.
        """
        target, identity = await self._admit(request, actor)
        async with self._store.transaction() as tx:
            return await self._store_way_back(tx, request, target, identity.actor)

    async def take_back(self, rollout_id: int, actor: Actor) -> Requested:
        """The Roll back button: like `rollback`, but only while this rollout is what serves.

        Raises StaleDecision when something newer serves, or is on its way.
        """
        rollout = await self._read(rollout_id)
        request = DeployRequest(
            project=rollout.project,
            environment=rollout.environment,
            reason=f"takes {rollout.name} back",
            channel=rollout.channel,
        )
        target, identity = await self._admit(request, actor)
        async with self._store.transaction() as tx:
            await tx.rollouts.waiting(target.project, target.environment)
            await check_serves(tx, rollout)
            return await self._store_way_back(tx, request, target, identity.actor)

    async def promotion(self, project: str, source: str, destination: str) -> DeployRequest:
        """The request that brings what is live in `source` to `destination`."""
        origin = self._catalog.find(project, source)
        self._catalog.find(project, destination)
        async with self._store.snapshot() as tx:
            live = await tx.rollouts.last_live(origin.project, origin.environment)
        if live is None:
            raise Blocked(
                f"Nothing has gone live in {origin.name} through HMS-SYS yet.",
                hint=f"Name the version: `deploy {project} {destination} VERSION`.",
            )
        return DeployRequest(
            project=project,
            environment=destination,
            version=live.release.version,
            pin=live.release.pin,
        )

    async def repeat(self, rollout_id: int, actor: Actor) -> Requested:
        """The Retry button: the same version once more, with all rules applied anew."""
        former = await self._read(rollout_id)
        request = DeployRequest(
            project=former.project,
            environment=former.environment,
            version=former.release.version,
            reason=former.reason,
            external_id=former.external_id,
            channel=former.channel,
        )
        if former.kind is RolloutKind.ROLLBACK:
            return await self.rollback(request, actor)
        return await self.request(request, actor)

    async def _read(self, rollout_id: int) -> Rollout:
        async with self._store.snapshot() as tx:
            found = await tx.rollouts.get(rollout_id)
        if found is None:
            raise UnknownRollout(
                f"There is no rollout {rollout_name(rollout_id)}.", hint="See `history`."
            )
        return found

    async def _store_way_back(
        self, tx: Transaction, request: DeployRequest, target: Target, actor: Actor
    ) -> Requested:
        now = self._clock.now()
        release, serving = await find_way_back(tx, target, request.version)
        draft = draft_rollback(request, target, actor, release, serving, now)
        return await store_draft(tx, draft, now)

    async def _prepare(
        self, request: DeployRequest, actor: Actor
    ) -> tuple[Target, Identity, Resolution]:
        target, identity = await self._admit(request, actor)
        if request.version and not _VERSION.fullmatch(request.version):
            raise InvalidRequest(
                f"“{clean(request.version, limit=60)}” is not a version.",
                hint="Letters, digits and . _ - / : @ + only.",
            )
        if request.emergency and request.start is not None:
            raise InvalidRequest(
                "An emergency does not wait.", hint="Leave out `--at`, or `--emergency`."
            )
        resolution = await self._resolve(target, request.version)
        _check_pin(request, resolution.release)
        return target, identity, resolution

    async def _admit(self, request: DeployRequest, actor: Actor) -> tuple[Target, Identity]:
        target = self._catalog.find(request.project, request.environment)
        if request.provider and request.provider != target.provider:
            raise InvalidRequest(
                f"{target.name} is deployed by {target.provider}, not {request.provider}.",
                hint=f"Say `{_command(target, request)}`, or leave the word out.",
            )
        identity = await identify(actor, target, self._members)
        obstacle = permission_obstacle(target, identity)
        if obstacle is not None:
            raise obstacle
        return target, identity

    async def _resolve(self, target: Target, version: str) -> Resolution:
        """The provider's answer, with what serves now under the version that people gave it."""
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                found = await self._providers[target.provider].resolve(target, version)
        except TimeoutError as exc:
            raise ProviderUnavailable(
                f"{target.spec.title} did not answer within {_RESOLVE_SECONDS:.0f} s.",
                hint="Nothing was changed. Try again in a moment.",
            ) from exc
        if found.current is None:
            return found
        async with self._store.snapshot() as tx:
            live = await tx.rollouts.last_live(target.project, target.environment)
        is_ours = live is not None and is_same_artifact(live.release, found.current)
        return replace(found, current=live.release) if live and is_ours else found

    @staticmethod
    async def _assess(
        tx: Transaction, request: DeployRequest, target: Target, identity: Identity, now: datetime
    ) -> Answer:
        """By what is known now, of the moment at which it is to start."""
        moment = moment_of(request.start, target, now) or now
        lock = await tx.locks.get(target.project, target.environment, moment)
        return assess(
            Question(
                target=target,
                identity=identity,
                now=moment,
                lock=lock,
                emergency=request.emergency,
                reason=request.reason,
            )
        )


def _check_pin(request: DeployRequest, release: Release) -> None:
    """A version may have become another artifact; a commit and an image cannot be compared."""
    comparable = release.pin.startswith("sha256:") == request.pin.startswith("sha256:")
    if not (request.pin and release.pin and comparable) or release.pin == request.pin:
        return
    to = f"deploy {request.project} {request.environment}"
    raise Blocked(
        f"For {request.environment}, {request.version} is another artifact ({release.pin[:19]}…) than"
        f" the one that is live ({request.pin[:19]}…).",
        hint=f"Say `{to} {request.version}` for that one, or `{to} {request.pin}` for what is live,"
        " where the target's registry has it.",
    )


def _command(target: Target, request: DeployRequest) -> str:
    words = ["deploy", target.provider, target.project, target.environment, request.version]
    return " ".join(word for word in words if word)
