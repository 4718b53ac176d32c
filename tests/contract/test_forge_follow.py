"""Forge's verdicts: finished is not succeeded, and lost contact is not failed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from operations.deployment.progress import Progress, Verdict
from operations.errors import ProviderUnavailable
from sandbox.forge import PLAIN_SCRIPT
from tests.contract.world_forge import Setting, SteppedClock, open_setting

ONLY_SAYS_SO = 'echo "deploying $FORGE_VAR_REVISION"\ngit pull origin $FORGE_SITE_BRANCH\n'
SAYS_NOTHING = 'git fetch -q origin\ngit reset --hard --quiet "$FORGE_VAR_REVISION"\n'


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


async def ship(setting: Setting, ref: str) -> Progress:
    """Start it and wait for the verdict."""
    started = await setting.provider.start(setting.order(ref))
    return await setting.end_of(started.handle)


async def test_a_push_between_start_and_pull_is_never_success(plain: Setting) -> None:
    started = await plain.provider.start(plain.order("main"))
    wanted = plain.short("main")
    pushed = plain.site.repository.commit("Pushed at the wrong moment").sha[:7]

    seen = await plain.end_of(started.handle)

    assert seen.verdict is Verdict.FAILED
    assert seen.failure is not None
    assert seen.failure.summary == f"Forge deployed {pushed}, not {wanted}"


async def test_a_script_that_ignores_the_commit_it_is_handed_is_found_out(
    pinning: Setting,
) -> None:
    pinning.site.script = ONLY_SAYS_SO

    seen = await ship(pinning, "1.0")

    assert seen.verdict is Verdict.FAILED
    assert seen.failure is not None
    assert pinning.short("main") in seen.failure.summary


async def test_what_a_stated_commit_hides_is_not_told_as_serving(pinning: Setting) -> None:
    pinning.site.script = ONLY_SAYS_SO
    await ship(pinning, "1.0")

    health = await pinning.provider.status(pinning.target)

    assert health.version == pinning.short("main")


async def test_a_script_that_does_not_say_what_it_left_proves_nothing(pinning: Setting) -> None:
    pinning.site.script = SAYS_NOTHING

    seen = await ship(pinning, "1.0")

    assert seen.verdict is Verdict.UNKNOWN
    assert "git rev-parse HEAD" in seen.detail


async def test_forge_not_telling_the_commit_is_unknown(plain: Setting) -> None:
    plain.site.shows_commits = False

    assert (await ship(plain, "main")).verdict is Verdict.UNKNOWN


async def test_a_failed_script_tells_its_own_last_words(pinning: Setting) -> None:
    seen = await ship(pinning, "1.2-bad")

    assert seen.verdict is Verdict.FAILED
    assert seen.failure is not None
    assert seen.failure.summary == "The deploy script failed"
    assert "SQLSTATE[42S22]" in seen.failure.reason
    assert "Fetching origin" in seen.failure.evidence[0]


async def test_secrets_that_a_script_prints_are_masked(pinning: Setting) -> None:
    pinning.site.prints = ("DB_PASSWORD=correct-horse", "\x1b[31mred\x1b[0m")

    seen = await ship(pinning, "1.2-bad")

    assert seen.failure is not None
    told = "\n".join(seen.failure.evidence)
    assert "correct-horse" not in told
    assert "\x1b" not in told


async def test_output_that_may_not_be_read_does_not_hide_the_failure(pinning: Setting) -> None:
    started = await pinning.provider.start(pinning.order("1.2-bad"))
    pinning.forge.scopes.remove("site:manage-deploys")

    seen = await pinning.end_of(started.handle)

    assert seen.verdict is Verdict.FAILED
    assert seen.failure is not None
    assert "cannot be read" in seen.failure.reason


async def test_a_deployment_cancelled_at_forge_is_cancelled(
    pinning: Setting, clock: SteppedClock
) -> None:
    started = await pinning.provider.start(pinning.order("main"))
    pinning.site.cancel(pinning.site.deployments[-1], clock.now())

    assert (await pinning.end_of(started.handle)).verdict is Verdict.CANCELLED


async def test_a_deployment_that_is_gone_is_unknown(pinning: Setting) -> None:
    started = await pinning.provider.start(pinning.order("main"))
    pinning.site.deployments.pop()

    assert (await pinning.end_of(started.handle)).verdict is Verdict.UNKNOWN


async def test_a_handle_that_names_nothing_is_unknown(pinning: Setting) -> None:
    assert (await pinning.end_of({})).verdict is Verdict.UNKNOWN


async def test_a_later_deployment_of_another_commit_takes_its_place(
    pinning: Setting, clock: SteppedClock
) -> None:
    started = await pinning.provider.start(pinning.order("main"))
    clock.advance(10)
    assert pinning.forge.serving(pinning.site) == pinning.commit("main").sha
    newer = pinning.site.repository.commit("By somebody else")
    pinning.site.deploy(clock.now())
    clock.advance(10)

    seen = await pinning.end_of(started.handle)

    assert seen.verdict is Verdict.UNKNOWN
    assert newer.sha[:7] in seen.detail


async def test_a_later_deployment_of_the_same_commit_changes_nothing(
    pinning: Setting, clock: SteppedClock
) -> None:
    started = await pinning.provider.start(pinning.order("main"))
    clock.advance(10)
    pinning.site.deploy(clock.now())
    clock.advance(10)

    assert (await pinning.end_of(started.handle)).verdict is Verdict.SUCCEEDED


async def test_a_short_outage_is_survived(pinning: Setting, clock: SteppedClock) -> None:
    started = await pinning.provider.start(pinning.order("main"))
    since = clock.now()
    pinning.forge.down = True

    def recover_in_time() -> None:
        if clock.now() - since > timedelta(seconds=30):
            pinning.forge.down = False

    clock.on_sleep = recover_in_time

    assert (await pinning.end_of(started.handle)).verdict is Verdict.SUCCEEDED


async def test_contact_that_stays_lost_is_told_after_a_minute(
    pinning: Setting, clock: SteppedClock
) -> None:
    started = await pinning.provider.start(pinning.order("main"))
    pinning.forge.down = True
    since = clock.now()

    with pytest.raises(ProviderUnavailable):
        await pinning.end_of(started.handle)

    assert clock.now() - since >= timedelta(seconds=60)


async def test_a_running_script_shows_its_last_line(pinning: Setting) -> None:
    started = await pinning.provider.start(pinning.order("1.3-slow"))
    seen = [p.detail async for p in pinning.provider.follow(pinning.target, started.handle)]

    assert seen[0] == "pending"
    assert "deploying" in seen
    assert "Generating optimized autoload files" in seen


async def test_a_running_scripts_log_is_read_rarely(pinning: Setting) -> None:
    started = await pinning.provider.start(pinning.order("1.3-slow"))
    await pinning.end_of(started.handle)

    logs = [r for r in pinning.forge.requests if r.endswith("/log")]
    looks = [r for r in pinning.forge.requests if r.endswith(str(started.handle["deployment"]))]

    assert 0 < len(logs) <= len(looks) / 5


async def test_a_log_is_not_read_when_requests_are_short(clock: SteppedClock) -> None:
    async with open_setting(clock=clock, per_minute=20) as setting:
        for _ in range(4):
            await setting.provider.status(setting.target)
            clock.advance(3)
        started = await setting.provider.start(setting.order("main"))
        setting.site.deployments[-1].run = 30
        await setting.end_of(started.handle)

        assert not [r for r in setting.forge.requests if r.endswith("/log")]


async def test_an_overdue_deployment_is_explained_by_its_output(
    pinning: Setting, clock: SteppedClock
) -> None:
    started = await pinning.provider.start(pinning.order("1.3-slow"))
    clock.advance(20)

    failure = await pinning.provider.explain(pinning.target, started.handle)

    assert "deploying" in failure.summary
    assert failure.evidence[0] == "Fetching origin"
