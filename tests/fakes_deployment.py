"""A provider, a probe and user groups that do what a test wrote down, and fail on anything else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import timedelta

from operations.deployment.ports import (
    Capabilities,
    RestoreOrder,
    StartOrder,
    TargetHealth,
)
from operations.deployment.progress import Failure, Handle, Progress, Started, Verdict
from operations.deployment.release import Release, Resolution
from operations.deployment.target import HealthRule, Target
from operations.errors import InvalidRequest, OutcomeUnknown
from tests.factories import NEW, OLD

SUCCESS = (
    Progress(activity="New pods", detail="1 of 2 new pods ready", ready=1, total=2),
    Progress(
        activity="New pods",
        detail="2 of 2 new pods ready",
        ready=2,
        total=2,
        verdict=Verdict.SUCCEEDED,
    ),
)
CANNOT_PULL = Failure(
    summary="2 pods cannot pull the image",
    reason="ImagePullBackOff: not found",
    evidence=("Warning Failed: not found", "last log line"),
)
FAILURE = (
    Progress(activity="New pods", detail="0 of 2 new pods ready", ready=0, total=2),
    Progress(activity="New pods", verdict=Verdict.FAILED, failure=CANNOT_PULL),
)


class ScriptedProvider:
    """A platform of one object: `serving` is the artifact that truly serves, `changes` what was done."""

    def __init__(
        self,
        *,
        releases: Sequence[Release] = (OLD, NEW),
        capabilities: Capabilities | None = None,
        scripts: Mapping[str, Sequence[Progress]] | None = None,
    ) -> None:
        self.capabilities = capabilities or Capabilities(pins=True, aborts=True, rolls_back=True)
        self.releases = {release.version: release for release in releases}
        self.scripts = dict(scripts or {})
        self.serving = OLD.artifact
        self.changes: list[tuple[str, str]] = []
        self.start_troubles: deque[Exception] = deque()
        self.restore_troubles: deque[Exception] = deque()
        self.follow_troubles: deque[Exception] = deque()
        self.resolve_troubles: deque[Exception] = deque()
        self.lose_next_answer = False
        self.orders: list[StartOrder] = []
        self.release_followers = asyncio.Event()
        self.release_followers.set()
        self.is_followed = asyncio.Event()

    async def resolve(self, target: Target, version: str) -> Resolution:
        """Known versions only; "" is what serves."""
        if self.resolve_troubles:
            raise self.resolve_troubles.popleft()
        current = next((r for r in self.releases.values() if r.artifact == self.serving), None)
        if not version and current:
            return Resolution(release=current, current=current)
        if version not in self.releases:
            raise InvalidRequest(f"There is no version {version}.")
        return Resolution(release=self.releases[version], current=current)

    async def start(self, order: StartOrder) -> Started:
        """Idempotent by key, as every provider must be."""
        self.orders.append(order)
        if self.start_troubles:
            raise self.start_troubles.popleft()
        self._change(order.key, order.release.artifact)
        if self.lose_next_answer:
            self.lose_next_answer = False
            raise OutcomeUnknown("The connection was cut.")
        return Started(
            handle={"artifact": order.release.artifact}, summary="Deployment web patched"
        )

    async def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """The script of the artifact, its verdict once `release_followers` is set."""
        if self.follow_troubles:
            raise self.follow_troubles.popleft()
        artifact = str(handle["artifact"])
        for seen in self.scripts.get(artifact, SUCCESS):
            if seen.verdict is not None:
                self.is_followed.set()
                await self.release_followers.wait()
            yield seen

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """Always the same reason."""
        return Failure(summary="1 of 2 pods is not ready", reason="Readiness probe failed")

    async def restore(self, order: RestoreOrder) -> Started:
        """Idempotent by key."""
        if self.restore_troubles:
            raise self.restore_troubles.popleft()
        self._change(f"{order.key} back", order.previous.artifact)
        self.release_followers.set()
        return Started(handle={"artifact": order.previous.artifact}, summary="Undone")

    async def status(self, target: Target) -> TargetHealth:
        """Two of two."""
        return TargetHealth(
            version=self.serving, artifact=self.serving, desired=2, healthy=2, state="healthy"
        )

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """One line."""
        return ["GET / 200"]

    def _change(self, key: str, artifact: str) -> None:
        if all(known != key for known, _ in self.changes):
            self.changes.append((key, artifact))
            self.serving = artifact


class ScriptedProbe:
    """Answers in turn; the last answer for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = deque(answers or ("",))

    async def probe(self, rule: HealthRule) -> str:
        """The next answer."""
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]


class ScriptedMembers:
    """User groups by id."""

    def __init__(self, **groups: Collection[str]) -> None:
        self.groups = groups

    async def groups_of(self, user: str, among: Collection[str]) -> frozenset[str]:
        """Those of `among` that the user is in."""
        return frozenset(g for g in among if user in self.groups.get(g, ()))
