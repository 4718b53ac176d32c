"""Pods' logs in real processes: each error counted once, whoever is killed when, and tied to its release."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from operations.deployment.rollout import RolloutState
from operations.monitoring.errors.group import ErrorGroup
from tests.contract.databases import run_sql
from tests.integration.processes import World, open_world
from tests.slack_stand_in import until

_TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/shop/cart.py", line 41, in pay',
    "    total = sum(item.price for item in cart.items)",
    "AttributeError: 'NoneType' object has no attribute 'items'",
)


def _read_pods(world: World) -> None:
    """Add the logs of web's pods to the configuration."""
    path = world.directory / "hms.yaml"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["errors"] = {"sources": [{"target": "web/staging", "pods": True}]}
    path.write_text(json.dumps(config), encoding="utf-8")


def _write(world: World, *lines: str, pod: int = 0) -> None:
    """As the application of one pod does."""
    uids = sorted(
        pod["metadata"]["uid"]
        for pod in world.kubernetes.store.find("pods", "default")
        if "deletionTimestamp" not in pod["metadata"]
    )
    world.kubernetes.kubelet.logs.write(uids[pod], *lines)


def _ask(world: World, query: str) -> list[str]:
    with closing(sqlite3.connect(world.directory / "hms.db")) as raw:
        return [str(value) for (value,) in raw.execute(query).fetchall()]


def _hurry(world: World) -> None:
    """As if the time for the next read had come."""
    run_sql(world.database_url, "UPDATE log_sources SET due_at = 0 WHERE claim_until IS NULL")


def _is_begun(world: World) -> bool:
    """Whether the log has been read once: what is written from now on is new."""
    return any(_ask(world, "SELECT cursor FROM log_sources"))


def _is_being_read(world: World) -> bool:
    _hurry(world)
    return bool(_ask(world, "SELECT id FROM log_sources WHERE claim_until IS NOT NULL"))


async def _groups(world: World) -> Mapping[str, ErrorGroup]:
    """By title, as they are committed."""
    _hurry(world)
    async with world.database.store.snapshot() as tx:
        found = [await tx.groups.get(number) for number in range(1, 10)]
    return {group.title: group for group in found if group is not None}


async def _group(world: World, words: str, count: int) -> ErrorGroup:
    """Wait until so many errors are in the group with these words."""
    found: list[ErrorGroup] = []

    async def is_there() -> bool:
        found[:] = [g for title, g in (await _groups(world)).items() if words in title]
        return sum(group.count for group in found) >= count

    await until(is_there, 20)
    (group,) = found
    return group


async def test_three_tracebacks_of_pods_are_one_group_that_knows_its_release(
    tmp_path: Path,
) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        _read_pods(world)
        bot = await world.start()
        await world.say(bot, "deploy web staging 1.1")
        await world.reaches("web", RolloutState.SUCCEEDED)
        await until(lambda: _is_begun(world), 15)

        for pod in (0, 1, 0):
            _write(world, "GET /cart 500", *_TRACEBACK, "GET /healthz 200", pod=pod)
        group = await _group(world, "AttributeError", 3)

        assert len(await _groups(world)) == 1
        assert (group.count, group.target_name) == (3, "web/staging")
        assert group.last_release == "1.1"


async def test_bots_that_are_killed_while_they_read_count_each_error_once(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        _read_pods(world)
        bot = await world.start()
        await until(lambda: _is_begun(world), 15)

        for _ in range(3):
            for _ in range(100):
                _write(world, *_TRACEBACK)
            await until(lambda: _is_being_read(world), 10)
            bot.kill()
            run_sql(
                world.database_url, "UPDATE log_sources SET claim_until = NULL, claim_owner = NULL"
            )
            bot = await world.start()
        _write(world, "ERROR the end", "GET /healthz 200")
        await _group(world, "the end", 1)

        assert (await _group(world, "AttributeError", 300)).count == 300
