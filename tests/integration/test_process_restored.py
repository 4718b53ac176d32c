"""A night's backup put back under a real bot: what was decided after it is not decided a second time."""

from __future__ import annotations

import json
from pathlib import Path

from operations.deployment.rollout import RolloutState
from storage.database import open_database
from tests.factories import BOB
from tests.integration.processes import World, open_world


async def put_back(world: World, backup: Path) -> None:
    """In place of the database, which nobody has open any more."""
    await world.database.close()
    world.database_url = f"sqlite:///{backup}"


async def test_what_waited_in_the_backup_does_not_ship_once_more(tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    async with open_world(tmp_path, {"web": "prod"}) as world:
        bot = await world.start()
        await world.say(bot, "deploy web prod 1.1")
        asked = await world.card_says("Waiting for approval")
        assert (await world.cli("db", "backup", str(backup))).returncode == 0
        approve = world.click("Approve", asked, BOB)
        await world.send(bot, approve)
        await world.reaches("web", RolloutState.SUCCEEDED)
        await world.told_once("Live: web 1.1 → prod")

        early = await world.cli("db", "restored")
        assert early.returncode == 3
        assert "Another process has the database open." in early.stderr

        await bot.terminate()
        await put_back(world, backup)
        restored = await world.cli("db", "restored", "--json")
        assert restored.returncode == 0, restored.stderr
        assert json.loads(restored.stdout)["expired"] == ["D-1001"]
        async with await open_database(world.database_url) as world.database:
            bot = await world.start()
            await world.card_says("Expired: web 1.1 → prod")
            await world.send(bot, approve)
            assert "D-2002" in await world.say(bot, "deploy web prod 1.2")

    assert world.patches("web") == 1
