"""Both modes, with an HMS-OPS that is a real program and a platform that is scripted."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Progress, Verdict
from operations.deployment.target import Target
from operations.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from operations.integration.dual.comparison import Comparison, DualMode
from operations.integration.dual.ports import LegacyOrder
from providers.dual import DualProvider
from providers.dual_parts import DualParts
from providers.legacy_runs import RunFiles
from providers.legacy_tool import HmsOps
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import NEW, OLD, make_catalog
from tests.fakes_deployment import FAILURE, ScriptedProvider

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_SCRIPT = """\
import json, os, pathlib, sys, time
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
print("Deploying ...", flush=True)
while (here / "hold").exists():
    time.sleep(0.02)
sys.exit(int((here / "exit").read_text()))
"""


class JumpingClock:
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        """The time it is made to be."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Later at once."""
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class Platform(ScriptedProvider):
    """Tells versions as people know them. `troubles`: so many times it does not answer first."""

    troubles = 0

    async def status(self, target: Target):  # type: ignore[no-untyped-def]  # as the base has it
        if self.troubles:
            self.troubles -= 1
            raise ProviderUnavailable("The platform does not answer.")
        found = await super().status(target)
        version = next((r.version for r in (OLD, NEW) if r.artifact == self.serving), "")
        return replace(found, version=version)


@dataclass
class Bench:
    """A platform, an HMS-OPS beside it, and what both said."""

    folder: Path
    platform: Platform
    provider: DualProvider
    database: Database
    target: Target
    tool: HmsOps
    clock: JumpingClock

    async def close(self) -> None:
        """HMS-OPS may end now, and has."""
        self.hold_legacy(False)
        begun = int(NOON.timestamp() * 1_000_000)
        for key in ("D-1042", "D-1043"):
            order = LegacyOrder(
                f"{key}-{begun}", "", self.target.project, self.target.environment, ""
            )
            if run := await self.tool.find(order):
                with suppress(ProviderUnavailable):
                    await run.wait(10)
        await self.database.close()

    def legacy_ends_with(self, code: int) -> None:
        (self.folder / "exit").write_text(str(code))

    @property
    def calls(self) -> str:
        file = self.folder / "calls"
        return file.read_text() if file.exists() else ""

    async def start(self) -> Handle:
        order = StartOrder(
            target=self.target, release=NEW, key="D-1042", cause="test", intended_at=NOON
        )
        return (await self.provider.start(order)).handle

    async def follow(self, handle: Handle) -> list[Progress]:
        return [seen async for seen in self.provider.follow(self.target, handle)]

    def hold_legacy(self, on: bool) -> None:
        """Whether HMS-OPS takes its time."""
        if on:
            (self.folder / "hold").touch()
        else:
            (self.folder / "hold").unlink(missing_ok=True)

    async def leave(self, handle: Handle) -> None:
        """Follow until HMS-OPS is at work, and stop following."""
        stream = self.provider.follow(self.target, handle)
        async for seen in stream:
            if seen.activity == "HMS-OPS deploys":
                break
        assert isinstance(stream, AsyncGenerator)
        await stream.aclose()

    async def comparison(self) -> Comparison:
        found = await self.database.comparisons.get("D-1042")
        assert found is not None
        return found


async def open_bench(folder: Path, mode: DualMode | None) -> Bench:
    script = folder / "hms_ops.py"
    script.write_text(_SCRIPT)
    (folder / "exit").write_text("0")
    database = await open_sqlite(folder)
    target = make_catalog().targets[0]
    platform = Platform()
    tool = HmsOps([sys.executable, str(script)], RunFiles(folder / "runs"), os.environ)
    clock = JumpingClock()
    parts = DualParts(
        modes={target.name: mode} if mode else {},
        tool=tool,
        comparisons=database.comparisons,
        clock=clock,
        look_seconds=0.2,
    )
    return Bench(folder, platform, DualProvider(platform, parts), database, target, tool, clock)


