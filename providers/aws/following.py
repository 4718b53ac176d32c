"""Following one rollout on the cluster's shared readings until ECS has decided."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.clock import Clock
from operations.deployment.progress import Progress, Verdict
from operations.errors import ProviderError, ProviderUnauthorized, ProviderUnavailable
from providers.aws.board import Board, Round, Subject
from providers.aws.evidence import Evidence
from providers.aws.gateway import Place
from providers.aws.handles import EcsHandle
from providers.aws.services import Service
from providers.aws.verdicts import Judgement, Reading, judge

_BAD_ENDS = frozenset({Verdict.FAILED, Verdict.ROLLED_BACK, Verdict.CANCELLED, Verdict.UNKNOWN})


@dataclass(slots=True, kw_only=True)
class Follower:
    """One `follow`. `unreachable`: how long AWS may not answer before it is given up."""

    board: Board
    evidence: Evidence
    clock: Clock
    unreachable: timedelta
    place: Place
    container: str
    silent_since: datetime | None = None
    failed_before: int = 0

    async def follow(self, handle: EcsHandle) -> AsyncIterator[Progress]:
        """Each change of the progress, the last one with a verdict."""
        subject = Subject(handle.service, handle.record)
        told: Progress | None = None
        number = self.board.latest
        with self.board.following(subject):
            while True:
                round_ = await self.board.after(number, subject)
                number = round_.number
                if not self._readable(round_, subject):
                    continue
                progress = await self._progress(handle, round_, subject)
                if progress != told:
                    yield progress
                told = progress
                if progress.verdict is not None:
                    return

    def _readable(self, round_: Round, subject: Subject) -> bool:
        """Whether the round tells of us; raises when AWS has been silent for too long."""
        error = round_.errors.get(subject.service) or round_.errors.get(subject.record)
        if error is None:
            self.silent_since = None
            return True
        if not isinstance(error, ProviderUnavailable | ProviderUnauthorized):
            raise error
        self.silent_since = self.silent_since or round_.at
        if self.clock.now() - self.silent_since >= self.unreachable:
            raise _given_up(error) from error
        return False

    async def _progress(self, handle: EcsHandle, round_: Round, subject: Subject) -> Progress:
        service = round_.services.get(subject.service)
        record = round_.records.get(subject.record)
        judgement = judge(handle, Reading(service=service, record=record, at=round_.at))
        if judgement.progress.verdict is None and service is not None:
            judgement = await self._without_breaker(handle, service, judgement)
        verdict = judgement.progress.verdict
        if verdict not in _BAD_ENDS:
            return judgement.progress
        failure = await self.evidence.failure(
            self.place, handle, service, why=judgement.why, container=self.container
        )
        if verdict is Verdict.UNKNOWN:
            failure = replace(failure, summary=judgement.why)
        elif verdict is Verdict.CANCELLED:
            failure = replace(failure, summary="The deployment was stopped at AWS.")
        return replace(judgement.progress, failure=failure)

    async def _without_breaker(
        self, handle: EcsHandle, service: Service, judgement: Judgement
    ) -> Judgement:
        """Without a breaker ECS tries for ever: see for ourselves when tasks keep failing."""
        primary = service.primary
        if service.breaker or primary is None or not handle.is_own(primary) or primary.running:
            return judgement
        failed, self.failed_before = self.failed_before, primary.failed
        if primary.failed == failed or not await self.evidence.hopeless(self.place, handle):
            return judgement
        progress = replace(judgement.progress, verdict=Verdict.FAILED)
        return replace(judgement, progress=progress, why=primary.reason)


def _given_up(error: ProviderError) -> ProviderError:
    kind = ProviderUnauthorized if isinstance(error, ProviderUnauthorized) else ProviderUnavailable
    return kind(error.message, hint=error.hint)
