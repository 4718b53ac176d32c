"""A rollout's life under a worker: to its end, through trouble, and from any point after a kill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from operations.deployment.ports import Capabilities, RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Progress, Started, StepState, Verdict
from operations.deployment.release import Release
from operations.deployment.rollout import Rollout, RolloutState
from operations.deployment.target import Catalog, HealthRule, OnFailure, Target
from operations.deployment.tenure import Desk, Tenure
from operations.errors import (
    LeaseLost,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
    Refused,
    StaleDecision,
)
from tests.factories import ALICE, NEW, OLD, PlainSpec, make_catalog, make_target
from tests.fakes_deployment import CANNOT_PULL, FAILURE, ScriptedProbe, ScriptedProvider
from tests.workshops import BRISK, Engine, open_engine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(tmp_path) as opened:
        yield opened


async def test_a_rollout_ends_succeeded_when_the_provider_says_so(engine: Engine) -> None:
    rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.SUCCEEDED
    assert engine.provider.serving == NEW.artifact
    assert rollout.outcome == "2 of 2 new pods ready"


async def test_every_step_is_told_with_its_time(engine: Engine) -> None:
    rollout = await engine.carry_out(await engine.ask())

    assert [step.name for step in rollout.steps] == ["Deployment web patched", "New pods"]
    assert all(step.state is StepState.DONE and step.at for step in rollout.steps)
    assert rollout.steps[-1].detail == "2 of 2 new pods ready"


async def test_the_trail_tells_each_change(engine: Engine) -> None:
    rollout = await engine.carry_out(await engine.ask())

    assert await engine.actions(rollout) == [
        "rollout.requested",
        "rollout.started",
        "rollout.following",
        "rollout.ended",
    ]


async def test_a_failure_brings_the_former_release_back(engine: Engine) -> None:
    engine.provider.scripts[NEW.artifact] = FAILURE

    rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.ROLLED_BACK
    assert engine.provider.serving == OLD.artifact
    assert rollout.failure == CANNOT_PULL
    assert "1.0 is serving again" in rollout.outcome


async def test_a_failure_is_left_where_that_is_configured(tmp_path: Path) -> None:
    catalog = make_catalog(
        make_target(environment="staging", approval=None, on_failure=OnFailure.LEAVE)
    )
    provider = ScriptedProvider(scripts={NEW.artifact: FAILURE})
    async with open_engine(tmp_path, provider=provider, catalog=catalog) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.FAILED
    assert provider.serving == NEW.artifact


async def test_a_provider_that_cannot_roll_back_says_so(tmp_path: Path) -> None:
    provider = ScriptedProvider(
        scripts={NEW.artifact: FAILURE},
        capabilities=Capabilities(
            pins=False, aborts=False, rolls_back=False, note="Deploy the former commit by hand."
        ),
    )
    async with open_engine(tmp_path, provider=provider) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.FAILED
    assert rollout.outcome == "Deploy the former commit by hand."


async def test_what_the_platform_rolled_back_is_never_success(engine: Engine) -> None:
    engine.provider.scripts[NEW.artifact] = [
        Progress(activity="New tasks", verdict=Verdict.ROLLED_BACK, failure=CANNOT_PULL)
    ]

    rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.ROLLED_BACK
    assert len(engine.provider.changes) == 1


@pytest.mark.parametrize(
    ("verdict", "state"),
    [(Verdict.UNKNOWN, RolloutState.UNKNOWN), (Verdict.CANCELLED, RolloutState.CANCELLED)],
)
async def test_other_verdicts_are_ends_of_their_own(
    engine: Engine, verdict: Verdict, state: RolloutState
) -> None:
    engine.provider.scripts[NEW.artifact] = [Progress(activity="New pods", verdict=verdict)]

    assert (await engine.carry_out(await engine.ask())).state is state


async def test_a_start_that_the_provider_refuses_changes_nothing(engine: Engine) -> None:
    engine.provider.start_troubles.append(ProviderRejected("The Deployment is paused."))

    rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.FAILED
    assert rollout.failure is not None
    assert rollout.failure.reason == "The Deployment is paused."
    assert engine.provider.changes == []


async def test_a_provider_that_is_down_for_a_moment_is_asked_again(engine: Engine) -> None:
    engine.provider.start_troubles.extend(
        [ProviderUnavailable("Down."), ProviderUnavailable("Down.")]
    )

    assert (await engine.carry_out(await engine.ask())).state is RolloutState.SUCCEEDED


async def test_an_answer_that_was_lost_leads_to_one_change(engine: Engine) -> None:
    engine.provider.lose_next_answer = True

    rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.SUCCEEDED
    assert len(engine.provider.changes) == 1
    assert [order.resumed for order in engine.provider.orders] == [False, True]


async def test_a_start_that_may_have_arrived_and_is_never_answered_is_unknown(
    tmp_path: Path,
) -> None:
    provider = ScriptedProvider()
    provider.start_troubles.extend([OutcomeUnknown("No answer.")] * 1000)
    async with open_engine(tmp_path, provider=provider, catalog=hasty()) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.UNKNOWN
    assert "may" in rollout.outcome or "sent" in rollout.outcome


async def test_a_provider_that_stays_down_from_the_beginning_is_a_failure(tmp_path: Path) -> None:
    provider = ScriptedProvider()
    provider.start_troubles.extend([ProviderUnavailable("Down.")] * 1000)
    async with open_engine(tmp_path, provider=provider, catalog=hasty()) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.FAILED
    assert provider.changes == []


async def test_contact_that_stays_lost_while_following_is_unknown(tmp_path: Path) -> None:
    provider = ScriptedProvider()
    provider.follow_troubles.extend([ProviderUnavailable("Down.")] * 1000)
    async with open_engine(tmp_path, provider=provider, catalog=hasty()) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.UNKNOWN


async def test_credentials_that_are_refused_for_a_moment_do_not_end_what_is_followed(
    engine: Engine,
) -> None:
    # An API server that has just started forbids everything until it has read who may do what.
    engine.provider.follow_troubles.append(ProviderUnauthorized("Kubernetes forbids it."))

    rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.SUCCEEDED


async def test_credentials_that_are_refused_for_a_moment_do_not_prevent_the_way_back(
    engine: Engine,
) -> None:
    engine.provider.scripts[NEW.artifact] = FAILURE
    engine.provider.restore_troubles.append(ProviderUnauthorized("Kubernetes forbids it."))

    rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.ROLLED_BACK
    assert engine.provider.serving == OLD.artifact


async def test_contact_that_comes_back_is_followed_to_the_end(engine: Engine) -> None:
    engine.provider.follow_troubles.extend([ProviderUnavailable("Down.")] * 3)

    assert (await engine.carry_out(await engine.ask())).state is RolloutState.SUCCEEDED


async def test_a_rollout_that_is_not_done_in_time_fails_with_the_platforms_reasons(
    tmp_path: Path,
) -> None:
    provider = ScriptedProvider()
    provider.release_followers.clear()
    async with open_engine(tmp_path, provider=provider, catalog=hasty()) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.ROLLED_BACK
    assert rollout.failure is not None
    assert "Not done within" in rollout.failure.summary
    assert rollout.failure.reason == "Readiness probe failed"


async def test_health_is_watched_for_as_long_as_asked(tmp_path: Path) -> None:
    async with open_engine(tmp_path, catalog=watched()) as engine:
        rollout = await engine.carry_out(await engine.ask())

        assert rollout.state is RolloutState.SUCCEEDED
        assert "rollout.verifying" in await engine.actions(rollout)


async def test_one_miss_does_not_fail_a_rollout(tmp_path: Path) -> None:
    async with open_engine(
        tmp_path, catalog=watched(), probe=ScriptedProbe("answered 503", "")
    ) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.SUCCEEDED


async def test_a_release_that_is_not_healthy_is_rolled_back(tmp_path: Path) -> None:
    async with open_engine(
        tmp_path, catalog=watched(), probe=ScriptedProbe("answered 503, wanted 200")
    ) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.ROLLED_BACK
    assert rollout.failure is not None
    assert "answered 503" in rollout.failure.reason


async def test_health_of_what_somebody_else_deployed_meanwhile_is_no_success(
    tmp_path: Path,
) -> None:
    replaced = Progress(activity="New pods", detail="replaced", verdict=Verdict.UNKNOWN)
    provider = ScriptedProvider()

    class Replacing(ScriptedProbe):
        async def probe(self, rule: HealthRule) -> str:
            provider.scripts[NEW.artifact] = (replaced,)
            return await super().probe(rule)

    async with open_engine(
        tmp_path, provider=provider, catalog=watched(), probe=Replacing()
    ) as engine:
        rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.UNKNOWN
    assert "replaced" in rollout.outcome


async def test_a_target_that_is_not_configured_any_more_is_unknown_once_it_was_begun(
    tmp_path: Path,
) -> None:
    provider = _DyingProvider("after start")
    async with open_engine(tmp_path, provider=provider) as engine:
        rollout = await engine.ask()
        with pytest.raises((_Killed, BaseExceptionGroup)):
            await engine.worker("killed").carry_out(rollout.id)
        engine.clock.ahead += timedelta(seconds=2)  # the lease has ended
        engine.catalog = make_catalog(make_target(environment="other"))

        ended = await engine.carry_out(rollout)

    assert ended.state is RolloutState.UNKNOWN
    assert "no longer configured" in ended.outcome


async def test_what_was_approved_for_one_platform_does_not_ship_to_another(engine: Engine) -> None:
    rollout = await engine.ask()
    moved = make_target(environment="staging", spec=PlainSpec(provider="aws"))
    engine.catalog = make_catalog(moved)

    ended = await engine.carry_out(rollout)

    assert ended.state is RolloutState.FAILED
    assert "deployed by aws by now" in ended.outcome
    assert engine.provider.changes == []


async def test_a_cancel_brings_the_former_release_back(engine: Engine) -> None:
    engine.provider.release_followers.clear()
    rollout = await engine.ask()
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.worker().carry_out(rollout.id))
        await engine.provider.is_followed.wait()
        await engine.deployments.decisions.cancel(rollout.id, ALICE)

    ended = await engine.read(rollout)
    assert ended.state is RolloutState.CANCELLED
    assert engine.provider.serving == OLD.artifact
    assert "<@U01ALICE>" in ended.outcome


async def claim_and_vanish(engine: Engine, rollout: Rollout) -> None:
    """A worker that takes it and is killed before it has done anything."""
    now = engine.clock.now()
    await engine.database.rollout_queue.claim("killed", now, now + timedelta(seconds=1))
    engine.clock.ahead += timedelta(seconds=2)


async def test_what_was_cancelled_before_a_killed_worker_began_never_ships(engine: Engine) -> None:
    rollout = await engine.ask()
    await claim_and_vanish(engine, rollout)
    await engine.deployments.decisions.cancel(rollout.id, ALICE)

    ended = await engine.carry_out(rollout)

    assert ended.state is RolloutState.CANCELLED
    assert engine.provider.changes == []


async def test_what_was_cancelled_after_a_killed_worker_began_is_taken_back_and_not_sent_again(
    tmp_path: Path,
) -> None:
    provider = _DyingProvider("before start")
    async with open_engine(tmp_path, provider=provider) as engine:
        rollout = await engine.ask()
        with pytest.raises((_Killed, BaseExceptionGroup)):
            await engine.worker("killed").carry_out(rollout.id)
        engine.clock.ahead += timedelta(seconds=2)
        await engine.deployments.decisions.cancel(rollout.id, ALICE)

        ended = await engine.carry_out(rollout)

    assert ended.state is RolloutState.CANCELLED
    assert provider.orders == []
    assert provider.serving == OLD.artifact


async def test_what_a_killed_worker_never_began_is_no_unknown_end(engine: Engine) -> None:
    rollout = await engine.ask()
    await claim_and_vanish(engine, rollout)
    engine.clock.ahead += timedelta(hours=5)
    engine.provider.start_troubles.append(ProviderUnavailable("AWS is down."))

    ended = await engine.carry_out(rollout)

    assert ended.state is RolloutState.FAILED
    assert "Nothing was changed" in ended.outcome


async def test_a_cancel_that_comes_too_late_is_told_so(engine: Engine) -> None:
    engine.provider.release_followers.clear()
    rollout = await engine.ask()
    slow = replace(BRISK, look_seconds=60.0)
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.worker(pace=slow).carry_out(rollout.id))
        await engine.provider.is_followed.wait()
        await engine.deployments.decisions.cancel(rollout.id, ALICE)
        engine.provider.release_followers.set()

    ended = await engine.read(rollout)
    assert ended.state is RolloutState.SUCCEEDED
    assert ended.outcome == "2 of 2 new pods ready · the cancel of <@U01ALICE> came too late"


async def test_what_is_being_brought_back_already_cannot_be_cancelled(tmp_path: Path) -> None:
    provider = _DyingProvider("before way back")
    async with open_engine(tmp_path, provider=provider) as engine:
        rollout = await engine.ask()
        with pytest.raises((_Killed, BaseExceptionGroup)):
            await engine.worker("killed").carry_out(rollout.id)

        with pytest.raises(StaleDecision, match="is being brought back already"):
            await engine.deployments.decisions.cancel(rollout.id, ALICE)


async def test_a_cancel_is_refused_where_the_provider_cannot_stop(tmp_path: Path) -> None:
    provider = ScriptedProvider(
        capabilities=Capabilities(pins=False, aborts=False, rolls_back=True, note="Wait for it.")
    )
    provider.release_followers.clear()
    async with open_engine(tmp_path, provider=provider) as engine:
        rollout = await engine.ask()
        async with asyncio.TaskGroup() as group:
            group.create_task(engine.worker().carry_out(rollout.id))
            await provider.is_followed.wait()
            with pytest.raises(Refused) as caught:
                await engine.deployments.decisions.cancel(rollout.id, ALICE)
            provider.release_followers.set()

    assert caught.value.hint == "Wait for it."


async def test_a_way_back_that_fails_as_well_is_told(engine: Engine) -> None:
    engine.provider.scripts[NEW.artifact] = FAILURE
    engine.provider.restore_troubles.append(ProviderRejected("No rollout history found."))

    rollout = await engine.carry_out(await engine.ask())

    assert rollout.state is RolloutState.FAILED
    assert "could not be brought back: No rollout history found" in rollout.outcome


async def test_a_second_deploy_to_a_busy_target_waits_its_turn(engine: Engine) -> None:
    engine.provider.release_followers.clear()
    first = await engine.ask()
    worker = engine.worker()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(worker.run())
        await engine.provider.is_followed.wait()
        second = await engine.ask()
        assert (await engine.read(second)).state is RolloutState.QUEUED
        engine.provider.release_followers.set()
        await until_ended(engine, second)
        running.cancel()

    ended = await engine.read(first)
    assert ended.state is RolloutState.SUCCEEDED
    started = (await engine.read(second)).started_at
    assert started is not None
    assert ended.ended_at is not None
    assert started >= ended.ended_at


async def test_what_waited_behind_another_goes_back_to_what_that_one_brought(
    engine: Engine,
) -> None:
    newest = Release(version="1.2", artifact="acme/myapp@sha256:ccc", pin="sha256:ccc")
    engine.provider.releases["1.2"] = newest
    engine.provider.scripts[newest.artifact] = FAILURE
    engine.provider.release_followers.clear()
    first = await engine.ask("1.1")
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.worker().carry_out(first.id))
        await engine.provider.is_followed.wait()
        second = await engine.ask("1.2")
        engine.provider.release_followers.set()

    ended = await engine.carry_out(second)

    assert ended.state is RolloutState.ROLLED_BACK
    assert engine.provider.serving == NEW.artifact
    assert "1.1 is serving again" in ended.outcome


async def test_what_somebody_brought_while_people_thought_is_gone_back_to(engine: Engine) -> None:
    hotfix = Release(version="1.0.1", artifact="acme/myapp@sha256:ddd", pin="sha256:ddd")
    engine.provider.releases["1.0.1"] = hotfix
    engine.provider.scripts[NEW.artifact] = FAILURE
    rollout = await engine.ask()
    engine.provider.serving = hotfix.artifact
    engine.clock.ahead += timedelta(minutes=5)

    ended = await engine.carry_out(rollout)

    assert ended.state is RolloutState.ROLLED_BACK
    assert engine.provider.serving == hotfix.artifact


async def test_a_platform_that_cannot_tell_what_serves_does_not_hold_a_rollout_back(
    engine: Engine,
) -> None:
    rollout = await engine.ask()
    engine.provider.resolve_troubles.append(ProviderUnavailable("Down."))
    engine.clock.ahead += timedelta(minutes=5)

    ended = await engine.carry_out(rollout)

    assert ended.state is RolloutState.SUCCEEDED
    assert ended.previous == OLD


class _Killed(BaseException):
    """A process that ends at this instruction, without any clean-up of its own."""


class _DyingProvider(ScriptedProvider):
    """Ends its process at one moment of the rollout."""

    def __init__(self, moment: str) -> None:
        super().__init__(scripts={} if "back" not in moment else {NEW.artifact: FAILURE})
        self.moment = moment

    def die(self, moment: str) -> None:
        if self.moment == moment:
            self.moment = ""
            raise _Killed

    async def start(self, order: StartOrder) -> Started:
        self.die("before start")
        started = await super().start(order)
        self.die("after start")
        return started

    async def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        self.die("before follow")
        async for seen in super().follow(target, handle):
            if seen.verdict is not None:
                self.die("before verdict")
            yield seen

    async def restore(self, order: RestoreOrder) -> Started:
        self.die("before way back")
        started = await super().restore(order)
        self.die("after way back")
        return started


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("before start", RolloutState.SUCCEEDED),
        ("after start", RolloutState.SUCCEEDED),
        ("before follow", RolloutState.SUCCEEDED),
        ("before verdict", RolloutState.SUCCEEDED),
        ("before way back", RolloutState.ROLLED_BACK),
        ("after way back", RolloutState.ROLLED_BACK),
    ],
)
async def test_a_worker_killed_anywhere_leaves_one_effect_and_one_end(
    tmp_path: Path, moment: str, state: RolloutState
) -> None:
    provider = _DyingProvider(moment)
    async with open_engine(tmp_path, provider=provider) as engine:
        rollout = await engine.ask()
        with pytest.raises((_Killed, BaseExceptionGroup)):
            await engine.worker("killed").carry_out(rollout.id)
        engine.clock.ahead += timedelta(seconds=2)  # the lease has ended

        ended = await engine.carry_out(rollout, engine.worker("heir"))

        actions = await engine.actions(rollout)
    assert ended.state is state
    assert len({key for key, _ in provider.changes}) == len(provider.changes)
    assert len(provider.changes) == (2 if state is RolloutState.ROLLED_BACK else 1)
    assert actions.count("rollout.ended") == 1


async def test_a_worker_that_lost_its_lease_changes_nothing_more(engine: Engine) -> None:
    rollout = await engine.ask()
    queue = engine.database.rollout_queue
    now = engine.clock.now()
    late = await queue.claim("late", now, now + timedelta(seconds=1))
    heir = await queue.claim("heir", now + timedelta(seconds=2), now + timedelta(seconds=60))
    assert late is not None
    assert heir is not None
    tenure = Tenure(late, Desk(engine.database.store, queue), engine.clock, BRISK)

    with pytest.raises(LeaseLost):
        await tenure.write(lambda row, now: replace(row, outcome="too late"), "rollout.ended")

    assert (await engine.read(rollout)).outcome == ""


async def test_two_workers_carry_a_rollout_out_once(engine: Engine) -> None:
    rollout = await engine.ask()

    async with asyncio.TaskGroup() as group:
        group.create_task(engine.worker("one").carry_out(rollout.id))
        group.create_task(engine.worker("two").carry_out(rollout.id))

    assert len(engine.provider.changes) == 1
    assert (await engine.actions(rollout)).count("rollout.ended") == 1


async def test_a_bug_of_ours_is_not_called_a_failure_of_the_release(tmp_path: Path) -> None:
    provider = ScriptedProvider()
    provider.start_troubles.append(KeyError("a bug"))

    async def guard(name: str, work: Callable[[], Awaitable[None]]) -> str:
        try:
            await work()
        except (KeyError, BaseExceptionGroup):
            return "ref12345"
        return ""

    async with open_engine(tmp_path, provider=provider) as engine:
        rollout = await engine.carry_out(await engine.ask(), engine.worker(guard=guard))

    assert rollout.state is RolloutState.UNKNOWN
    assert "ref12345" in rollout.outcome


async def test_a_worker_that_is_stopped_hands_over_at_once(engine: Engine) -> None:
    engine.provider.release_followers.clear()
    rollout = await engine.ask()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(engine.worker("first").run())
        await engine.provider.is_followed.wait()
        running.cancel()

    engine.provider.release_followers.set()
    ended = await engine.carry_out(rollout, engine.worker("second"))

    assert ended.state is RolloutState.SUCCEEDED
    assert len(engine.provider.changes) == 1


def hasty() -> Catalog:
    return make_catalog(
        make_target(environment="staging", approval=None, timeout=timedelta(seconds=0.1))
    )


def watched() -> Catalog:
    rule = HealthRule(url="http://web.staging/healthz", span=timedelta(seconds=0.1))
    return make_catalog(make_target(environment="staging", approval=None, health=rule))


async def until_ended(engine: Engine, rollout: Rollout) -> None:
    async with asyncio.timeout(5):
        while not (await engine.read(rollout)).has_ended:  # noqa: ASYNC110 -- no event in a database
            await asyncio.sleep(0.01)
