"""SQLite takes a partial index only for a rule in its very words, which the compiler must not change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from operations.monitoring.alert import OPEN_STATES, AlertState
from operations.monitoring.errors.group import Order
from storage import (
    alert_pages,
    alerts,
    check_queue,
    digest_sources,
    error_groups,
    error_purges,
    events,
    fall_back_queue,
    history,
    imports,
    notice_queue,
    past_rollouts,
    rollout_queue,
    rollouts,
    standings,
)
from storage.schema import METADATA
from storage.statements import Statement

_TARGET = frozenset({"project", "environment"})
_JSON = {"keys", "places", "ids", "closed", "unreadable", "fingerprints"}


@pytest.fixture
def embedded() -> Iterator[sqlite3.Connection]:
    """The tables, empty and in memory."""
    raw = sqlite3.connect(":memory:")
    engine = sa.create_engine("sqlite://", creator=lambda: raw, poolclass=sa.pool.StaticPool)
    METADATA.create_all(engine)
    yield raw
    engine.dispose()
    raw.close()


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (rollouts._ACTIVE, "one_active_rollout"),
        (standings.ACTIVE_ONES, "one_active_rollout"),
        (standings.LIVE_ONES, "rollouts_of_target"),
        (rollouts._WAITING, "waiting_rollouts"),
        (rollout_queue._PICK_ANY, "working_rollouts"),
        (rollouts._QUEUED, "working_rollouts"),
        (rollouts._MISSED, "working_rollouts"),
        (history._search(frozenset({"unreviewed", "before"})), "unreviewed_rollouts"),
        (history._search(frozenset({"external_id"})), "rollouts_by_external_id"),
        (history._search(frozenset({"external_id", "before", "own"})), "rollouts_by_external_id"),
        (past_rollouts._OF_ALL, "rollouts_by_end"),
        (imports._KNOWN_AMONG, "one_import"),
        (notice_queue._PICK_DUE, "undelivered_notices"),
        (notice_queue._EARLIEST, "undelivered_notices"),
        (fall_back_queue._IS_DOWN, "undelivered_notices"),
        (fall_back_queue._PICK, "undelivered_notices"),
        (fall_back_queue._ROUTES, "undelivered_notices"),
        (check_queue._PICK, "due_checks"),
        (check_queue._EARLIEST, "due_checks"),
        (alerts._OPEN_FOR, "one_open_alert"),
        (alerts._OPEN_AT, "open_alerts"),
        (alerts._LED_BY, "led_alerts"),
        (alerts._OPEN, "open_alerts"),
        (alert_pages.page_of(frozenset(), OPEN_STATES), "open_alerts"),
        (alert_pages.page_of(frozenset(), frozenset({AlertState.FIRING})), "open_alerts"),
        (alert_pages.page_of(_TARGET, OPEN_STATES), "open_alerts"),
        (error_groups.SEARCHES[Order.WORST, False, False], "worst_groups"),
        (error_groups.SEARCHES[Order.NEWEST, False, False], "newest_groups"),
        (error_groups.SEARCHES[Order.WORST, True, False], "worst_groups_of_project"),
        (error_groups.SEARCHES[Order.WORST, True, True], "worst_groups_of_target"),
        (error_groups._HOLD_AMONG, "one_group"),
        (error_groups._BEGAN_AFTER, "groups_of_rollout"),
        (events._SAMPLES, "samples_of_group"),
        (error_purges.EVENTS_BEFORE, "events_by_time"),
        (error_purges.REACHED, "events_by_time"),
        (error_purges.SAMPLES_BEFORE, "samples_by_time"),
        (error_purges.HOURS_BEFORE, "error_hours_by_time"),
        (error_purges.MINUTES_BEFORE, "target_minutes_by_time"),
        (error_purges.BATCHES_BEFORE, "event_batches_by_time"),
        (error_purges.NEWCOMERS_BEFORE, "error_newcomers_by_time"),
        (digest_sources._NEW_GROUPS, "newest_groups"),
        (digest_sources._COUNT_NEW, "newest_groups"),
        (digest_sources._WORST_GROUPS, "worst_groups"),
        (digest_sources._ALERTS, "alerts_by_time"),
        (digest_sources._ROLLOUTS, "rollouts_by_end"),
        (digest_sources._UNREVIEWED, "unreviewed_rollouts"),
        (digest_sources._COUNT_UNREVIEWED, "unreviewed_rollouts"),
        (digest_sources._FLIPS, "flips_by_time"),
        (digest_sources._WATCH_CHANGES, "watch_changes"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_is_asked_often_goes_by_its_index(
    embedded: sqlite3.Connection, statement: Statement, index: str
) -> None:
    compiled = statement.compiled("sqlite")
    values = ["[]" if name in _JSON else 1 for name in compiled.names]

    plan = embedded.execute(f"EXPLAIN QUERY PLAN {compiled.text}", values).fetchall()

    steps = " · ".join(step[3] for step in plan)
    assert f"INDEX {index}" in steps, steps
