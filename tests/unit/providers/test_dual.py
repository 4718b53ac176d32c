"""Both modes, with an HMS-OPS that is a real program and a platform that is scripted."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Progress, Verdict
from operations.deployment.target import Target
from operations.errors import ProviderRejected, ProviderUnavailable
from operations.integration.dual.comparison import Comparison, DualMode
from providers.dual import DualParts, DualProvider
from providers.legacy_tool import HmsOps
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import NEW, OLD, make_catalog
from tests.fakes_deployment import ScriptedProvider

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
_SCRIPT = """\
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
print("Deploying ...", flush=True)
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
    """Tells versions as people know them."""

    async def status(self, target: Target):  # type: ignore[no-untyped-def]  # as the base has it
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
    parts = DualParts(
        modes={target.name: mode} if mode else {},
        tool=HmsOps([sys.executable, str(script)]),
        comparisons=database.comparisons,
        clock=JumpingClock(),
    )
    return Bench(folder, platform, DualProvider(platform, parts), database, target)


@pytest.fixture
async def shadow(tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator of Bench
    """HMS-OPS deploys."""
    bench = await open_bench(tmp_path, DualMode.SHADOW)
    yield bench
    await bench.database.close()


@pytest.fixture
async def verify(tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator of Bench
    """HMS-SYS deploys."""
    bench = await open_bench(tmp_path, DualMode.VERIFY)
    yield bench
    await bench.database.close()


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
    await bench.database.close()


async def test_a_tool_that_is_not_there_is_said_so() -> None:
    with pytest.raises(ProviderUnavailable, match=r"legacy|HMS-OPS cannot be started"):
        await HmsOps(["/nowhere/hms-ops.sh"]).deploy("k8s", "myapp", "prod", "1.4")
