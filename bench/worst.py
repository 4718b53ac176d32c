"""How soon people read the worst 20 of 50,000 groups of errors, with ten million events in the table.

The tables are filled by SQLite itself. What is measured is what answers `/hms errors 20`, without Slack: the
groups, and each one's counts of 24 hours.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure, Floor, Topic, at_most, percentile
from operations.monitoring.errors.group import Change, GroupQuery, Order
from operations.monitoring.errors.ports import Running
from operations.monitoring.errors.tally import Target
from operations.monitoring.errors.triage import Triage
from storage.database import open_database
from storage.rows import from_time

_GROUPS, _EVENTS, _HOURS, _PROJECTS = 50_000, 10_000_000, 20, 20
_LISTED = 20
_TIMES = 400
_MOST_MS = 50.0
_NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)

_GROUP_ROWS = """
INSERT INTO error_groups (id, project, environment, fingerprint, title, level, state, revision, count,
    first_seen, last_seen, first_release, last_release, rank, rollout)
SELECT i, 'project-' || (i % :projects), 'prod', 'f' || i, 'TimeoutError: service ' || i || ' is away',
    'error', CASE WHEN i % 5 THEN 'open' ELSE 'resolved' END, 1, :events / :groups,
    :now - i * 2654435761 % 1000003 * 1000000, :now - i * 2654435761 % 1000003 * 80000, '1.0', '1.1',
    i * 2654435761 % 1000003 / 1000.0, ''
FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :groups) SELECT i FROM n)
"""
# The multiplication by a large prime scatters what would otherwise lie in order.
_HOUR_ROWS = """
INSERT INTO error_hours
SELECT i % :groups + 1, :now - i / :groups * 3600000000 - :now % 3600000000, 10
FROM (WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :groups * :hours - 1)
    SELECT i FROM n)
"""
_EVENT_ROWS = """
INSERT INTO events (at, project, environment, level, source, message, fields, group_id, size)
SELECT :now - i * 50000, 'project-' || (i % :projects), 'prod', 'error', 'api:ci', 'is away', '{}',
    i % :groups + 1, 120
FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :events) SELECT i FROM n)
"""


class NoReleases:
    """Nothing is known of any rollout; a list does not ask."""

    async def running(self, targets: Collection[Target]) -> Mapping[Target, Running]:
        """Nothing."""
        return {}

    async def changes(
        self, project: str, environment: str, since: datetime, until: datetime
    ) -> Sequence[Change]:
        """Nothing."""
        return ()


class StoppedClock:
    """Stands at the time up to which the tables were filled."""

    def now(self) -> datetime:
        """That time."""
        return _NOW

    async def sleep(self, seconds: float) -> None:
        """As long as asked."""
        await asyncio.sleep(seconds)


async def measure_worst() -> list[Figure]:
    """The 99th percentile over many lists, the first few left out."""
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as directory:
        path = Path(directory) / "errors.db"
        async with await open_database(f"sqlite:///{path}") as database:
            await asyncio.to_thread(_fill, path)
            triage = Triage(store=database.store, releases=NoReleases(), clock=StoppedClock())
            day = GroupQuery(since=_NOW - timedelta(days=1), limit=_LISTED)
            worst = await _time(triage, day)
            newest = await _time(triage, GroupQuery(order=Order.NEWEST, limit=_LISTED))
            project = await _time(triage, GroupQuery(project="project-7", limit=_LISTED))
        bare = await asyncio.to_thread(_list_bare, path)
    note = f"{_TIMES} lists; the newest: {newest:.1f} ms; one project's of {_PROJECTS}: {project:.1f} ms"
    return [
        Figure(
            topic=Topic.EVENTS,
            name=f"errors {_LISTED}: {_EVENTS:,} events in {_GROUPS:,} groups, 99th percentile",
            value=worst,
            unit="ms",
            limit=at_most(_MOST_MS, f"at most {_MOST_MS:.0f} ms"),
            floor=Floor(bare, "the groups alone by sqlite3"),
            note=note,
        )
    ]


async def _time(triage: Triage, query: GroupQuery) -> float:
    taken: list[float] = []
    for _ in range(_TIMES + 5):
        begun = time.perf_counter()
        reports = await triage.list(query)
        taken.append(1000 * (time.perf_counter() - begun))
        if len(reports) != _LISTED or not any(sum(report.hours) for report in reports):
            raise RuntimeError("this list lacks something")
    return percentile(taken[5:], 99)


def _fill(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        numbers = {
            "now": from_time(_NOW),
            "groups": _GROUPS,
            "events": _EVENTS,
            "hours": _HOURS,
            "projects": _PROJECTS,
        }
        for statement in (_GROUP_ROWS, _HOUR_ROWS, _EVENT_ROWS):
            raw.execute(statement, numbers)
        raw.commit()


def _list_bare(path: Path) -> float:
    query = "SELECT * FROM error_groups WHERE state = 'open' ORDER BY rank DESC LIMIT 20"
    taken: list[float] = []
    with closing(sqlite3.connect(path)) as raw:
        for _ in range(_TIMES):
            begun = time.perf_counter()
            raw.execute(query).fetchall()
            taken.append(1000 * (time.perf_counter() - begun))
    return percentile(taken, 99)
