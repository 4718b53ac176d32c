"""Asking for rollouts: resolved once, checked, stored; what waits gives way, what runs is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from operations.deployment.release import Release, Resolution
from operations.deployment.requests import DeployRequest
from operations.deployment.rollout import RolloutKind, RolloutState
from operations.deployment.target import ApprovalRule, OnFailure, Target
from operations.errors import (
    Blocked,
    InvalidRequest,
    NotPermitted,
    ProviderUnavailable,
    UnknownTarget,
)
from tests.factories import ALICE, BOB, NEW, NOBODY, OLD, make_catalog, make_target
from tests.fakes_deployment import FAILURE, ScriptedMembers
from tests.workshops import Engine, open_engine

NEXT = Release(version="1.2", artifact="acme/myapp@sha256:ccc", pin="sha256:ccc")
MOVED = Release(version="1.1", artifact="acme/myapp@sha256:ddd", pin="sha256:ddd")
PROD = DeployRequest(project="myapp", environment="prod", version="1.1", reason="rounding fix")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(tmp_path) as opened:
        yield opened


async def test_a_request_is_pinned_and_waits_for_votes(engine: Engine) -> None:
    rollout = (await engine.deployments.requests.request(PROD, ALICE)).rollout

    assert rollout.state is RolloutState.PENDING_APPROVAL
    assert rollout.release == NEW
    assert rollout.previous == OLD
    assert rollout.reason == "rounding fix"
    assert rollout.expires_at is not None
    assert rollout.name == "D-1001"


async def test_an_open_target_is_queued_at_once(engine: Engine) -> None:
    assert (await engine.ask()).state is RolloutState.QUEUED


async def test_a_request_is_announced_and_audited_in_one_go(engine: Engine) -> None:
    rollout = (await engine.deployments.requests.request(PROD, ALICE)).rollout

    now = engine.clock.now()
    (notice,) = await engine.database.notice_queue.claim(
        "w", now, now + timedelta(seconds=9), limit=9
    )
    assert (notice.subject, notice.channel) == (rollout.name, "C01GEN")
    assert await engine.actions(rollout) == ["rollout.requested"]


async def test_names_are_read_in_any_case(engine: Engine) -> None:
    request = DeployRequest(project="MyApp", environment="PROD", version="1.1")

    rollout = (await engine.deployments.requests.request(request, ALICE)).rollout

    assert rollout.target_name == "myapp/prod"


async def test_an_unknown_project_names_the_nearest(engine: Engine) -> None:
    with pytest.raises(UnknownTarget) as caught:
        await engine.deployments.requests.request(
            DeployRequest(project="myap", environment="prod"), ALICE
        )

    assert "myapp" in caught.value.hint


async def test_a_wrong_provider_word_names_the_right_one(engine: Engine) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await engine.deployments.requests.request(
            DeployRequest(project="myapp", environment="prod", provider="aws", version="1.1"), ALICE
        )

    assert "deploy k8s myapp prod 1.1" in caught.value.hint


@pytest.mark.parametrize("version", ["1.1; rm -rf /", "$(id)", "a b", "../etc", "-x", "`x`", "é"])
async def test_a_version_with_other_signs_is_refused(engine: Engine, version: str) -> None:
    with pytest.raises(InvalidRequest):
        await engine.deployments.requests.request(
            DeployRequest(project="myapp", environment="prod", version=version), ALICE
        )


async def test_who_may_not_deploy_is_refused_before_the_provider_is_asked(tmp_path: Path) -> None:
    catalog = make_catalog(make_target(deployers=frozenset({"U02BOB"})))
    async with open_engine(tmp_path, catalog=catalog) as engine:
        engine.provider.resolve_troubles.append(AssertionError("asked"))

        with pytest.raises(NotPermitted):
            await engine.deployments.requests.request(PROD, ALICE)


async def test_members_of_a_user_group_may_deploy(tmp_path: Path) -> None:
    catalog = make_catalog(make_target(deployers=frozenset({"S01OPS"})))
    members = ScriptedMembers(S01OPS=["U01ALICE"])
    async with open_engine(tmp_path, catalog=catalog, members=members) as engine:
        asked = await engine.deployments.requests.request(PROD, ALICE)

    assert asked.rollout.state is RolloutState.PENDING_APPROVAL


async def test_a_provider_in_trouble_changes_nothing(engine: Engine) -> None:
    engine.provider.resolve_troubles.append(ProviderUnavailable("Down."))

    with pytest.raises(ProviderUnavailable):
        await engine.deployments.requests.request(PROD, ALICE)

    assert await engine.deployments.inquiries.why("myapp", "prod", ALICE) is not None
    assert (await engine.deployments.inquiries.why("myapp", "prod", ALICE)).waiting == ()


async def test_a_newer_request_supersedes_one_that_waits(engine: Engine) -> None:
    first = (await engine.deployments.requests.request(PROD, ALICE)).rollout

    second = await engine.deployments.requests.request(PROD, BOB)

    former = await engine.read(first)
    assert former.state is RolloutState.CANCELLED
    assert second.rollout.name in former.outcome
    assert [old.id for old in second.superseded] == [first.id]


async def test_a_request_behind_one_that_runs_is_told_so(engine: Engine) -> None:
    engine.provider.release_followers.clear()
    first = await engine.ask()
    async with asyncio.TaskGroup() as group:
        group.create_task(engine.worker().carry_out(first.id))
        await engine.provider.is_followed.wait()
        request = DeployRequest(project="myapp", environment="staging", version="1.0")
        second = await engine.deployments.requests.request(request, BOB)
        engine.provider.release_followers.set()

    assert second.behind is not None
    assert second.behind.id == first.id
    assert second.rollout.state is RolloutState.QUEUED


async def test_a_dry_run_stores_nothing(engine: Engine) -> None:
    plan = await engine.deployments.requests.plan(PROD, ALICE)

    assert plan.resolution.release == NEW
    assert plan.answer.votes_required == 1
    why = await engine.deployments.inquiries.why("myapp", "prod", ALICE)
    assert why.waiting == ()


async def test_somebody_elses_lock_holds_a_deploy_back(engine: Engine) -> None:
    await engine.deployments.locking.lock("myapp", "prod", BOB, reason="quarter end")

    with pytest.raises(Blocked):
        await engine.deployments.requests.request(PROD, ALICE)


async def test_a_reason_is_cleaned_before_it_is_stored(engine: Engine) -> None:
    request = DeployRequest(
        project="myapp", environment="staging", version="1.1", reason="token=supersecret \x1b[31m"
    )

    rollout = (await engine.deployments.requests.request(request, ALICE)).rollout

    assert "supersecret" not in rollout.reason
    assert "\x1b" not in rollout.reason


async def test_a_rollback_brings_the_former_release_back_without_votes(engine: Engine) -> None:
    await engine.carry_out(await engine.ask("1.1"))

    asked = await engine.deployments.requests.rollback(
        DeployRequest(project="myapp", environment="staging"), ALICE
    )

    assert asked.rollout.kind is RolloutKind.ROLLBACK
    assert asked.rollout.release == OLD
    assert (await engine.carry_out(asked.rollout)).state is RolloutState.SUCCEEDED
    assert engine.provider.serving == OLD.artifact


async def test_deploying_the_same_again_is_no_step_to_go_back_to(engine: Engine) -> None:
    await engine.carry_out(await engine.ask("1.1"))
    await engine.carry_out(await engine.ask("1.1"))

    request = DeployRequest(project="myapp", environment="staging")

    assert (await engine.deployments.requests.rollback(request, ALICE)).rollout.release == OLD


async def test_a_rollback_passes_a_lock(engine: Engine) -> None:
    await engine.carry_out(await engine.ask("1.1"))
    await engine.deployments.locking.lock("myapp", "staging", BOB)

    request = DeployRequest(project="myapp", environment="staging")
    asked = await engine.deployments.requests.rollback(request, ALICE)

    assert asked.rollout.state is RolloutState.QUEUED


async def test_a_rollback_to_what_never_was_live_is_refused(engine: Engine) -> None:
    request = DeployRequest(project="myapp", environment="staging", version="1.1")

    with pytest.raises(InvalidRequest):
        await engine.deployments.requests.rollback(request, ALICE)


async def test_a_rollback_without_a_former_release_is_refused(engine: Engine) -> None:
    with pytest.raises(Blocked):
        await engine.deployments.requests.rollback(
            DeployRequest(project="myapp", environment="staging"), ALICE
        )


async def test_a_second_rollback_asks_for_the_version(engine: Engine) -> None:
    request = DeployRequest(project="myapp", environment="staging")
    await engine.carry_out(await engine.ask("1.1"))
    await engine.carry_out((await engine.deployments.requests.rollback(request, ALICE)).rollout)

    with pytest.raises(Blocked):
        await engine.deployments.requests.rollback(request, ALICE)


async def test_a_failed_way_back_is_not_followed_by_another(engine: Engine) -> None:
    await engine.carry_out(await engine.ask("1.1"))
    engine.provider.scripts[OLD.artifact] = FAILURE
    request = DeployRequest(project="myapp", environment="staging")
    rollback = (await engine.deployments.requests.rollback(request, ALICE)).rollout

    assert (await engine.carry_out(rollback)).state is RolloutState.FAILED


async def test_a_promotion_asks_for_what_is_live_elsewhere(engine: Engine) -> None:
    await engine.carry_out(await engine.ask("1.1"))

    request = await engine.deployments.requests.promotion("myapp", "staging", "prod")

    assert (request.environment, request.version) == ("prod", "1.1")


async def test_a_promotion_of_a_tag_that_has_moved_meanwhile_is_refused(engine: Engine) -> None:
    await engine.carry_out(await engine.ask("1.1"))
    engine.provider.releases["1.1"] = MOVED

    request = await engine.deployments.requests.promotion("myapp", "staging", "prod")
    with pytest.raises(Blocked, match="another artifact") as refused:
        await engine.deployments.requests.request(request, ALICE)

    assert f"deploy myapp prod {NEW.pin}" in refused.value.hint


async def test_what_went_live_while_the_version_was_resolved_is_what_to_go_back_to(
    engine: Engine,
) -> None:
    engine.provider.scripts = {NEXT.artifact: FAILURE}
    engine.provider.releases["1.2"] = NEXT
    first = await engine.ask("1.1")
    plain_resolve = engine.provider.resolve

    async def resolve(target: Target, version: str) -> Resolution:
        found = await plain_resolve(target, version)
        await engine.carry_out(first)
        return found

    engine.provider.resolve = resolve  # type: ignore[method-assign]  # a slow platform
    second = await engine.carry_out(await engine.ask("1.2"))

    assert second.previous == NEW
    assert engine.provider.serving == NEW.artifact


async def test_a_rollback_after_a_failure_that_was_left_brings_what_was_live_last(
    tmp_path: Path,
) -> None:
    target = make_target(environment="staging", approval=None, on_failure=OnFailure.LEAVE)
    async with open_engine(tmp_path, catalog=make_catalog(target)) as engine:
        engine.provider.releases["1.2"] = NEXT
        await engine.carry_out(await engine.ask("1.1"))
        engine.provider.scripts = {NEXT.artifact: FAILURE}
        await engine.carry_out(await engine.ask("1.2"))

        request = DeployRequest(project="myapp", environment="staging")
        back = (await engine.deployments.requests.rollback(request, ALICE)).rollout

        assert (back.previous, back.release) == (NEXT, NEW)


async def test_the_very_first_release_that_failed_and_was_left_can_be_taken_back(
    tmp_path: Path,
) -> None:
    target = make_target(environment="staging", approval=None, on_failure=OnFailure.LEAVE)
    async with open_engine(tmp_path, catalog=make_catalog(target)) as engine:
        engine.provider.scripts = {NEW.artifact: FAILURE}
        await engine.carry_out(await engine.ask("1.1"))

        request = DeployRequest(project="myapp", environment="staging")
        back = (await engine.deployments.requests.rollback(request, ALICE)).rollout

        assert back.release == OLD


async def test_a_way_back_to_what_served_before_us_can_be_tried_again(engine: Engine) -> None:
    await engine.carry_out(await engine.ask("1.1"))
    engine.provider.scripts = {OLD.artifact: FAILURE}
    request = DeployRequest(project="myapp", environment="staging")
    first = await engine.carry_out(
        (await engine.deployments.requests.rollback(request, ALICE)).rollout
    )
    assert first.state is RolloutState.FAILED

    again = (await engine.deployments.requests.repeat(first.id, ALICE)).rollout

    assert (again.kind, again.release) == (RolloutKind.ROLLBACK, OLD)


async def test_a_promotion_of_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(Blocked):
        await engine.deployments.requests.promotion("myapp", "staging", "prod")


async def test_a_retry_applies_the_rules_anew(engine: Engine) -> None:
    first = (await engine.deployments.requests.request(PROD, ALICE)).rollout
    await engine.deployments.decisions.reject(first.id, BOB)

    again = (await engine.deployments.requests.repeat(first.id, BOB)).rollout

    assert again.release == first.release
    assert again.requested_by == BOB
    assert again.state is RolloutState.PENDING_APPROVAL


async def test_an_emergency_waits_for_an_admin_although_a_lock_holds(tmp_path: Path) -> None:
    catalog = make_catalog(
        make_target(admins=frozenset({"U02BOB"}), approval=ApprovalRule(required=2))
    )
    async with open_engine(tmp_path, catalog=catalog) as engine:
        await engine.deployments.locking.lock("myapp", "prod", BOB)
        request = DeployRequest(
            project="myapp", environment="prod", version="1.1", reason="down", emergency=True
        )
        rollout = (await engine.deployments.requests.request(request, ALICE)).rollout

        approved = await engine.deployments.decisions.approve(rollout.id, BOB)

    assert rollout.votes_required == 1
    assert approved.state is RolloutState.QUEUED


async def test_an_unmapped_login_may_ask(engine: Engine) -> None:
    rollout = (await engine.deployments.requests.request(PROD, NOBODY)).rollout

    assert rollout.requested_by == NOBODY
