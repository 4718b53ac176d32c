"""What the process tells of itself, and when it says that nobody should rely on it."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.clock import SystemClock
from bot.lag import LoopLag
from bot.metrics import Metrics
from bot.vitals import Organs, Vitals
from handlers.http.metrics import metrics as metrics_route
from storage.database import Database
from tests.contract.databases import add_rollout, open_sqlite
from tests.slack_stand_in import listening

DOCUMENT = Path(__file__).parents[3] / "docs" / "operations.md"


class Ticks:
    """Monotonic seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Line:
    """A socket that is up or down."""

    def __init__(self, up: bool) -> None:
        self.up = up

    async def __call__(self) -> bool:
        return self.up


def make_vitals(database: Database, metrics: Metrics, line: Line | None = None) -> Vitals:
    organs = Organs(database=database, check_ids=[], is_connected=line, clock=SystemClock())
    return Vitals(organs, metrics)


@asynccontextmanager
async def a_database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await open_sqlite(tmp_path) as database:
        yield database


async def test_what_the_database_counts_is_served_with_the_rest(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        await add_rollout(database)
        text = (await make_vitals(database, Metrics()).scrape()).decode()

    assert "hms_database_up 1.0" in text
    assert 'hms_rollouts{state="queued"} 1.0' in text
    assert 'hms_rollouts{state="failed"} 0.0' in text
    assert "hms_rollout_queue_length 1.0" in text
    assert "process_resident_memory_bytes" in text
    assert "_created" not in text


async def test_without_the_database_the_rest_is_still_served(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        vitals = make_vitals(database, Metrics())
        assert b"hms_database_up 1.0" in await vitals.scrape()
    text = (await vitals.scrape()).decode()

    assert "hms_database_up 0.0" in text
    assert "hms_rollouts{" not in text
    assert "process_resident_memory_bytes" in text
    assert "hms_event_loop_lag_seconds_count" in text


@pytest.mark.parametrize(("line", "said"), [(True, "1.0"), (False, "0.0")])
async def test_the_socket_is_up_or_down(tmp_path: Path, line: bool, said: str) -> None:
    async with a_database(tmp_path) as database:
        text = (await make_vitals(database, Metrics(), Line(line)).scrape()).decode()

    assert f"\nhms_slack_socket_up {said}\n" in text


async def test_without_socket_mode_there_is_no_socket_to_tell_of(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        text = (await make_vitals(database, Metrics()).scrape()).decode()

    assert "hms_slack_socket_up" not in text


async def test_the_route_answers_in_prometheus_text_format(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        app = web.Application()
        metrics_route(make_vitals(database, Metrics()).scrape)(app)
        async with (
            listening(app) as url,
            aiohttp.ClientSession() as session,
            session.get(f"{url}/metrics") as answer,
        ):
            text = await answer.text()

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert text.startswith("# HELP hms_database_up")


async def test_all_is_well_when_everything_answers(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        assert await make_vitals(database, Metrics(), Line(True)).trouble() == ""


async def test_a_socket_that_is_down_is_trouble(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        trouble = await make_vitals(database, Metrics(), Line(False)).trouble()

    assert trouble == "the socket to Slack is not connected"


async def test_a_database_that_is_away_is_trouble(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        vitals = make_vitals(database, Metrics())

    assert await vitals.trouble() == "the database does not answer"


def test_a_loop_that_came_back_very_late_is_stuck_until_it_is_well_again() -> None:
    lag = LoopLag(Metrics(), SystemClock(), Ticks())

    lag.observe(6.0)
    assert lag.is_stuck()
    lag.observe(0.001)
    assert not lag.is_stuck()


def test_a_loop_that_is_not_measured_any_more_is_stuck() -> None:
    ticks = Ticks()
    lag = LoopLag(Metrics(), SystemClock(), ticks)
    lag.observe(0.0)

    ticks.now += 6.0

    assert lag.is_stuck()


def test_the_largest_lag_is_forgotten_after_a_minute() -> None:
    ticks, metrics = Ticks(), Metrics()
    lag = LoopLag(metrics, SystemClock(), ticks)
    lag.observe(2.0)
    ticks.now += 61.0
    lag.observe(0.25)

    assert lag.largest() == 0.25
    assert metrics.registry.get_sample_value("hms_event_loop_lag_max_seconds") == 0.25
    assert metrics.registry.get_sample_value("hms_event_loop_lag_seconds_count") == 2


async def test_a_blocked_loop_shows_as_lag() -> None:
    class Blocking(SystemClock):
        """Keeps the loop for longer than was asked; the second time it ends the measuring."""

        def __init__(self) -> None:
            self.slept = 0

        async def sleep(self, seconds: float) -> None:
            self.slept += 1
            if self.slept > 1:
                raise TimeoutError
            time.sleep(seconds + 0.1)  # noqa: ASYNC251 - blocking is what is measured

    lag = LoopLag(Metrics(), Blocking())
    with pytest.raises(TimeoutError):
        await lag.run()

    assert lag.largest() >= 0.1


def test_every_metric_stands_in_the_document_with_its_meaning() -> None:
    metrics = Metrics()
    metrics.watch_socket()
    known = {
        f"{family.name}_total" if family.type == "counter" else family.name: (
            f"{family.type} | {family.documentation}"
        )
        for family in metrics.registry.collect()
        if family.name.startswith("hms_")
    }

    written = dict(re.findall(r"^\| `(hms_\w+)` \| (.+) \|$", DOCUMENT.read_text(), re.M))

    assert written == known