@pytest.fixture
async def shadow(tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator of Bench
    """HMS-OPS deploys."""
    bench = await open_bench(tmp_path, DualMode.SHADOW)
    yield bench
    await bench.close()


@pytest.fixture
async def verify(tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator of Bench
    """HMS-SYS deploys."""
    bench = await open_bench(tmp_path, DualMode.VERIFY)
    yield bench
    await bench.close()


async def test_shadow_runs_the_old_tool_with_plain_arguments(shadow: Bench) -> None:
    shadow.platform.serving = NEW.artifact  # what HMS-OPS brought out

    seen = await shadow.follow(await shadow.start())

    assert seen[-1].verdict is Verdict.SUCCEEDED
    target = shadow.target
    assert shadow.calls == (
        f'["deploy", "{target.provider}", "{target.project}", "{target.environment}",'
        f' "{NEW.version}"]\n'
    )


async def test_shadow_changes_nothing_on_the_platform(shadow: Bench) -> None:
    shadow.platform.serving = NEW.artifact

    await shadow.follow(await shadow.start())

    assert shadow.platform.changes == []
    assert shadow.platform.orders == []


async def test_shadow_keeps_that_both_agree(shadow: Bench) -> None:
    shadow.platform.serving = NEW.artifact

    await shadow.follow(await shadow.start())

    found = await shadow.comparison()
    assert (found.agrees, found.legacy_exit, found.seen) == (True, 0, NEW.version)


async def test_a_success_that_the_platform_does_not_show_is_no_success(shadow: Bench) -> None:
    seen = await shadow.follow(await shadow.start())

    assert seen[-1].verdict is Verdict.UNKNOWN
    found = await shadow.comparison()
    assert found.agrees is False
    assert found.detail.startswith(f"HMS-OPS says {NEW.version}, the platform shows {OLD.version}")


async def test_a_difference_is_found_before_the_target_s_time_is_up(shadow: Bench) -> None:
    """Else the deadline would say that nobody can tell."""
    shadow.target = replace(shadow.target, timeout=timedelta(minutes=2))

    seen = await shadow.follow(await shadow.start())

    found = await shadow.comparison()
    assert seen[-1].verdict is Verdict.UNKNOWN
    assert found.agrees is False
    assert found.ended_at is not None
    assert found.ended_at < NOON + timedelta(minutes=2)


async def test_a_failure_of_the_old_tool_is_the_rollout_s(shadow: Bench) -> None:
    shadow.legacy_ends_with(3)

    seen = await shadow.follow(await shadow.start())

    assert seen[-1].verdict is Verdict.FAILED
    assert seen[-1].failure is not None
    assert seen[-1].failure.summary == "HMS-OPS ended with 3"
    assert "Deploying ..." in seen[-1].failure.reason
    assert (await shadow.comparison()).agrees is True


async def test_a_failure_after_which_it_serves_all_the_same_is_a_difference(shadow: Bench) -> None:
    shadow.legacy_ends_with(1)
    shadow.platform.serving = NEW.artifact

    await shadow.follow(await shadow.start())

    assert (await shadow.comparison()).agrees is False


async def test_the_old_tool_is_never_started_twice(shadow: Bench) -> None:
    shadow.platform.serving = NEW.artifact
    handle = await shadow.start()
    await shadow.follow(handle)

    again = await shadow.follow(await shadow.start())

    assert again[-1].verdict is Verdict.SUCCEEDED
    assert len(shadow.calls.splitlines()) == 1


async def test_what_a_killed_process_left_alone_is_judged_by_the_platform(shadow: Bench) -> None:
    handle = await shadow.start()
    await shadow.database.comparisons.take_run("D-1042", NOON)  # and then it was killed
    shadow.platform.serving = NEW.artifact

    seen = await shadow.follow(handle)

    assert seen[-1].verdict is Verdict.SUCCEEDED
    assert shadow.calls == ""
    assert (await shadow.comparison()).agrees is None


async def test_shadow_takes_nothing_back(shadow: Bench) -> None:
    order = RestoreOrder(
        target=shadow.target,
        previous=OLD,
        handle=await shadow.start(),
        key="D-1042",
        cause="test",
        intended_at=NOON,
    )

    with pytest.raises(ProviderRejected, match="HMS-OPS deployed this"):
        await shadow.provider.restore(order)


async def test_shadow_says_that_what_is_cancelled_goes_on(shadow: Bench) -> None:
    shadow.hold_legacy(True)
    handle = await shadow.start()
    await shadow.leave(handle)
    order = RestoreOrder(
        target=shadow.target,
        previous=OLD,
        handle=handle,
        key="D-1042",
        cause="test",
        intended_at=NOON,
    )

    with pytest.raises(
        ProviderRejected, match=r"still at work \(process \d+ on .+ does not stop it"
    ):
        await shadow.provider.restore(order)


async def test_the_plan_says_who_deploys(shadow: Bench) -> None:
    found = await shadow.provider.resolve(shadow.target, NEW.version)

    assert found.warnings == ("HMS-OPS deploys this; HMS-SYS only watches (dual: shadow)",)


async def test_verify_deploys_and_asks_the_old_tool_afterwards(verify: Bench) -> None:
    seen = await verify.follow(await verify.start())

    assert seen[-1].verdict is Verdict.SUCCEEDED
    assert verify.platform.serving == NEW.artifact
    target = verify.target
    assert verify.calls == f'["status", "{target.project}", "{target.environment}"]\n'
    assert (await verify.comparison()).agrees is True


async def test_a_difference_afterwards_is_shown_and_takes_nothing_back(verify: Bench) -> None:
    verify.legacy_ends_with(1)

    seen = await verify.follow(await verify.start())

    assert seen[-1].verdict is Verdict.SUCCEEDED
    assert any("HMS-OPS differs" in each.detail for each in seen)
    found = await verify.comparison()
    assert (found.agrees, found.legacy_exit) == (False, 1)
    assert "Deploying ..." in found.detail


async def test_a_tool_that_cannot_be_asked_has_not_differed(verify: Bench) -> None:
    provider = replace_mode(verify, DualMode.VERIFY)

    seen = [each async for each in provider.follow(verify.target, await verify.start())]

    assert seen[-1].verdict is Verdict.SUCCEEDED
    assert seen[-2].detail == "HMS-OPS could not be asked, see `hms-sys migrate status`"
    assert (await verify.comparison()).agrees is None


async def test_a_deployment_that_failed_is_compared_with_nothing(verify: Bench) -> None:
    verify.platform.scripts[NEW.artifact] = FAILURE

    await verify.follow(await verify.start())

    found = await verify.comparison()
    assert (found.agrees, verify.calls) == (None, "")
    assert found.ended_at == NOON


async def test_verify_hands_the_platform_its_own_handle(verify: Bench) -> None:
    order = RestoreOrder(
        target=verify.target,
        previous=OLD,
        handle=await verify.start(),
        key="D-1042",
        cause="test",
        intended_at=NOON,
    )

    await verify.provider.restore(order)

    assert verify.platform.serving == OLD.artifact


async def test_other_targets_pass_through(tmp_path: Path) -> None:
    bench = await open_bench(tmp_path, None)

    seen = await bench.follow(await bench.start())

    assert seen[-1].verdict is Verdict.SUCCEEDED
    assert bench.calls == ""
    assert await bench.database.comparisons.get("D-1042") is None
    await bench.close()


async def test_a_failure_is_not_forgotten_while_the_platform_does_not_answer(shadow: Bench) -> None:
    """Heard once, it must not be taken for a success because the old version serves on."""
    shadow.legacy_ends_with(3)
    shadow.platform.troubles = 1
    handle = await shadow.start()
    with pytest.raises(ProviderUnavailable):
        await shadow.follow(handle)

    seen = await shadow.follow(handle)

    assert seen[-1].verdict is Verdict.FAILED
    assert seen[-1].failure is not None
    assert seen[-1].failure.summary == "HMS-OPS ended with 3"
    assert "Deploying ..." in seen[-1].failure.reason


@pytest.mark.parametrize(
    ("code", "verdict", "why"),
    [
        (3, Verdict.FAILED, "HMS-OPS ended with 3"),
        (0, Verdict.UNKNOWN, "HMS-OPS says that it deployed, and the platform cannot be asked"),
    ],
)
async def test_how_it_ended_is_the_verdict_where_the_platform_is_down_for_good(
    shadow: Bench, code: int, verdict: Verdict, why: str
) -> None:
    shadow.legacy_ends_with(code)
    shadow.platform.troubles = 99
    handle = await shadow.start()
    with pytest.raises(ProviderUnavailable):
        await shadow.follow(handle)

    await shadow.clock.sleep(shadow.target.timeout.total_seconds())
    seen = await shadow.follow(handle)

    assert seen[-1].verdict is verdict
    assert seen[-1].failure is not None
    assert seen[-1].failure.summary == why
    found = await shadow.comparison()
    assert (found.agrees, found.legacy_exit) == (None, code)
    assert "the platform cannot be asked" in found.detail
    assert found.ended_at is not None


async def test_who_loses_sight_of_it_finds_it_again_with_its_exit_code(shadow: Bench) -> None:
    shadow.hold_legacy(True)
    shadow.legacy_ends_with(4)
    handle = await shadow.start()
    await shadow.leave(handle)
    shadow.hold_legacy(False)

    seen = await shadow.follow(handle)

    assert seen[-1].failure is not None
    assert seen[-1].failure.summary == "HMS-OPS ended with 4"
    assert len(shadow.calls.splitlines()) == 1


async def test_the_next_process_waits_for_its_end(shadow: Bench) -> None:
    """The platform is asked once it has ended, and not while it is at work."""
    shadow.hold_legacy(True)
    shadow.platform.serving = NEW.artifact
    handle = await shadow.start()
    await shadow.leave(handle)
    next_process = replace(shadow, provider=_second(shadow))

    stream = next_process.provider.follow(shadow.target, handle)
    first = await anext(stream)
    shadow.hold_legacy(False)
    seen = [each async for each in stream]

    assert (first.activity, first.detail) == ("HMS-OPS deploys", "Deploying ...")
    assert seen[-1].verdict is Verdict.SUCCEEDED
    assert len(shadow.calls.splitlines()) == 1


def _second(bench: Bench) -> DualProvider:
    return replace_mode(bench, DualMode.SHADOW)


def replace_mode(bench: Bench, mode: DualMode) -> DualProvider:
    """What a process after this one builds, whose HMS-OPS cannot be started."""
    parts = DualParts(
        modes={bench.target.name: mode},
        tool=HmsOps(["/nowhere/hms-ops.sh"], RunFiles(bench.folder / "runs")),
        comparisons=bench.database.comparisons,
        clock=JumpingClock(),
        look_seconds=0.2,
    )
    return DualProvider(bench.platform, parts)


async def test_a_tool_that_cannot_be_started_fails_the_rollout_and_says_why(shadow: Bench) -> None:
    bench = replace(shadow, provider=_second(shadow))

    seen = await bench.follow(await bench.start())

    assert seen[-1].verdict is Verdict.FAILED
    assert seen[-1].failure is not None
    assert "cannot be started" in seen[-1].failure.summary
    assert (await bench.comparison()).agrees is None


async def test_two_are_never_at_work_on_one_target(shadow: Bench) -> None:
    """A rollout that was given up in time has left HMS-OPS at work."""
    shadow.hold_legacy(True)
    shadow.platform.serving = NEW.artifact
    handle = await shadow.start()
    await shadow.leave(handle)
    later = (
        await shadow.provider.start(
            StartOrder(target=shadow.target, release=NEW, key="D-1043", cause="t", intended_at=NOON)
        )
    ).handle

    stream = shadow.provider.follow(shadow.target, later)
    first = await anext(stream)
    calls = len(shadow.calls.splitlines())
    shadow.hold_legacy(False)
    seen = [each async for each in stream]

    assert first.activity == "HMS-OPS is still at work on an earlier deployment"
    assert calls == 1
    assert seen[-1].verdict is Verdict.SUCCEEDED
    assert len(shadow.calls.splitlines()) == 2


async def test_a_failure_is_named_when_time_is_up_before_the_platform_answered(
    shadow: Bench,
) -> None:
    shadow.legacy_ends_with(3)
    shadow.platform.troubles = 1
    handle = await shadow.start()
    with pytest.raises(ProviderUnavailable):
        await shadow.follow(handle)

    with pytest.raises(OutcomeUnknown, match=r"^HMS-OPS ended with 3, and the platform could not"):
        await shadow.provider.explain(shadow.target, handle)

    assert (await shadow.comparison()).agrees is None


async def test_what_is_still_at_work_when_time_is_up_is_said(shadow: Bench) -> None:
    shadow.hold_legacy(True)
    handle = await shadow.start()
    await shadow.leave(handle)

    with pytest.raises(OutcomeUnknown, match=r"still at work \(process \d+ on .+\), and is not"):
        await shadow.provider.explain(shadow.target, handle)

    shadow.hold_legacy(False)
    found = await shadow.comparison()
    assert (found.agrees, found.ended_at) == (None, NOON)


async def test_the_next_process_waits_for_what_one_before_it_left_on_the_target(
    shadow: Bench,
) -> None:
    shadow.hold_legacy(True)
    await shadow.leave(await shadow.start())
    later = StartOrder(target=shadow.target, release=NEW, key="D-1043", cause="t", intended_at=NOON)
    second = _second(shadow)
    handle = (await second.start(later)).handle

    stream = second.follow(shadow.target, handle)
    first = await anext(stream)
    shadow.hold_legacy(False)
    async for _ in stream:
        pass

    assert first.activity == "HMS-OPS is still at work on an earlier deployment"
    assert re.fullmatch(r"process \d+ on .+", first.detail)


@pytest.mark.parametrize("code", [126, 127])
async def test_an_end_for_want_of_a_program_is_no_agreement(shadow: Bench, code: int) -> None:
    """Nothing is learned of HMS-SYS where HMS-OPS could not do its work."""
    shadow.legacy_ends_with(code)

    seen = await shadow.follow(await shadow.start())

    assert seen[-1].verdict is Verdict.FAILED
    assert seen[-1].failure is not None
    assert f"HMS-OPS ended with {code}: a program in it" in seen[-1].failure.summary
    assert (await shadow.comparison()).agrees is None


async def test_the_exit_code_outlives_whoever_started_it(shadow: Bench) -> None:
    shadow.hold_legacy(True)
    shadow.legacy_ends_with(4)
    handle = await shadow.start()
    await shadow.leave(handle)
    shadow.hold_legacy(False)

    seen = [each async for each in _second(shadow).follow(shadow.target, handle)]

    assert seen[-1].failure is not None
    assert seen[-1].failure.summary == "HMS-OPS ended with 4"
    assert len(shadow.calls.splitlines()) == 1


async def test_where_its_files_are_gone_the_platform_decides_and_nobody_claims_agreement(
    shadow: Bench,
) -> None:
    shadow.hold_legacy(True)
    handle = await shadow.start()
    await shadow.leave(handle)
    shutil.rmtree(shadow.folder / "runs")

    seen = [each async for each in _second(shadow).follow(shadow.target, handle)]

    shadow.hold_legacy(False)
    assert seen[-1].verdict is Verdict.UNKNOWN
    assert seen[-1].detail == "HMS-OPS was not seen to end"
    assert (await shadow.comparison()).agrees is None
    assert len(shadow.calls.splitlines()) == 1


async def test_a_shadowed_rollout_is_not_taken_back_after_a_change_to_verify(
    shadow: Bench,
) -> None:
    provider = replace_mode(shadow, DualMode.VERIFY)
    order = RestoreOrder(
        target=shadow.target,
        previous=OLD,
        handle=await shadow.start(),
        key="D-1042",
        cause="test",
        intended_at=NOON,
    )

    with pytest.raises(ProviderRejected, match="HMS-OPS deployed this"):
        await provider.restore(order)
