"""Votes and cancellations: one effect each, whoever presses at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.actor import Actor, ActorKind
from operations.deployment.rollout import Rollout, RolloutState
from operations.deployment.target import ApprovalRule
from operations.errors import (
    Blocked,
    NotPermitted,
    Refused,
    StaleDecision,
    UnknownRollout,
)
from tests.factories import ALICE, BOB, CAROL, NOBODY, make_catalog, make_target
from tests.workshops import Engine, open_engine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(tmp_path) as opened:
        yield opened


async def test_the_last_vote_that_is_needed_queues_the_rollout(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")

    approved = await engine.deployments.decisions.approve(rollout.id, BOB)

    assert approved.state is RolloutState.QUEUED
    assert [vote.actor for vote in approved.approvals] == [BOB]


async def test_two_votes_are_counted_one_by_one(tmp_path: Path) -> None:
    catalog = make_catalog(make_target(approval=ApprovalRule(required=2)))
    async with open_engine(tmp_path, catalog=catalog) as engine:
        rollout = await engine.ask(environment="prod")

        first = await engine.deployments.decisions.approve(rollout.id, BOB)
        second = await engine.deployments.decisions.approve(rollout.id, CAROL)

    assert (first.state, second.state) == (RolloutState.PENDING_APPROVAL, RolloutState.QUEUED)


async def test_two_who_press_at_once_have_one_effect(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")

    told = await press_together(engine, rollout, [BOB, CAROL])

    assert sorted(type(answer).__name__ for answer in told) == ["Rollout", "StaleDecision"]
    assert len((await engine.read(rollout)).votes) == 1


async def test_one_who_presses_twice_at_once_votes_once(tmp_path: Path) -> None:
    catalog = make_catalog(make_target(approval=ApprovalRule(required=2)))
    async with open_engine(tmp_path, catalog=catalog) as engine:
        rollout = await engine.ask(environment="prod")

        await press_together(engine, rollout, [BOB, BOB])

        assert (await engine.read(rollout)).state is RolloutState.PENDING_APPROVAL


async def test_the_second_is_told_who_decided(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")
    await engine.deployments.decisions.approve(rollout.id, BOB)

    with pytest.raises(StaleDecision) as caught:
        await engine.deployments.decisions.approve(rollout.id, CAROL)

    assert "<@U02BOB>" in caught.value.message


async def test_a_refused_vote_leaves_no_trace(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")

    with pytest.raises(NotPermitted):
        await engine.deployments.decisions.approve(rollout.id, ALICE)

    assert await engine.actions(rollout) == ["rollout.requested"]


async def test_a_rejection_ends_it_with_the_reason(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")

    ended = await engine.deployments.decisions.reject(rollout.id, BOB, "not on a Friday")

    assert ended.state is RolloutState.REJECTED
    assert ended.outcome == "Rejected by <@U02BOB>: not on a Friday"


async def test_an_open_question_expires(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")
    engine.clock.ahead += timedelta(hours=1, seconds=1)

    assert await engine.deployments.decisions.expire_due() == 1
    assert await engine.deployments.decisions.expire_due() == 0

    assert (await engine.read(rollout)).state is RolloutState.EXPIRED


async def test_a_vote_that_comes_too_late_is_refused_before_anybody_expired_it(
    engine: Engine,
) -> None:
    rollout = await engine.ask(environment="prod")
    engine.clock.ahead += timedelta(hours=1, seconds=1)

    with pytest.raises(StaleDecision):
        await engine.deployments.decisions.approve(rollout.id, BOB)


async def test_a_lock_that_came_meanwhile_holds_the_approval_back(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")
    await engine.deployments.locking.lock("myapp", "prod", CAROL)

    with pytest.raises(Blocked):
        await engine.deployments.decisions.approve(rollout.id, BOB)


async def test_requesters_withdraw_what_waits(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")

    ended = await engine.deployments.decisions.cancel(rollout.id, ALICE)

    assert ended.state is RolloutState.CANCELLED


async def test_an_unmapped_login_does_not_vote(engine: Engine) -> None:
    rollout = await engine.ask(environment="prod")

    with pytest.raises(NotPermitted):
        await engine.deployments.decisions.approve(rollout.id, NOBODY)


async def test_an_unknown_rollout_is_said_to_be_unknown(engine: Engine) -> None:
    with pytest.raises(UnknownRollout):
        await engine.deployments.decisions.approve(9999, BOB)


_ACTIONS = ["approve", "reject", "cancel", "expire", "request", "work"]
_PEOPLE = [Actor(id=f"U0{n}", kind=ActorKind.SLACK) for n in range(3)]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(_ACTIONS), st.sampled_from(_PEOPLE)), max_size=12))
def test_whatever_people_do_nothing_ships_unapproved(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, Actor]]
) -> None:
    asyncio.run(_play(tmp_path_factory.mktemp("play"), deeds))


async def _play(path: Path, deeds: list[tuple[str, Actor]]) -> None:
    async with open_engine(path) as engine:
        asked = [await engine.ask(environment="prod", actor=_PEOPLE[0])]
        for deed, actor in deeds:
            try:
                await _do(engine, deed, actor, asked)
            except Refused:
                continue
        for rollout in asked:
            stored = await engine.read(rollout)
            if stored.started_at is not None:
                assert len(stored.approvals) >= stored.votes_required
                assert all(v.actor != stored.requested_by for v in stored.approvals)
        assert len(engine.provider.changes) <= len(asked)


async def _do(engine: Engine, deed: str, actor: Actor, asked: list[Rollout]) -> None:
    decisions, newest = engine.deployments.decisions, asked[-1].id
    match deed:
        case "approve":
            await decisions.approve(newest, actor)
        case "reject":
            await decisions.reject(newest, actor)
        case "cancel":
            await decisions.cancel(newest, actor)
        case "expire":
            engine.clock.ahead += timedelta(minutes=40)
            await decisions.expire_due()
        case "request":
            asked.append(await engine.ask(environment="prod", actor=actor))
        case _:
            now = engine.clock.now()
            claimed = await engine.database.rollout_queue.claim(
                "w", now, now + timedelta(seconds=9)
            )
            if claimed is not None:
                await engine.database.rollout_queue.release(claimed)
                await engine.carry_out(claimed)


async def press_together(
    engine: Engine, rollout: Rollout, people: list[Actor]
) -> list[Rollout | Refused]:
    async def press(actor: Actor) -> Rollout | Refused:
        try:
            return await engine.deployments.decisions.approve(rollout.id, actor)
        except Refused as exc:
            return exc

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(press(actor)) for actor in people]
    return [task.result() for task in tasks]
