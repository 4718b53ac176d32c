"""Digests in real processes: two bots on one database tell the day's once, with its chart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.contract.databases import PostgresServer
from tests.integration.processes import World, open_world
from tests.slack_stand_in import Said, until

pytest_plugins = ("tests.contract.database_fixtures",)

CHANNEL = "C01GEN"


def _plan(world: World, due: datetime) -> None:
    """Have digests told at this time of day."""
    path = world.directory / "hms.yaml"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["digest"] = {"channel": CHANNEL, "at": f"{due:%H:%M}", "timezone": "UTC"}
    path.write_text(json.dumps(config), encoding="utf-8")


async def _count_errors(world: World, at: datetime) -> None:
    async with world.database.store.transaction() as tx:
        await tx.counts.count_targets({("web", "staging"): {at: 7}})


def kinds(card: Said) -> list[object]:
    return [block["type"] for block in card.blocks]


async def test_two_processes_tell_the_days_digest_once(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    due = datetime.now(UTC) - timedelta(minutes=1)
    async with open_world(tmp_path, {"web": "staging"}, postgres_server.create()) as world:
        _plan(world, due)
        await _count_errors(world, due - timedelta(hours=2))
        async with world.database.store.transaction() as tx:
            before = due.date() - timedelta(days=1)
            await tx.digests.begin(before.isoformat(), due - timedelta(days=1))
        bots = [world.spawn(), world.spawn()]
        for bot in bots:
            await world.ready(bot)

        both_looked_at = datetime.now(UTC) + timedelta(seconds=21)
        await until(lambda: any("Digest: " in card.text for card in world.slack.cards()), 40)
        await until(lambda: datetime.now(UTC) > both_looked_at, 40)

        [card] = world.slack.cards()
        await until(lambda: "image" in kinds(card), 20)
        assert len(world.slack.thread(card)) == 1
        assert f"Digest: {due:%a} {due.day} {due:%b} → nothing new (G-2)" in card.text
        assert world.slack.refused == []


async def test_one_that_a_terminal_asks_for_is_told_by_the_bot(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    async with open_world(tmp_path, {"web": "staging"}) as world:
        _plan(world, now + timedelta(hours=2))
        await _count_errors(world, now)
        await world.start()

        result = await world.cli("digest", "now")
        await until(lambda: any("(G-" in card.text for card in world.slack.cards()), 20)

        assert (result.returncode, "goes to C01GEN" in result.stdout) == (0, True)
        await until(lambda: "image" in kinds(world.slack.cards()[0]), 20)
