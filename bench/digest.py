"""How long a digest of a large installation takes: 200 projects, with two weeks of everything in the tables.

The tables are filled by Python's sqlite3 with made-up rows of the shapes that the product writes. What is
measured is what production does when a digest is due: read, count, store with its notice, draw Slack's
message, and paint the chart in its process. Only Slack itself is left out.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.figures import Figure, Floor, Topic, at_most, median
from handlers.slack.views.digest import DigestCard, chart_block, draw
from operations.actor import Actor, ActorKind
from operations.monitoring.check import Check, CheckKind
from operations.monitoring.digest.digests import Digests
from operations.monitoring.digest.span import Plan
from providers.chart import ChartPainter
from storage.database import Database, open_database
from storage.rows import from_time
from storage.schema import METADATA

_PROJECTS, _GROUPS, _ROLLOUTS, _CHECKS, _DAYS = 200, 50_000, 2000, 1000, 14
_HOURS_OF_GROUP, _FLIPS_OF_CHECK, _ALERTS = 20, 20, 500
_ROUNDS = 5
_LIMIT_SECONDS = 3.0
_TICK = 0.005
_HOUR = timedelta(hours=1)
_ASKER = Actor(id="U01ALICE", kind=ActorKind.SLACK, name="alice")
_DUE = datetime(2026, 11, 24, 9, tzinfo=UTC)
_PLAN = Plan("C02OPS", _DUE.time(), ZoneInfo("Europe/London"))
_FLOOR_SQL = (
    "SELECT project, hour, sum(count) FROM target_hours WHERE hour >= ? AND hour < ? GROUP BY 1, 2"
)
Row = dict[str, object]


@dataclass(slots=True)
class FrozenClock:
    """The moment at which the digest is due; each round is a day later."""

    time: datetime

    def now(self) -> datetime:
        """As it was set."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """As long as asked."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of one digest, of its chart within them, and the longest that the event loop was held."""

    whole: float
    chart: float
    held: float


async def measure() -> list[Figure]:
    """Several digests over the same tables; the first of them is left out."""
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as directory:
        path = Path(directory) / "digest.db"
        async with await open_database(f"sqlite:///{path}") as database:
            await asyncio.to_thread(_fill, path)
            rounds = [await _round(database, number) for number in range(_ROUNDS + 1)][1:]
        bare = await asyncio.to_thread(_read_bare, path)
    return _figures(rounds, bare)


async def _round(database: Database, number: int) -> Round:
    clock = FrozenClock(_DUE - timedelta(minutes=number))
    checks = [_check(n) for n in range(_CHECKS)]
    digests = Digests(plan=_PLAN, checks=checks, store=database.store, clock=clock)
    painter = ChartPainter()
    longest = [0.0]
    async with asyncio.TaskGroup() as group:
        ticker = group.create_task(_watch_loop(longest), name="ticker")
        begun = time.perf_counter()
        stored = await digests.post_now(_ASKER)
        report = await digests.show(stored.id)
        painted = time.perf_counter()
        picture = await painter.paint(stored.digest)
        chart = time.perf_counter() - painted
        block = chart_block("F01", stored.digest)
        card = draw(DigestCard(report=report, now=clock.now(), chart=block))
        whole = time.perf_counter() - begun
        ticker.cancel()
    _check_result(stored.digest.errors.count, len(stored.digest.uptimes), len(card.blocks))
    if not picture:
        raise RuntimeError("the chart is empty")
    return Round(whole, chart, longest[0])


def _check_result(errors: int, uptimes: int, blocks: int) -> None:
    if not (errors and uptimes == _CHECKS and blocks > 20):
        raise RuntimeError(f"this digest lacks something: {errors}, {uptimes}, {blocks}")


