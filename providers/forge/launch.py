"""Makes a deployment happen once: looks for one that is ours already, then asks for it.

Forge knows no idempotency key. What the deploy hook starts carries our mark as its message; what the API
starts is known by its id, or, when the answer was lost, by its commit and the time it was created.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.clock import Clock
from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Started
from operations.deployment.release import Release
from operations.deployment.target import Target
from operations.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from providers.forge.answers import Deployment
from providers.forge.api import ForgeApi
from providers.forge.revision import VARIABLE, Revisions, spec_of, takes_revision
from providers.forge.serving import MARK, same_commit
from providers.specs import ForgeSpec

# Our clock and Forge's differ a little, and Forge cuts times to whole seconds.
_SKEW = timedelta(seconds=2)
_SHOWS_WITHIN = timedelta(seconds=15)
_KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    """`not_this` is the deployment that is to be undone; `lost` that an answer may have been lost."""

    target: Target
    release: Release
    mark: str
    since: datetime
    lost: bool = False
    is_way_back: bool = False
    not_this: int | None = None

    @property
    def spec(self) -> ForgeSpec:
        return spec_of(self.target)


class Launch:
    """Starts and ways back, for all targets of one Forge user."""

    def __init__(self, api: ForgeApi, revisions: Revisions, clock: Clock) -> None:
        self._api = api
        self._revisions = revisions
        self._clock = clock
        self._claims: dict[tuple[str, int], str] = {}

    async def start(self, order: StartOrder) -> Started:
        """Deploy the release; see Provider.start."""
        return await self._launch(
            _Intent(
                target=order.target,
                release=order.release,
                mark=_mark(order.key),
                since=order.intended_at,
                lost=order.resumed,
                is_way_back=order.is_rollback,
            )
        )

    async def restore(self, order: RestoreOrder) -> Started:
        """Deploy the former release; Forge cannot stop one that still runs, so that is waited for."""
        return await self._launch(
            _Intent(
                target=order.target,
                release=order.previous,
                mark=_mark(f"{order.key}-back"),
                since=order.intended_at,
                is_way_back=True,
                not_this=deployment_of(order.handle or {}),
            )
        )

    async def _launch(self, intent: _Intent) -> Started:
        recent = await self._api.deployments(intent.spec)
        own = self._own(intent, recent)
        if own is not None:
            return self._started(intent, own, "found again")
        running = await self._api.running(intent.spec)
        if running:
            raise ProviderUnavailable(
                f"Another deployment of the site goes on at Forge ({running}).",
                hint="Forge cannot stop it; it ends by itself within ten minutes.",
            )
        if await self._needs_hook(intent):
            made = await self._trigger(intent, {d.id for d in recent})
            return self._started(intent, made, "asked for through the deploy hook")
        return self._started(intent, await self._api.deploy(intent.spec), "asked for")

    def _own(self, intent: _Intent, recent: list[Deployment]) -> Deployment | None:
        """The oldest of the recent deployments that this very intent made, if there is one."""
        young = [d for d in recent if d.created_at >= intent.since - _SKEW]
        return next((d for d in reversed(young) if self._is_own(intent, d)), None)

    def _is_own(self, intent: _Intent, deployment: Deployment) -> bool:
        claim = self._claims.get((intent.spec.identity, deployment.id), "")
        if claim or deployment.message.startswith(MARK):
            return intent.mark in (claim, deployment.message)
        if deployment.id == intent.not_this:
            return False
        if deployment.commit and intent.release.pin:
            return same_commit(deployment.commit, intent.release.pin)
        return intent.lost

    async def _needs_hook(self, intent: _Intent) -> bool:
        """Whether the commit must be handed over. Raises ProviderRejected when it cannot be."""
        branch, pin = intent.spec.branch, intent.release.pin
        if not pin:
            if intent.is_way_back:
                raise _no_way_back(f"nobody knows which commit {intent.release.version} was")
            return False
        head = await self._revisions.head(intent.target)
        if head is not None and head.sha == pin:
            return False
        if takes_revision(await self._api.script(intent.spec)):
            return True
        if intent.is_way_back:
            raise _no_way_back(f"Forge deploys the head of {branch}, and {pin[:7]} is not it")
        if head is None:  # the commit that Forge has deployed is compared at the end
            return False
        raise ProviderRejected(
            f"{branch} has moved on to {head.short} since {pin[:7]} was asked for; nothing was done.",
            hint=f"Ask for {head.short}, or make the deploy script take {VARIABLE}.",
        )

    async def _trigger(self, intent: _Intent, known: set[int]) -> Deployment:
        pin = intent.release.pin
        query = {
            "revision": pin,
            "forge_deploy_commit": pin,
            "forge_deploy_message": intent.mark,
            "forge_deploy_author": "HMS-SYS",
        }
        await self._api.trigger(intent.spec, query)
        # The hook answers without an id: the deployment is the new one with our mark or commit.
        until = self._clock.now() + _SHOWS_WITHIN
        while self._clock.now() < until:
            shown = await self._shown(intent, known)
            if shown is not None:
                return shown
            await self._clock.sleep(1.0)
        raise OutcomeUnknown("Forge's deploy hook was called, and no new deployment shows.")

    async def _shown(self, intent: _Intent, known: set[int]) -> Deployment | None:
        try:
            recent = await self._api.deployments(intent.spec)
        except ProviderUnavailable:
            return None
        return self._own(intent, [d for d in recent if d.id not in known])

    def _started(self, intent: _Intent, deployment: Deployment, how: str) -> Started:
        while len(self._claims) >= _KEPT:
            self._claims.pop(next(iter(self._claims)))
        self._claims[(intent.spec.identity, deployment.id)] = intent.mark
        what = intent.release.pin[:7] or intent.release.artifact
        return Started(
            handle={"deployment": deployment.id, "commit": intent.release.pin},
            summary=f"Forge deployment {deployment.id} of {what}, {how}",
        )


def deployment_of(handle: Handle) -> int | None:
    """The deployment's number in a handle of ours."""
    number = handle.get("deployment")
    return number if isinstance(number, int) else None


def _mark(key: str) -> str:
    # It becomes a variable of a shell script: nothing in it may mean anything to a shell.
    return MARK + re.sub(r"[^A-Za-z0-9._-]", "-", key)


def _no_way_back(why: str) -> ProviderRejected:
    return ProviderRejected(
        f"Forge cannot bring it back: {why}.",
        hint=f"Revert on the branch and deploy, or make the deploy script take {VARIABLE}.",
    )
