"""Alerts, on both databases: ids from 1, one open alert for each check, no lost change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from operations.errors import StorageError, VersionConflict
from operations.monitoring.alert import Alert, AlertDraft, AlertState
from storage.database import Database, open_database
from tests.factories import ALICE, BOB, NOBODY, NOON
from tests.unit.operations.monitoring.lookouts import SECOND

pytest_plugins = ("tests.contract.database_fixtures",)


def make_draft(**changes: object) -> AlertDraft:
    """myapp/prod:web answered 503 thrice."""
    plain = AlertDraft(
        check_id="myapp/prod:web",
        name="web",
        project="myapp",
        environment="prod",
        channel="C02OPS",
        since=NOON,
        seen=3,
        reason="answered 503, wanted 200",
        is_flapping=False,
        rollout="D-1042",
        fired_at=NOON,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


async def add(database: Database, **changes: object) -> Alert:
    async with database.store.transaction() as tx:
        return await tx.alerts.add(make_draft(**changes))


async def save(database: Database, alert: Alert) -> Alert:
    async with database.store.transaction() as tx:
        return await tx.alerts.save(alert)


async def read(database: Database, alert_id: int) -> Alert | None:
    async with database.store.snapshot() as tx:
        return await tx.alerts.get(alert_id)


async def test_a_new_alert_fires_with_all_that_was_drafted(database: Database) -> None:
    added = await add(database)

    assert added == Alert(
        id=1,
        check_id="myapp/prod:web",
        name="web",
        project="myapp",
        environment="prod",
        channel="C02OPS",
        state=AlertState.FIRING,
        since=NOON,
        seen=3,
        reason="answered 503, wanted 200",
        rollout="D-1042",
        fired_at=NOON,
    )
    assert await read(database, 1) == added


async def test_ids_rise_from_one(database: Database) -> None:
    assert [(await add(database, check_id=name)).id for name in ("a", "b", "c")] == [1, 2, 3]


async def test_there_is_no_alert_that_was_not_added(database: Database) -> None:
    assert await read(database, 17) is None


async def test_every_field_is_stored_and_the_revision_rises(database: Database) -> None:
    added = await add(database)
    changed = replace(
        added,
        state=AlertState.RESOLVED,
        seen=9,
        reason="no answer",
        is_flapping=True,
        led_by=3,
        escalated_at=NOON,
        acknowledged_by=ALICE,
        acknowledged_at=NOON + SECOND,
        silenced_by=BOB,
        silenced_until=NOON + 2 * SECOND,
        resolved_at=NOON + 3 * SECOND,
        resolved_by=NOBODY,
    )

    saved = await save(database, changed)

    assert saved == replace(changed, revision=2)
    assert await read(database, added.id) == saved


async def test_a_change_of_what_was_changed_meanwhile_is_refused(database: Database) -> None:
    added = await add(database)
    changed = await save(database, replace(added, seen=4))

    with pytest.raises(VersionConflict):
        await save(database, replace(added, seen=5))

    assert await read(database, added.id) == changed


@pytest.mark.parametrize("state", [AlertState.FIRING, AlertState.ACKNOWLEDGED])
async def test_a_check_has_one_open_alert(database: Database, state: AlertState) -> None:
    added = await add(database)
    await save(database, replace(added, state=state))

    with pytest.raises(StorageError, match="has an open alert already"):
        await add(database)

    assert await read(database, 2) is None


async def test_after_the_end_a_new_one_may_fire(database: Database) -> None:
    added = await add(database)
    await save(database, replace(added, state=AlertState.RESOLVED))

    again = await add(database)

    assert again.id > added.id


async def test_two_who_fire_at_once_make_one_alert(database_url: str) -> None:
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        fired: list[Alert] = []

        async def fire(database: Database) -> None:
            try:
                fired.append(await add(database))
            except StorageError:
                return

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number in range(6):
                group.create_task(fire(here if number % 2 else there))

        assert len(fired) == 1
        async with here.store.snapshot() as tx:
            assert await tx.alerts.open() == fired


async def test_the_open_alert_of_a_check_is_found(database: Database) -> None:
    await add(database, check_id="another")
    former = await add(database)
    await save(database, replace(former, state=AlertState.RESOLVED))
    current = await add(database)

    async with database.store.transaction() as tx:
        assert await tx.alerts.open_for("myapp/prod:web") == current
        assert await tx.alerts.open_for("unheard of") is None
    async with database.store.snapshot() as tx:
        assert await tx.alerts.open_for("myapp/prod:web") == current


async def test_open_alerts_come_oldest_first(database: Database) -> None:
    alerts = [await add(database, check_id=name) for name in ("b", "c", "a")]
    await save(database, replace(alerts[1], state=AlertState.RESOLVED))
    acknowledged = await save(database, replace(alerts[0], state=AlertState.ACKNOWLEDGED))

    async with database.store.snapshot() as tx:
        assert await tx.alerts.open() == [acknowledged, alerts[2]]


async def test_nothing_is_lost_between_two_who_hold_it_in_turn(database_url: str) -> None:
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        added = await add(here)

        async def count(database: Database) -> None:
            async with database.store.transaction() as tx:
                held = await tx.alerts.get(added.id, lock=True)
                assert held is not None
                await tx.alerts.save(replace(held, seen=held.seen + 1))

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number in range(6):
                group.create_task(count(here if number % 2 else there))

        stored = await read(there, added.id)
    assert stored is not None
    assert stored.seen == added.seen + 6


async def test_a_reading_transaction_changes_nothing(database: Database) -> None:
    added = await add(database)

    async with database.store.snapshot() as tx:
        with pytest.raises(StorageError):
            await tx.alerts.add(make_draft(check_id="another"))
        with pytest.raises(StorageError):
            await tx.alerts.save(added)
        with pytest.raises(StorageError):
            await tx.alerts.get(added.id, lock=True)
