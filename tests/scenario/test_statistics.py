"""`stats` and `doctor` in Slack, and `stats` in a terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from operations.deployment.rollout import RolloutState
from operations.diagnosis import Condition, Finding
from tests.factories import ALICE, BOB, CAROL
from tests.fakes_cli import Shop
from tests.fakes_deployment import FAILURE, ScriptedProvider
from tests.scenario.office import Office, open_office
from tests.slack_stand_in import SlackStandIn, until


async def test_stats_of_what_was_shipped(office: Office) -> None:
    await office.say("deploy myapp staging 1.1")
    await office.end(1001, state=RolloutState.SUCCEEDED)
    await office.say("deploy myapp prod 1.1")
    await office.say("approve D-1002", BOB)
    await office.end(1002, state=RolloutState.ROLLED_BACK)

    told = await office.say("stats myapp --since 7d", CAROL)

    assert "*Statistics* · myapp, the last 7 d" in told
    assert "Went live: once, 1.0 a week, on 1 day" in told
    assert "Failed: 1 of 1 change (100 %)" in told
    assert "Good again after: 48 s (1 failure)" in told
    assert "Commit to live: not known" in told
    assert "Ended: 1 failed and rolled back" in told


async def test_stats_of_a_project_that_is_none(office: Office) -> None:
    assert "There is no project “mapp”" in await office.say("stats mapp")


async def test_stats_of_too_long_a_time(office: Office) -> None:
    assert "A year is the most" in await office.say("stats --since 400d")


def test_stats_in_a_terminal(tmp_path: Path) -> None:
    provider = ScriptedProvider(scripts={"acme/myapp@sha256:bbb": FAILURE})
    shop = Shop(path=tmp_path, provider=provider)
    shop.run("deploy myapp staging 1.0")
    shop.run("deploy myapp staging 1.1")

    told = shop.run("stats MYAPP").stdout
    document = json.loads(shop.run("stats --json").stdout)

    assert told.startswith("myapp, the last 30 d.\n")
    assert "once, 0.2 a week, on 1 day" in told
    assert "1 of 2 changes (50 %)" in told
    (staging,) = document["environments"]
    assert document["project"] is None
    assert (staging["environment"], staging["deploys"]) == ("staging", 1)
    assert staging["rollouts"] == {"succeeded": 1, "rolled_back": 1}
    assert staging["change_failure_rate"] == 0.5
    assert staging["time_to_restore"]["count"] == 1
    assert staging["lead_time"] == {"median_seconds": None, "count": 0}


def found(subject: str, condition: Condition, detail: str, advice: str = "") -> Finding:
    return Finding(area="Slack", subject=subject, condition=condition, detail=detail, advice=advice)


TROUBLES = [
    found("scopes", Condition.WELL, "all that are needed"),
    found("channel C09", Condition.DOUBTFUL, "no member", "Invite the bot to it (`/invite`)."),
    found("token", Condition.FAILING, "Slack says <!channel> invalid_auth"),
]


@pytest.mark.parametrize("troubles", [TROUBLES, TROUBLES[:1]], ids=["troubles", "none"])
async def test_doctor_has_a_line_for_each_trouble(
    tmp_path: Path, slack: SlackStandIn, troubles: Sequence[Finding]
) -> None:
    async def examining() -> Sequence[Finding]:
        return troubles

    async with open_office(tmp_path, slack, examining=examining) as office:
        told = await office.say("doctor")

    assert f"1 of {len(troubles)} well" in told
    assert "all that are needed" not in told
    if len(troubles) == 1:
        assert "Doctor: all is well" in told
        return
    assert "Doctor: 1 failing, 1 doubtful" in told
    assert told.index("🔴 *Slack* token") < told.index("🟡 *Slack* channel C09")
    assert "→ Invite the bot to it" in told
    assert "<!channel>" not in told


async def test_one_examination_goes_on_at_a_time(tmp_path: Path, slack: SlackStandIn) -> None:
    go_on = asyncio.Event()

    async def examining() -> Sequence[Finding]:
        await go_on.wait()
        return []

    async with open_office(tmp_path, slack, examining=examining) as office:
        async with asyncio.TaskGroup() as group:
            group.create_task(office.send(office.command_body("doctor", ALICE)))
            await until(lambda: office.side.boundary.in_flight == 1)
            assert "having it examined now" in await office.say("doctor", BOB)
            go_on.set()
        await until(lambda: any(p.user == ALICE.id for p in slack.private))
        assert "Doctor: all is well" in office.told(ALICE)
        assert "Doctor: all is well" in await office.say("doctor", BOB)
