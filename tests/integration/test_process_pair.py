"""Two bots on one PostgreSQL: replicas share the work and tell it once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from operations.deployment.rollout import Phase, RolloutState
from tests.contract.databases import PostgresServer
from tests.factories import ALICE, BOB, CAROL
from tests.integration.processes import open_world
from tests.slack_stand_in import until

pytest_plugins = ("tests.contract.database_fixtures",)

LIVE = RolloutState.SUCCEEDED


async def test_two_processes_carry_out_and_tell_each_rollout_once(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    names = ("one", "two", "three")
    places = dict.fromkeys(names, "staging")
    async with open_world(tmp_path, places, postgres_server.create()) as world:
        bots = [world.spawn(), world.spawn()]
        for bot in bots:
            await world.ready(bot)
        for position, name in enumerate(names):
            await world.say(bots[position % 2], f"deploy {name} staging 1.1")
        for name in names:
            await world.reaches(name, LIVE)
            await world.told_once(f"Live: {name} 1.1 → staging")
        assert [world.patches(name) for name in names] == [1, 1, 1]
        assert len(world.slack.cards()) == len(names)


async def test_two_people_who_approve_at_once_in_two_processes_start_it_once(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    async with open_world(tmp_path, {"web": "prod"}, postgres_server.create()) as world:
        bots = [world.spawn(), world.spawn()]
        for bot in bots:
            await world.ready(bot)
        await world.say(bots[0], "deploy web prod 1.1", ALICE)
        card = await world.card_says("Waiting for approval")
        clicks = [world.click("Approve", card, who) for who in (BOB, CAROL)]
        async with asyncio.TaskGroup() as group:
            for bot, click in zip(bots, clicks, strict=True):
                group.create_task(world.send(bot, click))
        await world.reaches("web", LIVE)
        await world.told_once("Live: web 1.1 → prod")
        assert len((await world.rollout("web")).approvals) == 1
        assert world.patches("web") == 1
        # Alice's answer, and one for whoever came second; the card answers the first.
        await until(lambda: len(world.slack.private) == 2, 5)
        assert world.slack.private[1].user in {BOB.id, CAROL.id}


async def test_a_database_that_hangs_does_not_keep_the_process_from_stopping(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    places = {"web": "staging"}
    async with open_world(tmp_path, places, postgres_server.create()) as world:
        world.kubernetes.pace = 0.5
        bot = await world.start()
        await world.say(bot, "deploy web staging 1.1")
        await world.reaches("web", Phase.FOLLOWING)
        with postgres_server.hanging():
            async with world.session.get(f"{bot.url}/metrics") as answer:
                assert "hms_database_up 0.0" in await answer.text()
            begun = time.monotonic()
            assert await bot.terminate(10) == 0
            took = time.monotonic() - begun
        world.let_claims_end()
        await world.start()
        await world.told_once("Live: web 1.1 → staging")

    assert took < 8
    assert "Traceback" not in bot.said
