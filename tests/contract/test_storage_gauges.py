"""What the process is watched by, counted on both databases and on indexes alone."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
import sqlalchemy as sa

from operations.deployment.rollout import ENDED, RolloutState
from operations.outbox import MAIL, Notice, NoticeKind, Urgency
from storage import gauges, schema
from storage.database import Database
from storage.gauges import Backlog
from storage.schema import METADATA
from storage.statements import Statement
from tests.contract.databases import add_rollout
from tests.contract.test_storage_alerts import add as add_alert
from tests.factories import NOON
from tests.unit.operations.monitoring.lookouts import make_check

pytest_plugins = ("tests.contract.database_fixtures",)

MINUTE = timedelta(minutes=1)


async def test_rollouts_are_counted_in_each_state(database: Database) -> None:
    for number, state in enumerate(RolloutState):
        await add_rollout(database, project=f"p{number}", state=state)
    await add_rollout(database, project="more", state=RolloutState.FAILED)

    figures = await database.gauges.read([], NOON)

    assert figures.rollouts == {
        state.value: 2 if state is RolloutState.FAILED else 1 for state in RolloutState
    }


async def test_the_queue_says_who_has_waited_longest(database: Database) -> None:
    await add_rollout(database, project="one", requested_at=NOON)
    await add_rollout(database, project="two", requested_at=NOON - MINUTE)
    await add_rollout(
        database,
        project="three",
        state=RolloutState.PENDING_APPROVAL,
        requested_at=NOON - 2 * MINUTE,
    )

    assert (await database.gauges.read([], NOON)).queue == Backlog(2, NOON - MINUTE)


async def test_each_route_has_its_own_backlog(database: Database) -> None:
    async with database.store.transaction() as tx:
        for minutes, (subject, route) in enumerate(
            [("D-1", "slack"), ("D-2", "slack"), ("D-1", MAIL)]
        ):
            notice = Notice(
                subject=subject,
                kind=NoticeKind.CARD,
                channel="C01GEN",
                urgency=Urgency.FINAL,
                route=route,
            )
            await tx.notices.put(notice, NOON + minutes * MINUTE)
    (told,) = await database.notice_queue.claim("bot", NOON, NOON + MINUTE, limit=1)
    await database.notice_queue.delivered(told, None)

    assert (await database.gauges.read([], NOON)).outbox == {
        "slack": Backlog(1, NOON + MINUTE),
        "mail": Backlog(1, NOON + 2 * MINUTE),
    }


async def test_a_check_that_is_due_is_late_unless_it_is_no_longer_configured(
    database: Database,
) -> None:
    checks = [make_check(name="web"), make_check(name="gone")]
    await database.check_queue.schedule(checks, NOON)

    figures = await database.gauges.read([checks[0].id], NOON + timedelta(days=3650))

    assert figures.late_checks.number == 1
    assert figures.late_checks.since is not None
    assert figures.late_checks.since >= NOON
    assert (await database.gauges.read([checks[0].id], NOON)).late_checks == Backlog()


async def test_open_alerts_are_counted_by_state(database: Database) -> None:
    await add_alert(database, check_id="one")
    await add_alert(database, check_id="two")

    assert (await database.gauges.read([], NOON)).alerts == {"firing": 2}


async def test_an_empty_database_has_nothing_waiting(database: Database) -> None:
    figures = await database.gauges.read(["myapp/prod:web"], NOON)

    assert not figures.rollouts
    assert not figures.outbox
    assert not figures.alerts
    assert figures.queue == figures.late_checks == Backlog()


def test_the_index_of_the_ended_names_every_state_that_is_not_one() -> None:
    named = {state for state in RolloutState if f"'{state.value}'" in schema.ENDED}

    assert named == set(RolloutState) - ENDED


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (gauges._WAITING, "waiting_rollouts"),
        (gauges._ACTIVE, "one_active_rollout"),
        (gauges._ENDED, "COVERING INDEX ended_rollouts"),
        (gauges._OUTBOX, "undelivered_notices"),
        (gauges._LATE, "due_checks"),
        (gauges._ALERTS, "open_alerts"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_no_count_reads_a_whole_table(statement: Statement, index: str) -> None:
    raw = sqlite3.connect(":memory:")
    engine = sa.create_engine("sqlite://", creator=lambda: raw, poolclass=sa.pool.StaticPool)
    METADATA.create_all(engine)
    compiled = statement.compiled("sqlite")
    values = ["[]" if name == "ids" else 1 for name in compiled.names]

    plan = raw.execute(f"EXPLAIN QUERY PLAN {compiled.text}", values).fetchall()

    engine.dispose()
    raw.close()
    assert index in " · ".join(step[3] for step in plan), plan
