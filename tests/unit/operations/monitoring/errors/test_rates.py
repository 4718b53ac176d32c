"""Checks of error rates: failing with too many errors, well with none, and never guessed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from operations.errors import StorageUnavailable
from operations.monitoring.check import Check, CheckKind, Outcome
from operations.monitoring.errors.group import ErrorCount
from operations.monitoring.errors.rates import ErrorRates, RateProber
from tests.unit.operations.monitoring.errors.logbook import (
    MINUTE,
    Logbook,
    make_event,
    open_logbook,
)
from tests.unit.operations.monitoring.lookouts import ScriptedProber, make_check

RATE = make_check(
    id="myapp/prod:errors", kind=CheckKind.ERROR_RATE, url="", limit=3, span=5 * MINUTE
)


@pytest_asyncio.fixture
async def book(tmp_path: Path) -> AsyncIterator[Logbook]:
    async with open_logbook(tmp_path) as opened:
        yield opened


async def ask(
    book: Logbook, check: Check = RATE, rates: ErrorRates | None = None
) -> tuple[Outcome, str]:
    inner = ScriptedProber(book.clock)
    inner.script(make_check(), "failing:answered 503")
    found = await RateProber(inner, rates or book.triage, book.clock).ask(check)
    return found.outcome, found.detail


async def test_a_target_that_says_nothing_has_no_errors(book: Logbook) -> None:
    assert await ask(book) == (Outcome.OK, "0 errors in 5 m")


@pytest.mark.parametrize(
    ("number", "outcome"), [(1, Outcome.OK), (3, Outcome.OK), (4, Outcome.FAILING)]
)
async def test_more_than_the_limit_is_failing(book: Logbook, number: int, outcome: Outcome) -> None:
    await book.take(*[make_event()] * number)

    assert (await ask(book))[0] is outcome


async def test_it_is_said_how_many_and_which_most_often(book: Logbook) -> None:
    await book.take(make_event(message="rare"), *[make_event()] * 811)

    outcome, detail = await ask(book)
    assert outcome is Outcome.FAILING
    often = next(group for group in await book.groups() if group.count == 811)
    assert detail == f"812 errors in 5 m, most often {often.label}: TimeoutError: no answer"


async def test_errors_of_before_count_no_more(book: Logbook) -> None:
    await book.take(*[make_event()] * 9)
    book.clock.time += 6 * MINUTE

    assert (await ask(book))[0] is Outcome.OK


async def test_a_steady_rate_reads_the_same_at_any_second_of_a_minute(book: Logbook) -> None:
    check = make_check(
        id="myapp/prod:errors", kind=CheckKind.ERROR_RATE, url="", limit=12, span=MINUTE
    )
    found = []
    for _ in range(25):
        book.clock.time += timedelta(seconds=6)
        await book.take(make_event(at=book.clock.time))
        found.append((await ask(book, check))[0])

    assert set(found) == {Outcome.OK}


async def test_what_is_no_error_and_what_is_elsewhere_does_not_count(book: Logbook) -> None:
    await book.take(*[make_event(environment="staging")] * 9)

    assert await ask(book) == (Outcome.OK, "0 errors in 5 m")


async def test_a_database_that_does_not_answer_is_no_failure_of_the_target(book: Logbook) -> None:
    class Down:
        async def count(self, project: str, environment: str, span: timedelta) -> ErrorCount:
            raise StorageUnavailable("down")

    assert (await ask(book, rates=Down()))[0] is Outcome.INCONCLUSIVE


async def test_every_other_check_is_asked_as_ever(book: Logbook) -> None:
    assert await ask(book, make_check()) == (Outcome.FAILING, "answered 503")
