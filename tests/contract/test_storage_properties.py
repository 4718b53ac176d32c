"""Whatever a rollout holds, it reads back as it was stored."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.actor import Actor, ActorKind
from operations.deployment.progress import Failure, Step, StepState
from operations.deployment.release import Release
from operations.deployment.rollout import (
    Phase,
    Review,
    Rollout,
    RolloutDraft,
    RolloutKind,
    RolloutState,
    Vote,
    VoteKind,
)
from storage.database import Database, open_database

pytest_plugins = ("tests.contract.database_fixtures",)

# What `operations.redaction.clean` lets through, and no database refuses.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
times = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
numbers = st.integers(-1, 2**31)
actors = st.builds(Actor, id=words, kind=st.sampled_from(ActorKind), name=words)
releases = st.builds(Release, version=words, artifact=words, pin=words)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), words, st.floats(allow_nan=False, allow_infinity=False)
)
steps = st.builds(
    Step,
    name=words,
    state=st.sampled_from(StepState),
    detail=words,
    ready=numbers,
    total=numbers,
    at=st.none() | times,
)
failures = st.builds(
    Failure, summary=words, reason=words, evidence=st.lists(words, max_size=3).map(tuple)
)
votes = st.builds(Vote, actor=actors, kind=st.sampled_from(VoteKind), at=times)
reviews = st.builds(Review, actor=actors, at=times, note=words)
drafts = st.builds(
    RolloutDraft,
    project=words,
    environment=words,
    provider=words,
    # Imports come in by a door of their own, which knows each by its `external_id`.
    kind=st.sampled_from([kind for kind in RolloutKind if kind is not RolloutKind.IMPORT]),
    release=releases,
    previous=st.none() | releases,
    requested_by=actors,
    requested_at=times,
    reason=words,
    channel=words,
    external_id=words,
    emergency=st.booleans(),
    warnings=st.lists(words, max_size=3).map(tuple),
    state=st.just(RolloutState.PENDING_APPROVAL),
    votes_required=st.integers(0, 9),
    expires_at=st.none() | times,
    start_at=st.none() | times,
)
changes = st.fixed_dictionaries(
    {
        "state": st.sampled_from(RolloutState),
        "phase": st.sampled_from(Phase),
        "release": releases,
        "previous": st.none() | releases,
        "votes": st.lists(votes, max_size=3, unique_by=lambda vote: vote.actor.id).map(tuple),
        "expires_at": st.none() | times,
        "cancelled_by": st.none() | actors,
        "started_at": st.none() | times,
        "ended_at": st.none() | times,
        "steps": st.lists(steps, max_size=3).map(tuple),
        "handle": st.none() | st.dictionaries(words, scalars, max_size=3),
        "failure": st.none() | failures,
        "outcome": words,
        "review": st.none() | reviews,
        "start_at": st.none() | times,
        "warnings": st.lists(words, max_size=2).map(tuple),
    }
)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all examples of a test."""
    with asyncio.Runner() as loop:
        yield loop


async def keep(database: Database, draft: RolloutDraft, change: dict[str, object]) -> None:
    async with database.store.transaction() as tx:
        added = await tx.rollouts.add(draft)
        assert await tx.rollouts.get(added.id) == added
        wanted: Rollout = replace(added, **change)  # type: ignore[arg-type]  # the strategy's types
        saved = await tx.rollouts.save(wanted)
        assert saved == replace(wanted, revision=2)
        assert await tx.rollouts.get(added.id) == saved
        # Free the target for the next example.
        await tx.rollouts.save(replace(saved, state=RolloutState.FAILED))


def test_a_rollout_reads_back_as_it_was_stored(database_url: str, runner: asyncio.Runner) -> None:
    database = runner.run(open_database(database_url))

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(draft=drafts, change=changes)
    def holds(draft: RolloutDraft, change: dict[str, object]) -> None:
        runner.run(keep(database, draft, change))

    try:
        holds()
    finally:
        runner.run(database.close())
