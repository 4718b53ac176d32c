"""What the adapter does when the cluster, the network or the login lets it down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import pytest

from bot.clock import SystemClock
from operations.deployment.progress import Handle, Verdict
from operations.errors import (
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from providers.kubernetes import KubernetesProvider, Patience
from providers.registry import Registry
from sandbox.kubernetes import KubernetesStandIn
from tests.contract.world_kubernetes import (
    CLUSTERS,
    NAMESPACE,
    STAND_IN,
    Setting,
    open_setting,
    until,
)

QUICK = Patience(silence=0.5, look=0.05)


@pytest.fixture(params=CLUSTERS)
async def setting(request: pytest.FixtureRequest) -> AsyncIterator[Setting]:
    async with open_setting(patience=QUICK, timeout=1.0, kind=request.param) as opened:
        yield opened


async def watched(setting: Setting) -> None:
    """Wait until a follower watches the workload, its history and its pods."""
    await until(lambda: setting.cluster.api.watches.count == 3)


async def test_throttled_reads_are_tried_again(setting: Setting) -> None:
    setting.cluster.faults.throttle(1)

    assert (await setting.provider.status(setting.target)).version == "1.0"


async def test_a_server_that_is_down_is_unavailable(setting: Setting) -> None:
    await setting.cluster.stop()

    with pytest.raises(ProviderUnavailable):
        await setting.provider.status(setting.target)

    await setting.cluster.start()


async def test_a_server_that_hangs_is_told_in_words(setting: Setting) -> None:
    setting.cluster.faults.latency = 1.5

    with pytest.raises(ProviderUnavailable, match=r"does not answer: it took too long\.$"):
        await setting.provider.status(setting.target)


async def test_a_patch_is_never_sent_twice_by_itself(setting: Setting) -> None:
    setting.cluster.faults.lose_next_patch()

    with pytest.raises(OutcomeUnknown):
        await setting.provider.start(setting.order("1.1"))

    assert setting.cluster.patches == []


async def test_a_patch_without_an_answer_in_time_is_unknown(setting: Setting) -> None:
    setting.cluster.faults.hold_patches = 1.5

    with pytest.raises(OutcomeUnknown):
        await setting.provider.start(setting.order("1.1"))


async def test_a_change_in_between_is_read_before_the_patch_is_made_anew(setting: Setting) -> None:
    setting.cluster.faults.before_patch = lambda: setting.cluster.annotate(
        "deployments", NAMESPACE, "web", annotations={"team": "shop"}
    )

    started = await setting.provider.start(setting.order("1.1"))

    assert (await setting.end_of(started.handle)).verdict is Verdict.SUCCEEDED
    metadata = setting.cluster.get("deployments", NAMESPACE, "web")["metadata"]
    assert metadata["annotations"]["team"] == "shop"
    assert len(setting.cluster.patches) == 1


async def test_what_was_paused_in_between_is_not_patched(setting: Setting) -> None:
    setting.cluster.faults.before_patch = lambda: setting.cluster.edit(
        "deployments", NAMESPACE, "web", paused=True
    )

    with pytest.raises(ProviderRejected, match="paused"):
        await setting.provider.start(setting.order("1.1"))

    assert setting.cluster.patches == []


async def test_dropped_watches_lose_nothing(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(setting.end_of(started.handle))
        await watched(setting)
        setting.cluster.drop_watches()

    assert following.result().verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize("setting", [STAND_IN], indirect=True)
async def test_expired_history_is_listed_again(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(setting.end_of(started.handle))
        await watched(setting)
        assert isinstance(setting.cluster, KubernetesStandIn)
        setting.cluster.expire_history()

    assert following.result().verdict is Verdict.SUCCEEDED


async def test_a_restart_of_the_api_server_is_survived(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(setting.end_of(started.handle))
        await watched(setting)
        await setting.cluster.restart()

    assert following.result().verdict is Verdict.SUCCEEDED


async def test_rights_that_are_missing_for_a_moment_do_not_end_following(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(setting.end_of(started.handle))
        await watched(setting)
        setting.cluster.faults.refused = 403
        setting.cluster.drop_watches()
        await asyncio.sleep(0.1)
        setting.cluster.faults.clear()

    assert following.result().verdict is Verdict.SUCCEEDED


async def test_long_silence_ends_following_with_an_error(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-slow"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(_failure_of(setting, started.handle))
        await watched(setting)
        setting.cluster.faults.cuts = True
        setting.cluster.drop_watches()

    assert isinstance(following.result(), ProviderUnavailable)
    setting.cluster.faults.clear()


async def _failure_of(setting: Setting, handle: Handle) -> ProviderError:
    try:
        await setting.end_of(handle)
    except ProviderError as exc:
        return exc
    raise AssertionError("it ended without an error")


async def test_leaving_early_closes_the_watches(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-slow"))
    stream = setting.provider.follow(setting.target, started.handle)
    assert isinstance(stream, AsyncGenerator)
    await anext(stream)
    await watched(setting)

    await stream.aclose()

    await until(lambda: setting.cluster.api.watches.count == 0)


async def test_a_cancelled_follower_closes_the_watches(setting: Setting) -> None:
    started = await setting.provider.start(setting.order("1.1-slow"))
    async with asyncio.TaskGroup() as group:
        following = group.create_task(setting.end_of(started.handle))
        await watched(setting)
        following.cancel()

    await until(lambda: setting.cluster.api.watches.count == 0)


async def test_a_wrong_token_is_unauthorized(setting: Setting, tmp_path: Path) -> None:
    provider = _provider(_kubeconfig(setting, tmp_path, user={"token": "stolen"}))

    with pytest.raises(ProviderUnauthorized, match="credentials"):
        await provider.status(setting.target)

    await provider.close()


async def test_a_token_that_was_renewed_in_the_file_is_taken(
    setting: Setting, tmp_path: Path
) -> None:
    provider = _provider(_kubeconfig(setting, tmp_path, user={"token": "old"}))
    with pytest.raises(ProviderUnauthorized):
        await provider.status(setting.target)
    _kubeconfig(setting, tmp_path, user={"token": setting.cluster.token})

    assert (await provider.status(setting.target)).version == "1.0"
    await provider.close()


async def test_a_login_helper_that_fails_is_told_and_nothing_is_asked(
    setting: Setting, tmp_path: Path
) -> None:
    helper = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}
    helper |= {"interactiveMode": "Never"}
    path = _kubeconfig(setting, tmp_path, user={"exec": helper}, server="https://127.0.0.1:1")
    provider = _provider(path)

    with pytest.raises(ProviderUnauthorized, match="gave no credentials"):
        await provider.status(setting.target)

    await provider.close()


async def test_a_context_that_does_not_exist_is_named(setting: Setting, tmp_path: Path) -> None:
    provider = _provider(_kubeconfig(setting, tmp_path, user={"token": "x"}))
    target = setting.target_of("deployment/web", context="nowhere")

    with pytest.raises(ProviderUnauthorized, match="nowhere"):
        await provider.status(target)

    await provider.close()


def _provider(kubeconfig: Path) -> KubernetesProvider:
    return KubernetesProvider(clock=SystemClock(), registry=Registry(), kubeconfig=str(kubeconfig))


def _kubeconfig(
    setting: Setting, folder: Path, *, user: dict[str, object], server: str = ""
) -> Path:
    path = setting.cluster.kubeconfig(folder / "config")
    document = json.loads(path.read_text())
    document["users"][0]["user"] = user
    if server:
        document["clusters"][0]["cluster"]["server"] = server
    path.write_text(json.dumps(document))
    return path
