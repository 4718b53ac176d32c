"""Both modes, with an HMS-OPS that is a real program and a platform that is scripted."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Progress, Verdict
from operations.deployment.target import Target
from operations.errors import ProviderRejected, ProviderUnavailable
from operations.integration.dual.comparison import Comparison, DualMode
from operations.integration.dual.ports import LegacyOrder
from providers.dual import DualParts, DualProvider
from providers.legacy_tool import HmsOps
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import NEW, OLD, make_catalog
from tests.fakes_deployment import ScriptedProvider

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

    async def close(self) -> None:
        """HMS-OPS may end now, and has."""
        self.hold_legacy(False)
        if run := await self.tool.find(f"D-1042-{int(NOON.timestamp() * 1_000_000)}"):
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
    tool = HmsOps([sys.executable, str(script)], folder / "runs")
    parts = DualParts(
        modes={target.name: mode} if mode else {},
        tool=tool,
        comparisons=database.comparisons,
        clock=JumpingClock(),
        look_seconds=0.2,
    )
    return Bench(folder, platform, DualProvider(platform, parts), database, target, tool)


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
    assert f"the platform shows {OLD.version}" in found.detail


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


async def test_a_tool_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ProviderUnavailable, match=r"legacy|HMS-OPS cannot be started"):
        await HmsOps(["/nowhere/hms-ops.sh"], tmp_path / "runs").deploy(
            LegacyOrder("D-1", "k8s", "myapp", "prod", "1.4")
        )


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
    """Its code is lost; the platform is asked once it has ended, and not while it is at work."""
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
    parts = DualParts(
        modes={bench.target.name: DualMode.SHADOW},
        tool=HmsOps(["/nowhere/hms-ops.sh"], bench.folder / "runs"),
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


async def test_what_is_still_at_work_when_time_is_up_is_said(shadow: Bench) -> None:
    shadow.hold_legacy(True)
    handle = await shadow.start()
    await shadow.leave(handle)

    found = await shadow.provider.explain(shadow.target, handle)

    shadow.hold_legacy(False)
    assert "still at work" in found.summary


async def test_one_that_was_killed_is_told_by_its_signal(tmp_path: Path) -> None:
    run = await HmsOps(["/bin/sh", "-c", "kill -9 $$"], tmp_path / "runs").deploy(
        LegacyOrder("D-1", "k8s", "myapp", "prod", "1.4")
    )

    found = await run.wait(10)

    assert found is not None
    assert found.exit_code == -signal.SIGKILL


async def test_what_it_says_does_not_fill_the_disk(tmp_path: Path) -> None:
    run = await HmsOps(
        ["/bin/sh", "-c", "yes & sleep 1; kill $!; sleep 0.5; echo end"], tmp_path / "r"
    ).deploy(LegacyOrder("D-1", "k8s", "myapp", "prod", "1.4"))
    largest = 0

    while (found := await run.wait(0.1)) is None:
        largest = max(largest, run.log.stat().st_size)

    assert found.output.endswith("end\n")
    assert largest < 2**30
    assert list((tmp_path / "r").iterdir()) == []


async def test_its_folder_is_nobody_else_s(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "real")

    with pytest.raises(ProviderUnavailable, match="somebody else's"):
        await HmsOps(["/bin/true"], tmp_path / "runs").status("myapp", "prod")


_BEGINS = """
import asyncio, pathlib, sys
from operations.integration.dual.ports import LegacyOrder
from providers.legacy_tool import HmsOps

async def main():
    script = "echo begun; while [ -e hold ]; do sleep 0.05; done; echo done"
    tool = HmsOps(["/bin/sh", "-c", script], pathlib.Path("runs"))
    await tool.deploy(LegacyOrder("D-7", "k8s", "myapp", "prod", "1.4"))
    print("started", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_it_outlives_the_kill_of_whoever_started_it_and_its_end_is_seen(
    tmp_path: Path,
) -> None:
    (tmp_path / "hold").touch()
    first = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _BEGINS,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=asyncio.subprocess.PIPE,
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"started\n"
    first.kill()
    await first.wait()

    run = await HmsOps(["/nowhere"], tmp_path / "runs").find("D-7")
    assert run is not None
    while_held = await run.wait(0.3)
    (tmp_path / "hold").unlink()
    found = await run.wait(10)

    assert while_held is None
    assert found is not None
    assert (found.exit_code, found.output.split()) == (None, ["begun", "done"])
