"""What Forge is asked without changing anything: versions, what serves, logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.errors import InvalidRequest, ProviderRejected, ProviderUnavailable
from providers.specs import ForgeSpec
from sandbox.forge import PLAIN_SCRIPT
from tests.contract.world_forge import Setting, SteppedClock, open_setting


@pytest.fixture
def clock() -> SteppedClock:
    """Time that passes only when somebody waits."""
    return SteppedClock()


@pytest.fixture
async def pinning(clock: SteppedClock) -> AsyncIterator[Setting]:
    """A site whose script takes the commit it is handed."""
    async with open_setting(clock=clock) as setting:
        yield setting


@pytest.fixture
async def plain(clock: SteppedClock) -> AsyncIterator[Setting]:
    """A site whose script pulls the branch."""
    async with open_setting(clock=clock, script=PLAIN_SCRIPT) as setting:
        yield setting


@pytest.mark.parametrize("version", ["", "main"], ids=["nothing", "the branch"])
async def test_the_head_is_pinned_at_the_request(plain: Setting, version: str) -> None:
    release = (await plain.provider.resolve(plain.target, version)).release

    assert release.pin == release.artifact == plain.commit("main").sha
    assert release.version == (version or plain.short("main"))


async def test_a_tag_is_pinned_to_its_commit(pinning: Setting) -> None:
    release = (await pinning.provider.resolve(pinning.target, "1.0")).release

    assert (release.version, release.pin) == ("1.0", pinning.commit("1.0").sha)


async def test_a_tag_at_the_head_needs_no_special_script(plain: Setting) -> None:
    release = (await plain.provider.resolve(plain.target, "1.4")).release

    assert release.pin == plain.commit("main").sha


async def test_a_commit_that_is_not_the_head_is_refused_where_nothing_can_be_pinned(
    plain: Setting,
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await plain.provider.resolve(plain.target, "1.0")

    assert caught.value.message == (
        f"Forge deploys the head of main ({plain.short('main')}); "
        f"1.0 ({plain.short('1.0')}) is not it."
    )
    assert "FORGE_VAR_REVISION" in caught.value.hint


async def test_a_comment_about_the_variable_does_not_count(plain: Setting) -> None:
    plain.site.script = "# FORGE_VAR_REVISION\ngit pull\n"

    with pytest.raises(InvalidRequest):
        await plain.provider.resolve(plain.target, "1.0")


async def test_the_dry_run_names_both_commits(pinning: Setting) -> None:
    changes = (await pinning.provider.resolve(pinning.target, "")).changes

    assert changes == (
        f"commit {pinning.short('1.0')} → {pinning.short('main')} Show prices with tax (Alice)",
    )


async def test_shipping_what_serves_already_is_told(pinning: Setting) -> None:
    changes = (await pinning.provider.resolve(pinning.target, "1.0")).changes

    assert changes == (f"{pinning.short('1.0')} again: it serves already",)


async def test_nothing_serves_on_a_new_site(clock: SteppedClock) -> None:
    async with open_setting(clock=clock, live="") as setting:
        resolution = await setting.provider.resolve(setting.target, "")
        health = await setting.provider.status(setting.target)

    assert resolution.current is None
    assert (health.version, health.state) == ("", "unknown")


async def test_without_github_the_branch_is_mutable_and_that_is_said(plain: Setting) -> None:
    plain.github.down = True

    resolution = await plain.provider.resolve(plain.target, "")

    assert resolution.release.artifact == "main"
    assert not resolution.release.is_pinned
    assert "GitHub cannot tell" in resolution.warnings[0]


async def test_without_github_a_tag_cannot_be_asked_for_now(pinning: Setting) -> None:
    pinning.github.down = True

    with pytest.raises(ProviderUnavailable) as caught:
        await pinning.provider.resolve(pinning.target, "1.0")

    assert "full commit" in caught.value.hint


async def test_without_github_a_full_commit_can_be_handed_over(pinning: Setting) -> None:
    sha = pinning.commit("1.0").sha
    pinning.github.down = True

    assert (await pinning.provider.resolve(pinning.target, sha)).release.pin == sha


async def test_a_site_on_another_branch_is_refused(pinning: Setting) -> None:
    pinning.site.branch = "develop"

    with pytest.raises(InvalidRequest, match="develop on this site, not main"):
        await pinning.provider.resolve(pinning.target, "")


@pytest.mark.parametrize("change", [{"server": 9}, {"site": 9}, {"organization": "other"}])
async def test_a_site_that_forge_does_not_know_is_told(
    pinning: Setting, change: dict[str, int | str]
) -> None:
    right = ForgeSpec(provider="forge", organization="acme", server=123, site=456)
    target = replace(pinning.target, spec=right.model_copy(update=change))

    with pytest.raises(ProviderRejected) as caught:
        await pinning.provider.resolve(target, "")

    assert "hms.yaml" in caught.value.hint


async def test_a_site_that_also_deploys_by_itself_is_warned_of(pinning: Setting) -> None:
    pinning.site.quick_deploy = True

    warnings = (await pinning.provider.resolve(pinning.target, "")).warnings

    assert warnings == ("The site also deploys by itself on every push to main, unapproved.",)


async def test_zero_downtime_without_activation_is_warned_of(pinning: Setting) -> None:
    pinning.site.zero_downtime = True

    warnings = (await pinning.provider.resolve(pinning.target, "")).warnings

    assert "$ACTIVATE_RELEASE" in warnings[0]


async def test_another_repository_than_the_configured_one_is_warned_of(pinning: Setting) -> None:
    target = replace(pinning.target, repository="acme/elsewhere")
    pinning.github.repositories["acme/elsewhere"] = pinning.site.repository

    warnings = (await pinning.provider.resolve(target, "")).warnings

    assert warnings == ("Forge deploys acme/site; hms.yaml names acme/elsewhere.",)


async def test_the_sites_own_repository_is_asked_when_none_is_configured(pinning: Setting) -> None:
    target = replace(pinning.target, repository="")

    assert (await pinning.provider.resolve(target, "1.0")).release.is_pinned


async def test_status_follows_the_site(pinning: Setting, clock: SteppedClock) -> None:
    async def state(*, after: float) -> str:
        clock.advance(after)
        return (await pinning.provider.status(pinning.target)).state

    assert await state(after=0) == "healthy"
    pinning.site.repository.commit("A bad idea")
    pinning.site.deploy(clock.now())
    assert await state(after=3) == "deploying"
    assert await state(after=10) == "degraded"
    pinning.site.maintenance = True
    assert await state(after=3) == "down"


async def test_a_failed_deployment_does_not_change_what_serves(
    pinning: Setting, clock: SteppedClock
) -> None:
    pinning.site.repository.commit("A bad idea")
    pinning.site.deploy(clock.now())
    clock.advance(10)

    assert (await pinning.provider.status(pinning.target)).version == pinning.short("1.0")


async def test_those_who_ask_at_once_share_an_answer(pinning: Setting) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(pinning.provider.status(pinning.target))

    assert len(pinning.forge.requests) == 2


async def test_logs_are_the_newest_lines(pinning: Setting) -> None:
    pinning.site.application_log = [f"line {n}" for n in range(10)]

    lines = await pinning.provider.logs(pinning.target, lines=3, since=None)

    assert lines == ["line 7", "line 8", "line 9"]


async def test_logs_can_be_cut_by_time(pinning: Setting) -> None:
    pinning.site.application_log = [
        "[2026-11-23 11:00:00] production.ERROR: old",
        "#0 trace of the old one",
        "[2026-11-23 11:58:00] production.ERROR: new",
        "#0 trace of the new one",
    ]

    lines = await pinning.provider.logs(pinning.target, lines=50, since=timedelta(minutes=5))

    assert lines == [
        "[2026-11-23 11:58:00] production.ERROR: new",
        "#0 trace of the new one",
    ]
