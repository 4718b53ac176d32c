"""Asking for a rollout: resolve once, assess, store. Nothing ships here; see `worker`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from operations.actor import Actor
from operations.deployment.identities import identify
from operations.deployment.journal import announce, record
from operations.deployment.policy import Answer, Identity, Question, assess, permission_obstacle
from operations.deployment.ports import Transaction
from operations.deployment.release import Release, Resolution, is_same_artifact
from operations.deployment.resources import Resources
from operations.deployment.rollout import (
    Rollout,
    RolloutDraft,
    RolloutKind,
    RolloutState,
)
from operations.deployment.target import Target
from operations.deployment.way_back import find_live_since, find_way_back
from operations.errors import Blocked, InvalidRequest, ProviderUnavailable, UnknownRollout
from operations.redaction import clean, shorten

_VERSION = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9._/:@+-]{0,254}")
_RESOLVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What somebody asked for, in their words. `version` "": what runs now, or the branch's head.

    `provider` is the optional word of the command. `pin` is what the version must turn out to be, ""
    where that is open. `channel` is where they asked: the rollout is
    announced there when the configuration names no channel.
    """

    project: str
    environment: str
    version: str = ""
    provider: str = ""
    pin: str = ""
    reason: str = ""
    emergency: bool = False
    external_id: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """`superseded` were waiting and have given way; `behind` is being carried out first."""

    rollout: Rollout
    superseded: tuple[Rollout, ...] = ()
    behind: Rollout | None = None


Also = Callable[[Transaction, Requested], Awaitable[None]]
"""What is to happen in the transaction that stores a rollout, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a request would do: the dry run."""

    target: Target
    resolution: Resolution
    answer: Answer
    behind: Rollout | None


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
            draft = _draft(request, target, actor, resolution, answer, now)
            requested = await self._store_draft(tx, draft, now)
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
        return Plan(target=target, resolution=resolution, answer=answer, behind=behind)

    async def rollback(self, request: DeployRequest, actor: Actor) -> Requested:
        """Ask for the former release, or one that was live here before, to come back.

        It needs no votes: it was approved when it first shipped. Locks and windows do not hold it.
        """
        target, identity = await self._admit(request, actor)
        async with self._store.transaction() as tx:
            now = self._clock.now()
            release, serving = await find_way_back(tx, target, request.version)
            draft = RolloutDraft(
                project=target.project,
                environment=target.environment,
                provider=target.provider,
                kind=RolloutKind.ROLLBACK,
                release=release,
                previous=serving,
                requested_by=identity.actor,
                requested_at=now,
                reason=shorten(request.reason),
                channel=target.channel or request.channel,
                external_id=request.external_id,
                emergency=False,
                warnings=(),
                state=RolloutState.QUEUED,
                votes_required=0,
                expires_at=None,
            )
            return await self._store_draft(tx, draft, now)

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
        async with self._store.snapshot() as tx:
            former = await tx.rollouts.get(rollout_id)
        if former is None:
            raise UnknownRollout(f"There is no rollout D-{rollout_id}.", hint="See `history`.")
        request = DeployRequest(
            project=former.project,
            environment=former.environment,
            version=former.release.version,
            reason=former.reason,
            channel=former.channel,
        )
        if former.kind is RolloutKind.ROLLBACK:
            return await self.rollback(request, actor)
        return await self.request(request, actor)

    async def _prepare(
        self, request: DeployRequest, actor: Actor
    ) -> tuple[Target, Identity, Resolution]:
        target, identity = await self._admit(request, actor)
        if request.version and not _VERSION.fullmatch(request.version):
            raise InvalidRequest(
                f"“{clean(request.version, limit=60)}” is not a version.",
                hint="Letters, digits and . _ - / : @ + only.",
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
        lock = await tx.locks.get(target.project, target.environment, now)
        return assess(
            Question(
                target=target,
                identity=identity,
                now=now,
                lock=lock,
                emergency=request.emergency,
                reason=request.reason,
            )
        )

    @staticmethod
    async def _store_draft(tx: Transaction, draft: RolloutDraft, now: datetime) -> Requested:
        waiting = await tx.rollouts.waiting(draft.project, draft.environment)
        rollout = await tx.rollouts.add(draft)
        superseded = tuple([await _supersede(tx, old, rollout, now) for old in waiting])
        await record(
            tx,
            rollout,
            "rollout.requested",
            rollout.requested_by,
            now,
            version=rollout.release.version,
            pin=rollout.release.pin,
            kind=rollout.kind.value,
            reason=rollout.reason,
        )
        await announce(tx, rollout, now)
        behind = await tx.rollouts.active(draft.project, draft.environment)
        return Requested(rollout=rollout, superseded=superseded, behind=behind)


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


def _draft(
    request: DeployRequest,
    target: Target,
    actor: Actor,
    resolution: Resolution,
    answer: Answer,
    now: datetime,
) -> RolloutDraft:
    rule = answer.rule
    return RolloutDraft(
        project=target.project,
        environment=target.environment,
        provider=target.provider,
        kind=RolloutKind.DEPLOY,
        release=resolution.release,
        previous=resolution.current,
        requested_by=actor,
        requested_at=now,
        reason=shorten(request.reason),
        channel=target.channel or request.channel,
        external_id=request.external_id,
        emergency=request.emergency,
        warnings=resolution.warnings,
        state=RolloutState.PENDING_APPROVAL if rule else RolloutState.QUEUED,
        votes_required=answer.votes_required,
        expires_at=now + rule.expires if rule else None,
    )


async def _supersede(tx: Transaction, old: Rollout, new: Rollout, now: datetime) -> Rollout:
    ended = await tx.rollouts.save(
        replace(
            old,
            state=RolloutState.CANCELLED,
            ended_at=now,
            outcome=f"Superseded by {new.name} ({new.release.version}).",
        )
    )
    await record(tx, ended, "rollout.superseded", new.requested_by, now, by=new.name)
    await announce(tx, ended, now)
    return ended
