from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from operations.integration.dual.comparison import Comparison, DualMode
from storage.database import Database

pytest_plugins = ("tests.contract.database_fixtures",)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
BEGUN = Comparison(
    key="D-1042",
    project="myapp",
    environment="prod",
    mode=DualMode.SHADOW,
    begun_at=NOON,
    planned="1.4",
    place="k8s:lab:default:deployment/web:",
)


async def test_it_comes_back_as_it_was_begun(database: Database) -> None:
    await database.comparisons.begin(BEGUN)

    assert await database.comparisons.get("D-1042") == BEGUN
    assert await database.comparisons.get("D-1") is None


async def test_beginning_again_changes_nothing(database: Database) -> None:
    await database.comparisons.begin(BEGUN)
    await database.comparisons.take_run("D-1042", NOON)

    await database.comparisons.begin(replace(BEGUN, planned="1.5"))

    assert await database.comparisons.get("D-1042") == replace(BEGUN, run_at=NOON)


async def test_one_alone_runs_the_old_tool(database: Database) -> None:
    await database.comparisons.begin(BEGUN)

    assert await database.comparisons.take_run("D-1042", NOON)
    assert not await database.comparisons.take_run("D-1042", NOON)


async def test_its_end_is_kept(database: Database) -> None:
    await database.comparisons.begin(BEGUN)
    ended = replace(
        BEGUN, ended_at=NOON, legacy_exit=0, seen="1.3", agrees=False, detail="shows 1.3"
    )

    await database.comparisons.end(ended)

    assert await database.comparisons.get("D-1042") == ended


async def test_the_newest_of_each_target_come_together(database: Database) -> None:
    for n in range(4):
        await database.comparisons.begin(
            replace(BEGUN, key=f"D-{n}", begun_at=NOON + timedelta(hours=n))
        )
    await database.comparisons.begin(replace(BEGUN, key="D-9", environment="staging"))

    found = await database.comparisons.of_targets(limit=2)

    assert [[each.key for each in of] for of in found] == [["D-3", "D-2"], ["D-9"]]