async def _watch_loop(longest: list[float]) -> None:
    """How much later than asked the loop lets a sleeper go on."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(_TICK)
        longest[0] = max(longest[0], time.perf_counter() - begun - _TICK)


def _figures(rounds: Sequence[Round], bare: float) -> list[Figure]:
    whole = median([each.whole for each in rounds])
    chart = median([each.chart for each in rounds])
    held = 1000 * max(each.held for each in rounds)
    note = (
        f"median of {_ROUNDS}; {_GROUPS:,} groups with {_GROUPS * _HOURS_OF_GROUP:,} hours, "
        f"{_ROLLOUTS:,} rollouts, {_CHECKS:,} checks with {_CHECKS * _FLIPS_OF_CHECK:,} flips in "
        f"{_DAYS} days; {chart:.2f} s of it the chart; the event loop was held for {held:.0f} ms at most"
    )
    return [
        Figure(
            topic=Topic.DIGEST,
            name=f"Digest of {_PROJECTS} projects: made, stored, drawn",
            value=whole,
            unit="s",
            limit=at_most(_LIMIT_SECONDS, f"at most {_LIMIT_SECONDS:g} s"),
            floor=Floor(bare, "its three days of hours read by sqlite3 alone"),
            note=note,
        )
    ]


def _read_bare(path: Path) -> float:
    with closing(sqlite3.connect(path)) as raw:
        begun = time.perf_counter()
        for days in (0, 1, 7):
            until = _DUE - timedelta(days=days)
            ends = (from_time(until - 24 * _HOUR), from_time(until))
            raw.execute(_FLOOR_SQL, ends).fetchall()
        return time.perf_counter() - begun


def _check(number: int) -> Check:
    project = f"project-{number % _PROJECTS}"
    name = f"check-{number}"
    return Check(
        id=f"{project}/prod:{name}",
        name=name,
        project=project,
        environment="prod",
        kind=CheckKind.HTTP,
    )


def _fill(path: Path) -> None:
    """The same rows each time."""
    chance = random.Random(7)  # noqa: S311 - made-up rows, no secrets
    with closing(sqlite3.connect(path)) as raw:
        for table, rows in (
            ("target_hours", _target_hours(chance)),
            ("error_groups", _groups(chance)),
            ("error_hours", _group_hours(chance)),
            ("rollouts", _rollouts(chance)),
            ("checks", _checks()),
            ("flips", _flips(chance)),
            ("alerts", _alerts(chance)),
        ):
            _insert(raw, table, rows)
        raw.commit()


def _insert(raw: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Columns that are not given are empty: "" or 0, and nothing where there may be nothing."""
    columns = [c for c in METADATA.tables[table].columns]
    empty: Row = {
        c.name: None if c.nullable else "" if c.type.python_type is str else 0 for c in columns
    }
    names = [c.name for c in columns if c.name != "id" or table in {"error_groups", "checks"}]
    places = ", ".join(f":{name}" for name in names)
    raw.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})",  # noqa: S608 - our own names
        ({**empty, **row} for row in rows),
    )


def _place(number: int) -> Row:
    return {"project": f"project-{number % _PROJECTS}", "environment": "prod"}


def _target_hours(chance: random.Random) -> Iterator[Row]:
    for project in range(_PROJECTS):
        for hour in range(24 * _DAYS):
            at = from_time(_DUE - hour * _HOUR)
            yield {**_place(project), "hour": at, "count": chance.randrange(200)}


def _groups(chance: random.Random) -> Iterator[Row]:
    for number in range(1, _GROUPS + 1):
        first = _DUE - chance.random() * _DAYS * timedelta(days=1)
        yield {
            **_place(number),
            "id": number,
            "fingerprint": f"f{number}",
            "title": f"TimeoutError: service {number} did not answer",
            "level": "error",
            "state": "open" if number % 5 else "resolved",
            "revision": 1,
            "count": 10,
            "first_seen": from_time(first),
            "last_seen": from_time(_DUE - chance.random() * (_DUE - first)),
            "rank": chance.random() * 1000,
        }


def _group_hours(chance: random.Random) -> Iterator[Row]:
    for number in range(1, _GROUPS + 1):
        for hour in chance.sample(range(24 * _DAYS), _HOURS_OF_GROUP):
            at = from_time(_DUE - hour * _HOUR)
            yield {"group_id": number, "hour": at, "count": chance.randrange(1, 50)}


def _rollouts(chance: random.Random) -> Iterator[Row]:
    for number in range(_ROLLOUTS):
        at = from_time(_DUE - chance.random() * _DAYS * timedelta(days=1))
        yield {
            **_place(number),
            "state": "succeeded" if number % 10 else "failed",
            "version": f"1.{number}",
            "requested_at": at,
            "started_at": at,
            "ended_at": at,
            "outcome": "made up",
            "warnings": "[]",
            "steps": "[]",
        }


def _checks() -> Iterator[Row]:
    seen = {"outcome": "ok", "at": from_time(_DUE), "detail": "answered 200", "took": 1000}
    for number in range(_CHECKS):
        yield {
            "id": _check(number).id,
            "state": "ok",
            "flips": "[]",
            "last": json.dumps(seen),
            "due_at": from_time(_DUE),
        }


def _flips(chance: random.Random) -> Iterator[Row]:
    for number in range(_CHECKS):
        times = sorted(chance.random() * _DAYS for _ in range(_FLIPS_OF_CHECK))
        for turn, days in enumerate(times):
            old, new = ("ok", "failing") if turn % 2 == 0 else ("failing", "ok")
            at = from_time(_DUE - (_DAYS - days) * timedelta(days=1))
            yield {"check_id": _check(number).id, "old": old, "new": new, "at": at}


def _alerts(chance: random.Random) -> Iterator[Row]:
    for number in range(_ALERTS):
        at = _DUE - chance.random() * _DAYS * timedelta(days=1)
        ended = at + chance.random() * _HOUR if number % 10 else None
        yield {
            **_place(number),
            "check_id": f"check {number}",
            "name": "web",
            "state": "resolved" if ended else "firing",
            "since": from_time(at),
            "fired_at": from_time(at),
            "resolved_at": from_time(ended) if ended else None,
            "escalated_to": "[]",
        }
