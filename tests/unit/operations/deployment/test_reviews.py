"""Who may look at an emergency afterwards, and what comes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from operations.actor import Actor
from operations.deployment.policy import Identity
from operations.deployment.requests import DeployRequest
from operations.deployment.reviews import review_obstacle
from operations.deployment.rollout import HistoryQuery, Review, Rollout, RolloutState
from operations.deployment.target import Target
from operations.errors import NotPermitted, StaleDecision, UnknownRollout
from tests.factories import (
    ALICE,
    BOB,
    CAROL,
    NOBODY,
    NOON,
    make_catalog,
    make_rollout,
    make_target,
)
from tests.workshops import Engine, open_engine

OVER = make_rollout(
    emergency=True, state=RolloutState.SUCCEEDED, started_at=NOON, ended_at=NOON, expires_at=None
)
TARGET = make_target(admins=frozenset({BOB.id}))
CLOSED = replace(TARGET, deployers=frozenset({ALICE.id}))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(tmp_path, catalog=make_catalog(TARGET)) as opened:
        yield opened


async def an_emergency(engine: Engine) -> Rollout:
    """Alice asked, Bob consented, and it is live."""
    request = DeployRequest(
        project="myapp", environment="prod", version="1.1", emergency=True, reason="it burns"
    )
    rollout = (await engine.deployments.requests.request(request, ALICE)).rollout
    await engine.deployments.decisions.approve(rollout.id, BOB)
    return await engine.carry_out(rollout)


async def unreviewed(engine: Engine) -> list[str]:
    page = await engine.deployments.inquiries.history(HistoryQuery(unreviewed=True))
    return [rollout.name for rollout in page.rollouts]


async def test_a_review_is_kept_audited_and_shown(engine: Engine) -> None:
    rollout = await an_emergency(engine)
    assert await unreviewed(engine) == [rollout.name]

    await engine.deployments.reviews.review(rollout.id, CAROL, "right so")

    review = (await engine.read(rollout)).review
    assert review is not None
    assert (review.actor, review.note) == (CAROL, "right so")
    assert (await engine.actions(rollout))[-1] == "rollout.reviewed"
    assert await unreviewed(engine) == []


async def test_the_card_is_due_again_and_no_end_is_told_twice(engine: Engine) -> None:
    rollout = await an_emergency(engine)
    now = engine.clock.now()
    queue = engine.database.notice_queue
    for notice in await queue.claim("w", now, now + timedelta(minutes=1), limit=99):
        await queue.delivered(notice, None)

    await engine.deployments.reviews.review(rollout.id, CAROL)

    later = engine.clock.now()
    due = await queue.claim("w", later, later + timedelta(minutes=1), limit=99)
    assert [notice.kind.value for notice in due] == ["card"]


async def test_of_two_reviews_the_second_is_told_of_the_first(engine: Engine) -> None:
    rollout = await an_emergency(engine)
    await engine.deployments.reviews.review(rollout.id, CAROL)

    with pytest.raises(StaleDecision, match="<@U03CAROL> has reviewed D-1001 already"):
        await engine.deployments.reviews.review(rollout.id, BOB)


async def test_one_that_is_not_there_is_said(engine: Engine) -> None:
    with pytest.raises(UnknownRollout):
        await engine.deployments.reviews.review(9, BOB)


@pytest.mark.parametrize(
    ("rollout", "why"),
    [
        (replace(OVER, emergency=False), "was no emergency"),
        (replace(OVER, state=RolloutState.RUNNING), "is not over yet"),
        (replace(OVER, state=RolloutState.EXPIRED, started_at=None), "never began"),
        (replace(OVER, review=Review(actor=BOB, at=NOON)), "<@U02BOB> has reviewed"),
    ],
    ids=["ordinary", "running", "never began", "reviewed"],
)
def test_what_needs_no_review(rollout: Rollout, why: str) -> None:
    obstacle = review_obstacle(rollout, TARGET, Identity(CAROL))

    assert isinstance(obstacle, StaleDecision)
    assert why in obstacle.message


@pytest.mark.parametrize(
    ("actor", "target", "why"),
    [
        (ALICE, TARGET, "You asked for D-1042 yourself"),
        (NOBODY, TARGET, "Your review counts for nothing here"),
        (CAROL, CLOSED, "You may not review D-1042"),
    ],
    ids=["the requester", "an unmapped login", "who may not deploy"],
)
def test_who_may_not(actor: Actor, target: Target, why: str) -> None:
    obstacle = review_obstacle(OVER, target, Identity(actor))

    assert isinstance(obstacle, NotPermitted)
    assert why in obstacle.message


@pytest.mark.parametrize(("actor", "target"), [(CAROL, TARGET), (BOB, CLOSED)])
def test_who_may(actor: Actor, target: Target) -> None:
    assert review_obstacle(OVER, target, Identity(actor)) is None
