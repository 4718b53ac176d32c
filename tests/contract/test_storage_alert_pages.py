"""Pages of alerts, on both databases: newest first, by the rules that were asked for, none lost between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.monitoring.alert import OPEN_STATES, AlertQuery, AlertState
from storage.database import Database
from tests.contract.test_storage_alerts import add, save

pytest_plugins = ("tests.contract.database_fixtures",)


async def find(database: Database, query: AlertQuery) -> list[int]:
    async with database.store.snapshot() as tx:
        return [alert.id for alert in (await tx.alerts.search(query)).alerts]


async def populate(database: Database) -> None:
    """1 fires, 2 is looked after, 3 is over, 4 fires in staging, 5 on another project."""
    changes: list[dict[str, object]] = [
        {"state": AlertState.FIRING},
        {"state": AlertState.ACKNOWLEDGED},
        {"state": AlertState.RESOLVED},
        {"environment": "staging"},
        {"project": "other"},
    ]
    for number, change in enumerate(changes):
        added = await add(database, check_id=f"check {number}")
        await save(database, replace(added, **change))  # type: ignore[arg-type]  # checked by the dataclass


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (AlertQuery(), [5, 4, 3, 2, 1]),
        (AlertQuery(project="myapp"), [4, 3, 2, 1]),
        (AlertQuery(environment="staging"), [4]),
        (AlertQuery(project="myapp", environment="prod", states=OPEN_STATES), [2, 1]),
        (AlertQuery(states=frozenset({AlertState.FIRING})), [5, 4, 1]),
        (AlertQuery(states=frozenset({AlertState.RESOLVED})), [3]),
        (AlertQuery(states=OPEN_STATES, before=4), [2, 1]),
        (AlertQuery(project="nowhere"), []),
    ],
    ids=["all", "project", "environment", "open at", "firing", "over", "cursor", "nothing"],
)
async def test_alerts_are_narrowed(database: Database, query: AlertQuery, found: list[int]) -> None:
    await populate(database)

    assert await find(database, query) == found


async def test_pages_are_without_gap_or_repeat(database: Database) -> None:
    await populate(database)
    ids: list[int] = []
    before: int | None = None

    async with database.store.snapshot() as tx:
        while True:
            page = await tx.alerts.search(AlertQuery(limit=2, before=before))
            ids += [alert.id for alert in page.alerts]
            if (before := page.next) is None:
                break

    assert ids == [5, 4, 3, 2, 1]


async def test_a_last_page_that_is_full_has_no_next(database: Database) -> None:
    await populate(database)

    async with database.store.snapshot() as tx:
        assert (await tx.alerts.search(AlertQuery(limit=5))).next is None
