"""Dual mode as people in a channel see it: HMS-OPS is a real program beside a scripted platform."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from bot.clock import SystemClock
from operations.deployment.target import OnFailure, Target
from operations.integration.dual.comparison import Comparison, DualMode
from providers.dual import DualProvider
from providers.dual_parts import DualParts
from providers.legacy_runs import RunFiles
from providers.legacy_tool import HmsOps
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import BOB, NEW, OLD, make_catalog, make_target
from tests.fakes_deployment import ScriptedProvider
from tests.scenario.office import Office, open_office
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import SlackStandIn

_REFUSES = "echo 'acme/myapp: permission denied, token=abcdefgh'; exit 3"


class Platform(ScriptedProvider):
    """Tells versions as people know them, and healthy."""

    async def status(self, target: Target):  # type: ignore[no-untyped-def]  # as the base has it
        found = await super().status(target)
        version = next((r.version for r in (OLD, NEW) if r.artifact == self.serving), "")
        return replace(found, version=version, state="healthy")


@dataclass
class Side:
    """What is beside the office: the platform, HMS-OPS's calls, and what both said."""

    office: Office
    platform: Platform
    comparisons: Database
    calls: Path

    async def compared(self) -> Comparison:
        found = await self.comparisons.comparisons.get("D-1001")
        assert found is not None
        return found


@asynccontextmanager
async def beside(
    folder: Path, slack: SlackStandIn, mode: DualMode, script: str, seconds: float = 60
) -> AsyncIterator[Side]:
    """An office whose myapp/prod is in dual mode, with a worker that carries rollouts out."""
    (folder / "comparisons").mkdir()
    database = await open_sqlite(folder / "comparisons")
    calls = folder / "calls"
    command = ["/bin/sh", "-c", f'echo "$0 $@" >> {calls}; {script}']
    platform = Platform()
    parts = DualParts(
        modes={"myapp/prod": mode},
        tool=HmsOps(command, RunFiles(folder / "runs"), {"PATH": os.environ["PATH"]}),
        comparisons=database.comparisons,
        clock=SystemClock(),
        settles=timedelta(0),
        look_seconds=0.1,
    )
    dual = cast("ScriptedProvider", DualProvider(platform, parts))
    on_failure = OnFailure.LEAVE if mode is DualMode.SHADOW else OnFailure.ROLLBACK  # as configured
    catalog = make_catalog(make_target(timeout=timedelta(seconds=seconds), on_failure=on_failure))
    async with open_office(folder, slack, provider=dual, catalog=catalog) as office:
        yield Side(office, platform, database, calls)
    while run := await parts.tool.at_work("myapp", "prod"):
        await run.wait(10)
    await database.close()


async def ship(side: Side) -> None:
    """Asked for by Alice, approved by Bob, carried out."""
    await side.office.say("deploy myapp prod 1.1")
    card = await side.office.card("Waiting for approval")
    await side.office.press("Approve", card, BOB)
    await side.office.card("Queued")
    await side.office.engine.worker().carry_out(1001)
    await side.office.quiet()


def card_of(side: Side) -> str:
    (card,) = side.office.slack.cards("C01GEN")
    return all_text(card.blocks)


async def test_shadow_asks_for_approval_and_says_who_deploys(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    async with beside(tmp_path, slack, DualMode.SHADOW, "exit 0") as side:
        await side.office.say("deploy myapp prod 1.1")
        card = await side.office.card("Waiting for approval")

        assert "HMS-OPS deploys this; HMS-SYS only watches" in all_text(card.blocks)
        assert labels(card.blocks) == ["Approve", "Reject"]
        assert not side.calls.exists()


async def test_shadow_goes_live_when_both_say_so(tmp_path: Path, slack: SlackStandIn) -> None:
    async with beside(tmp_path, slack, DualMode.SHADOW, "exit 0") as side:
        side.platform.serving = NEW.artifact  # what HMS-OPS brought out

        await ship(side)

        assert "*Live: myapp 1.1 → prod*" in card_of(side)
        assert side.calls.read_text() == "deploy k8s myapp prod 1.1\n"
        assert (await side.compared()).agrees is True
        assert side.platform.changes == []


async def test_shadow_says_when_the_platform_does_not_show_what_hms_ops_claims(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    async with beside(tmp_path, slack, DualMode.SHADOW, "exit 0") as side:
        await ship(side)

        shown = card_of(side)
        assert "*Cannot tell: myapp 1.1 → prod*" in shown
        assert "HMS-OPS says that it deployed, and the platform does not show it" in shown
        assert "the platform shows 1.0, healthy" in shown
        assert "HMS-OPS and the platform differ. Look at the platform" in shown
        assert (await side.compared()).agrees is False


async def test_shadow_shows_why_hms_ops_failed_without_its_secrets(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    async with beside(tmp_path, slack, DualMode.SHADOW, _REFUSES) as side:
        await ship(side)

        shown = card_of(side)
        assert "*Failed: myapp 1.1 → prod*" in shown
        assert "HMS-OPS ended with 3" in shown
        assert "permission denied" in shown
        assert "abcdefgh" not in shown
        assert "could not be brought back" not in shown
        assert side.platform.changes == []


@pytest.mark.parametrize(
    ("script", "words", "agrees"),
    [
        ("exit 0", "HMS-OPS agrees", True),
        ("echo prod: down; exit 1", "HMS-OPS differs, see `hms-sys migrate status`", False),
    ],
)
async def test_verify_goes_live_by_hms_sys_and_says_whether_hms_ops_agrees(
    tmp_path: Path, slack: SlackStandIn, script: str, words: str, agrees: bool
) -> None:
    async with beside(tmp_path, slack, DualMode.VERIFY, script) as side:
        await ship(side)

        shown = card_of(side)
        assert "*Live: myapp 1.1 → prod*" in shown
        assert f"2 of 2 new pods ready on `sha256:bbb…` · {words}" in shown
        assert side.calls.read_text() == "status myapp prod\n"
        assert (await side.compared()).agrees is agrees
        assert side.platform.serving == NEW.artifact


async def test_what_is_still_at_work_when_time_is_up_is_named_and_called_neither_good_nor_bad(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    script = f"while [ ! -e {tmp_path}/end ]; do sleep 0.05; done"
    async with beside(tmp_path, slack, DualMode.SHADOW, script, seconds=1) as side:
        await ship(side)
        (tmp_path / "end").touch()

        shown = card_of(side)
        assert "*Cannot tell: myapp 1.1 → prod*" in shown
        assert "HMS-OPS is still at work (process " in shown
        assert (await side.compared()).agrees is None


async def test_a_status_that_hangs_takes_back_nothing_that_went_live(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    async with beside(tmp_path, slack, DualMode.VERIFY, "exec sleep 60", seconds=3) as side:
        await ship(side)

        shown = card_of(side)
        assert "*Live: myapp 1.1 → prod*" in shown
        assert "HMS-OPS could not be asked" in shown
        assert side.platform.serving == NEW.artifact
        assert (await side.compared()).detail == "HMS-OPS's status: no answer within its time"
