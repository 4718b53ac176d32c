"""How a deployment at Forge is started once, and with the commit that was approved."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from operations.deployment.progress import Verdict
from operations.deployment.release import Release
from operations.errors import (
    InvalidRequest,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from providers.forge import ForgeProvider
from sandbox.forge import PLAIN_SCRIPT
from tests.contract.world_forge import Setting, SteppedClock, open_setting

DEPLOY = "POST /api/orgs/acme/servers/123/sites/456/deployments"
HOOK = "POST /servers/123/sites/456/deploy/http"


@pytest.fixture
async def pinning() -> AsyncIterator[Setting]:
    """A site whose script takes the commit it is handed."""
    async with open_setting(clock=SteppedClock()) as setting:
        yield setting


@pytest.fixture
async def plain() -> AsyncIterator[Setting]:
    """A site whose script pulls the branch."""
    async with open_setting(clock=SteppedClock(), script=PLAIN_SCRIPT) as setting:
        yield setting


async def test_the_head_goes_out_by_the_api(pinning: Setting) -> None:
    await pinning.provider.start(pinning.order("main"))

    assert DEPLOY in pinning.forge.requests
    assert HOOK not in pinning.forge.requests


async def test_another_commit_goes_out_through_the_hook(pinning: Setting) -> None:
    started = await pinning.provider.start(pinning.order("1.0"))

    assert (await pinning.end_of(started.handle)).verdict is Verdict.SUCCEEDED
    assert DEPLOY not in pinning.forge.requests
    assert pinning.forge.serving(pinning.site) == pinning.commit("1.0").sha


async def test_a_handle_holds_no_secret(pinning: Setting) -> None:
    started = await pinning.provider.start(pinning.order("1.0"))

    assert pinning.site.hook_token not in str(started)


async def test_a_branch_that_moved_since_the_request_ships_what_was_approved(
    pinning: Setting,
) -> None:
    order = pinning.order("main")
    approved = order.release.pin
    pinning.site.repository.commit("Something nobody approved")

    started = await pinning.provider.start(order)

    assert (await pinning.end_of(started.handle)).verdict is Verdict.SUCCEEDED
    assert pinning.forge.serving(pinning.site) == approved


async def test_a_branch_that_moved_stops_the_start_where_nothing_can_be_pinned(
    plain: Setting,
) -> None:
    order = plain.order("main")
    newer = plain.site.repository.commit("Something nobody approved")

    with pytest.raises(ProviderRejected) as caught:
        await plain.provider.start(order)

    assert newer.sha[:7] in caught.value.message
    assert plain.site.asked == 0


async def test_an_unpinned_release_deploys_whatever_the_head_is(plain: Setting) -> None:
    mutable = Release(version="main", artifact="main")

    started = await plain.provider.start(replace(plain.order("main"), release=mutable))

    assert (await plain.end_of(started.handle)).verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize("ref", ["main", "1.0"], ids=["by the api", "through the hook"])
async def test_a_lost_answer_is_told_and_the_deployment_found_again(
    pinning: Setting, ref: str
) -> None:
    order = pinning.order(ref)
    pinning.forge.lose_answers = 1
    with pytest.raises(OutcomeUnknown):
        await pinning.provider.start(order)

    again = await pinning.provider.start(replace(order, resumed=True))

    assert pinning.site.asked == 1
    assert (await pinning.end_of(again.handle)).verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize("ref", ["main", "1.0"], ids=["by the api", "through the hook"])
async def test_another_process_finds_the_deployment_again(pinning: Setting, ref: str) -> None:
    order = pinning.order(ref)
    await pinning.provider.start(order)
    other = ForgeProvider(
        token=pinning.forge.token,
        base_url=pinning.forge.url,
        commits=pinning.commits,
        clock=pinning.clock,
    )

    again = await other.start(replace(order, resumed=True))
    await other.close()

    assert pinning.site.asked == 1
    assert again.handle["deployment"] == pinning.site.deployments[-1].id


async def test_a_former_deployment_of_the_same_commit_is_not_taken_for_ours() -> None:
    async with open_setting(clock=SteppedClock(), live="main") as setting:
        await setting.provider.start(setting.order("main", resumed=True))

        assert setting.site.asked == 1


async def test_two_rollouts_of_one_commit_are_two_deployments(pinning: Setting) -> None:
    one, two = pinning.order("main", key="D-1"), pinning.order("main", key="D-2")
    first = await pinning.provider.start(one)
    await pinning.end_of(first.handle)

    second = await pinning.provider.start(two)

    assert second.handle["deployment"] != first.handle["deployment"]


async def test_the_deployment_that_failed_is_not_the_way_back(pinning: Setting) -> None:
    failed = pinning.site.deploy(pinning.clock.now())
    back = pinning.way_back(
        {"deployment": failed.id, "commit": pinning.commit("main").sha}, pinning.release("main")
    )
    await pinning.clock.sleep(10)

    started = await pinning.provider.restore(back)

    assert started.handle["deployment"] != failed.id


async def test_a_deployment_that_somebody_else_started_is_waited_for(pinning: Setting) -> None:
    pinning.site.deploy(pinning.clock.now())

    with pytest.raises(ProviderUnavailable, match="goes on"):
        await pinning.provider.start(pinning.order("1.0"))

    assert pinning.site.asked == 1


async def test_a_former_release_comes_back_while_the_failed_one_is_the_head(
    pinning: Setting,
) -> None:
    bad = pinning.site.repository.commit("A bad idea")
    failed = await pinning.provider.start(pinning.order(bad.sha))
    assert (await pinning.end_of(failed.handle)).verdict is Verdict.FAILED

    back = await pinning.provider.restore(pinning.way_back(failed.handle, pinning.release("1.0")))

    assert (await pinning.end_of(back.handle)).verdict is Verdict.SUCCEEDED
    assert pinning.forge.serving(pinning.site) == pinning.commit("1.0").sha


async def test_a_way_back_waits_for_what_forge_cannot_stop(pinning: Setting) -> None:
    slow = await pinning.provider.start(pinning.order("1.3-slow"))

    with pytest.raises(ProviderUnavailable, match="goes on"):
        await pinning.provider.restore(pinning.way_back(slow.handle, pinning.release("1.0")))


async def test_a_way_back_that_the_script_cannot_go_says_what_a_person_can_do(
    plain: Setting,
) -> None:
    with pytest.raises(ProviderRejected) as caught:
        await plain.provider.restore(plain.way_back(None, plain.release("1.0")))

    assert "FORGE_VAR_REVISION" in caught.value.hint
    assert plain.site.asked == 0


async def test_a_way_back_is_not_gone_on_the_chance_that_it_is_the_head(plain: Setting) -> None:
    plain.github.down = True

    with pytest.raises(ProviderRejected):
        await plain.provider.restore(plain.way_back(None, plain.release("1.0")))

    assert plain.site.asked == 0


async def test_a_way_back_to_an_unknown_commit_is_refused(pinning: Setting) -> None:
    unknown = Release(version="main", artifact="main")

    with pytest.raises(ProviderRejected, match="nobody knows which commit"):
        await pinning.provider.restore(pinning.way_back(None, unknown))


async def test_a_rollback_that_the_script_cannot_do_is_refused(plain: Setting) -> None:
    with pytest.raises(ProviderRejected):
        await plain.provider.start(replace(plain.order("1.0"), is_rollback=True))

    assert plain.site.asked == 0


async def test_the_hooks_token_is_in_no_log_and_no_error(
    pinning: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    pinning.forge.lose_answers = 1

    with pytest.raises(OutcomeUnknown) as caught:
        await pinning.provider.start(pinning.order("1.0"))
    await pinning.clock.sleep(10)
    await pinning.provider.start(pinning.order("1.0", key="D-2"))

    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "deploy-hook" in told
    assert pinning.site.hook_token not in told


async def test_a_hook_on_another_host_in_the_clear_is_not_called(pinning: Setting) -> None:
    pinning.site.hook_origin = "http://127.0.0.1:9"

    with pytest.raises(ProviderRejected, match="not a safe address"):
        await pinning.provider.start(pinning.order("1.0"))


async def test_a_token_that_forge_does_not_accept_is_told(pinning: Setting) -> None:
    pinning.forge.token = "another"

    with pytest.raises(ProviderUnauthorized) as caught:
        await pinning.provider.start(pinning.order("main"))

    assert "FORGE_API_TOKEN" in caught.value.hint


async def test_a_token_without_the_right_to_deploy_is_told(pinning: Setting) -> None:
    pinning.forge.scopes.remove("site:manage-deploys")

    with pytest.raises(ProviderUnauthorized) as caught:
        await pinning.provider.start(pinning.order("main"))

    assert "site:manage-deploys" in caught.value.hint
    assert pinning.site.asked == 0


async def test_throttling_says_when_to_come_back(pinning: Setting) -> None:
    pinning.forge.throttled = True

    with pytest.raises(ProviderUnavailable) as caught:
        await pinning.provider.start(pinning.order("main"))

    assert caught.value.retry_after is not None
    assert 0 < caught.value.retry_after <= 60


async def test_a_refused_hook_is_told_without_its_address(pinning: Setting) -> None:
    pinning.site.hook_origin = pinning.forge.origin + "/elsewhere"

    with pytest.raises(ProviderRejected, match="404") as caught:
        await pinning.provider.start(pinning.order("1.0"))

    assert "elsewhere" not in str(caught.value)
    pinning.forge.unexpected.clear()


async def test_a_follower_may_be_left_early(pinning: Setting) -> None:
    started = await pinning.provider.start(pinning.order("main"))
    stream = pinning.provider.follow(pinning.target, started.handle)

    async with aclosing(stream):  # type: ignore[type-var]  # an async generator behind the port
        seen = await anext(stream)

    assert seen.verdict is None


@pytest.mark.parametrize("version", ["../../orgs", "a b", "-x", "x..y", "@{u}", "a\nb"])
async def test_what_is_no_ref_never_reaches_github(pinning: Setting, version: str) -> None:
    before = len(pinning.github.requests)

    with pytest.raises(InvalidRequest):
        await pinning.provider.resolve(pinning.target, version)

    assert all("/commits/main" in r for r in pinning.github.requests[before:])
