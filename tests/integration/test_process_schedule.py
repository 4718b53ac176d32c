"""Rollouts with a time to start, and `/hms doctor`, in real processes that are killed at will."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from operations.deployment.rollout import RolloutState
from tests.contract.databases import run_sql
from tests.integration.processes import open_world

_TWO_HOURS_AGO = "UPDATE rollouts SET start_at = start_at - 7200000000 WHERE start_at IS NOT NULL"


async def test_a_bot_that_was_killed_meanwhile_starts_it_at_its_time(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        bot = await world.start()
        told = await world.say(bot, "deploy web staging 1.1 --at 6s")
        assert "starts by itself at its time" in told
        bot.kill()
        world.let_claims_end()
        await world.start()

        ended = await world.reaches("web", RolloutState.SUCCEEDED)

        await world.told_once("Live: web 1.1 → staging")
        assert world.patches("web") == 1
        assert ended.start_at is not None
        assert ended.started_at is not None
        assert ended.start_at <= ended.started_at


async def test_a_bot_that_comes_back_hours_late_ships_nothing(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        accepted = await world.cli("deploy", "web", "staging", "1.1", "--at", "1h")
        assert accepted.returncode == 0
        assert "It starts at" in accepted.stderr
        run_sql(world.database_url, _TWO_HOURS_AGO)

        await world.start()

        ended = await world.reaches("web", RolloutState.EXPIRED)
        await world.told_once("Expired: web 1.1 → staging")
        assert "did not within 1 h: HMS-SYS was not running" in ended.outcome
        assert ended.ended_at is not None
        assert ended.ended_at <= datetime.now(UTC)
        assert world.patches("web") == 0


async def test_doctor_in_slack_asks_for_everything_the_bot_uses(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        bot = await world.start()

        await world.say(bot, "doctor")

        told = str(world.slack.private[-1].blocks)
        assert "Doctor: " in told
        assert "well" in told
        assert "no answer" not in told
        assert world.slack.refused == []
