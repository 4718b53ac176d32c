"""Answers how deploying goes: reads what has ended, asks for commits' times, and counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from operations.deployment.resources import Resources
from operations.deployment.statistics import PastRollout, Statistics, figures_of
from operations.errors import InvalidRequest, OperationError

_LOG = logging.getLogger("hms.statistics")
_USUAL = timedelta(days=30)
_LONGEST = timedelta(days=366)
_COMMIT_SECONDS = 10.0


class CommitTimes(Protocol):
    """When the commits were made that were shipped."""

    async def of(self, rollouts: Sequence[PastRollout]) -> Mapping[int, datetime]:
        """The newest commit's time by the rollout's id; those that cannot be known are left out."""
        ...


class Performance:
    """Counts. `commits` None: nobody can tell when a commit was made."""

    def __init__(self, resources: Resources, commits: CommitTimes | None = None) -> None:
        self._catalog = resources.catalog
        self._store = resources.store
        self._clock = resources.clock
        self._commits = commits

    async def measure(self, project: str = "", span: timedelta | None = None) -> Statistics:
        """The figures of the last `span`, of 30 days when it is None.

        Raises UnknownTarget for a project that neither is nor was, InvalidRequest for too long a span.
        """
        span = span or _USUAL
        if span > _LONGEST:
            raise InvalidRequest(
                "That is too long ago.", hint="A year is the most: `--since 365d`."
            )
        until = self._clock.now()
        name, _ = self._catalog.spelled(project, "")
        async with self._store.snapshot() as tx:
            past = await tx.rollouts.ended_since(until - span, name)
        if not past and name:
            self._catalog.select(name)
        committed = await self._committed([each for each in past if each.is_live_deploy])
        environments = await asyncio.to_thread(figures_of, past, committed)
        return Statistics(project=name, since=until - span, until=until, environments=environments)

    async def _committed(self, live: Sequence[PastRollout]) -> Mapping[int, datetime]:
        """What nobody can tell is left out: no figure waits for it."""
        if self._commits is None or not live:
            return {}
        try:
            async with asyncio.timeout(_COMMIT_SECONDS):
                return await self._commits.of(live)
        except TimeoutError:
            _LOG.info("the times of %d commits took too long", len(live))
        except OperationError as exc:
            _LOG.info("the times of commits are not known: %s", exc.message)
        return {}
