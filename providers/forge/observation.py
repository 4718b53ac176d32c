"""Follows a deployment to its verdict. Finished is not succeeded: the commit decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from operations.clock import Clock
from operations.deployment.progress import Failure, Handle, Progress, Verdict
from operations.deployment.target import Target
from operations.errors import ProviderUnauthorized, ProviderUnavailable
from operations.redaction import clean
from providers.forge.answers import Deployment, DeploymentState
from providers.forge.api import ForgeApi
from providers.forge.budget import Budget, Errand
from providers.forge.launch import deployment_of
from providers.forge.revision import spec_of
from providers.forge.serving import MARK, Serving, same_commit
from providers.specs import ForgeSpec

_ACTIVITY = "Deploy script"
_TAIL = 40
_LOOKS_FOR_COMMIT = 3


@dataclass(slots=True)
class _Watch:
    """What one follower remembers between two looks."""

    spec: ForgeSpec
    number: int
    pin: str
    line: str = ""
    line_at: datetime | None = None
    lost_since: datetime | None = None
    looks_for_commit: int = field(default=0)


class Observation:
    """`poll` and `log_every` are the shortest spans between two reads, `patience` how long contact may
    stay lost before it is told; all in seconds."""

    def __init__(
        self,
        api: ForgeApi,
        serving: Serving,
        budget: Budget,
        clock: Clock,
        *,
        poll: float,
        patience: float,
    ) -> None:
        self._api = api
        self._serving = serving
        self._budget = budget
        self._clock = clock
        self._poll = poll
        self._patience = patience
        self._log_every = max(10.0, 3 * poll)

    async def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """See Provider.follow."""
        number = deployment_of(handle)
        if number is None:
            yield _ended(Verdict.UNKNOWN, "Which deployment at Forge it was is not known")
            return
        watch = _Watch(spec_of(target), number, str(handle.get("commit") or ""))
        with self._budget.following():
            while True:
                seen = await self._look(watch)
                if seen is not None:
                    yield seen
                    if seen.verdict is not None:
                        return
                await self._clock.sleep(self._budget.interval(self._poll))

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """See Provider.explain."""
        number = deployment_of(handle)
        if number is None:
            return Failure(summary="which deployment at Forge it was is not known")
        spec = spec_of(target)
        found = await self._api.deployment(spec, number, Errand.URGENT)
        if found is None:
            return Failure(summary=f"Forge knows no deployment {number}")
        doing = f"Forge has the deployment as “{clean(found.attributes.status, limit=40)}”"
        return await self._failure(spec, found, doing)

    async def _look(self, watch: _Watch) -> Progress | None:
        """One observation; None while contact is lost. Raises ProviderUnavailable when it stays so."""
        fresh = self._budget.interval(self._poll) / 2
        try:
            found = await self._api.deployment(
                watch.spec, watch.number, Errand.BACKGROUND, max_age=fresh
            )
            seen = await self._read(watch, found)
        except ProviderUnavailable:
            now = self._clock.now()
            watch.lost_since = watch.lost_since or now
            if (now - watch.lost_since).total_seconds() >= self._patience:
                raise
            return None
        watch.lost_since = None
        return seen

    async def _read(self, watch: _Watch, found: Deployment | None) -> Progress:
        if found is None:
            return _ended(Verdict.UNKNOWN, f"Forge no longer knows deployment {watch.number}")
        match found.state:
            case DeploymentState.RUNNING:
                return await self._under_way(watch, found)
            case DeploymentState.FINISHED:
                return await self._judge(watch, found)
            case DeploymentState.CANCELLED:
                return _ended(Verdict.CANCELLED, "Cancelled at Forge")
            case DeploymentState.FAILED:
                build = found.attributes.status == "failed-build"
                summary = "The build failed" if build else "The deploy script failed"
                failure = await self._failure(watch.spec, found, summary)
                return _ended(Verdict.FAILED, summary, failure)

    async def _under_way(self, watch: _Watch, found: Deployment) -> Progress:
        status = clean(found.attributes.status, limit=40)
        now = self._clock.now()
        watch.line_at = watch.line_at or now
        due = (now - watch.line_at).total_seconds() >= self._log_every
        if due and status == "deploying" and self._budget.is_easy:
            watch.line_at = now
            lines = await self._tail(watch.spec, found, Errand.BACKGROUND)
            watch.line = lines[-1][:200] if lines else ""
        return Progress(activity=_ACTIVITY, detail=watch.line or status)

    async def _judge(self, watch: _Watch, found: Deployment) -> Progress:
        """A finished deployment: by the commit it left."""
        left = await self._serving.commit_of(watch.spec, found, Errand.BACKGROUND)
        if not watch.pin:
            return _ended(Verdict.SUCCEEDED, f"Deployed {left[:7]}" if left else "Deployed")
        if not left:
            return self._unproven(watch, found)
        if not same_commit(left, watch.pin):
            summary = f"Forge deployed {left[:7]}, not {watch.pin[:7]}"
            return _ended(Verdict.FAILED, summary, await self._failure(watch.spec, found, summary))
        later = await self._later(watch, found)
        if later is not None:
            what = f"Deployment {later.id} ({later.commit[:7] or 'commit unknown'}) took its place"
            return _ended(Verdict.UNKNOWN, what)
        return _ended(Verdict.SUCCEEDED, f"Deployed {left[:7]}")

    def _unproven(self, watch: _Watch, found: Deployment) -> Progress:
        if found.message.startswith(MARK):
            return _ended(
                Verdict.UNKNOWN,
                "The script does not say which commit it left: let it print `git rev-parse HEAD`",
            )
        watch.looks_for_commit += 1
        if watch.looks_for_commit < _LOOKS_FOR_COMMIT:
            return Progress(activity=_ACTIVITY, detail="finished; the commit is not known yet")
        return _ended(Verdict.UNKNOWN, "Forge does not say which commit it deployed")

    async def _later(self, watch: _Watch, found: Deployment) -> Deployment | None:
        """A deployment that finished after ours, with another commit."""
        recent = await self._api.deployments(watch.spec, Errand.BACKGROUND)
        for other in recent:
            if other.id <= found.id or other.state is not DeploymentState.FINISHED:
                continue
            left = await self._serving.commit_of(watch.spec, other, Errand.BACKGROUND)
            return None if same_commit(left, watch.pin) else other
        return None

    async def _failure(self, spec: ForgeSpec, found: Deployment, summary: str) -> Failure:
        lines = await self._tail(spec, found, Errand.URGENT)
        return Failure(summary=summary, reason="\n".join(lines[-3:]), evidence=tuple(lines))

    async def _tail(self, spec: ForgeSpec, found: Deployment, errand: Errand) -> list[str]:
        try:
            output = await self._api.output(spec, found.id, errand)
        except ProviderUnauthorized as exc:
            return [f"The output cannot be read: {exc.message}"]
        lines = clean(output, limit=8000).splitlines()
        return [line.rstrip() for line in lines if line.strip()][-_TAIL:]


def _ended(verdict: Verdict, detail: str, failure: Failure | None = None) -> Progress:
    if failure is None and verdict is Verdict.UNKNOWN:
        failure = Failure(summary=detail)
    return Progress(activity=_ACTIVITY, detail=detail, verdict=verdict, failure=failure)
