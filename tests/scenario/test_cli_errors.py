"""errors in a terminal: a table, one group in full, documents and exit codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from operations.monitoring.errors.past import PastErrors, reach_of
from tests.central_log import CentralLog, open_log
from tests.contract.test_storage_imports import old_error
from tests.error_groups import STACK
from tests.factories import BOB, NOBODY
from tests.fakes_cli import Shop
from tests.workshops import open_engine

BUG = "TypeError: unsupported operand"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """E-1 and E-2 on myapp/prod, E-3 on myapp/staging."""
    shop = Shop(path=tmp_path)

    async def three(log: CentralLog) -> None:
        await log.fail(BUG, times=7, fields={"stack": STACK, "order": "4711"})
        await log.fail("KeyError: 'discount'", times=5)
        await log.fail("no route to host", environment="staging")

    _log(shop, three)
    return shop


def _log(shop: Shop, work: Callable[[CentralLog], Awaitable[object]]) -> None:
    """As a bot on the same database would."""

    async def done() -> None:
        async with (
            open_engine(shop.path) as engine,
            open_log(engine.database, engine.deployments.inquiries, engine.clock) as log,
        ):
            await work(log)

    asyncio.run(done())


def test_a_table_of_a_days_errors(shop: Shop) -> None:
    result = shop.run("errors")
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["Id", "Where", "Level", "Count", "Last", "24", "h", "Title"]
    assert [row.split()[:4] for row in rows] == [
        ["E-1", "myapp/prod", "error", "7"],
        ["E-2", "myapp/prod", "error", "5"],
        ["E-3", "myapp/staging", "error", "1"],
    ]
    assert rows[1].rstrip().endswith("▁▁▁█  KeyError: 'discount'")
    assert result.stderr == ""


def test_a_few_of_them_and_that_there_are_more(shop: Shop) -> None:
    result = shop.run("errors 1 MYAPP prod --since 2h --newest")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    assert "There are more: `hms-sys errors 2 myapp prod --since 2h --newest`." in result.stderr


def test_what_was_imported_is_marked(tmp_path: Path) -> None:
    shop = Shop(path=tmp_path)

    async def bring() -> None:
        async with open_engine(tmp_path) as engine:
            now = engine.clock.now()
            reach = reach_of(now, *(timedelta(days=days) for days in (7, 30, 365)))
            past = PastErrors(engine.database.store, reach)
            await past.add([old_error(1, now - timedelta(hours=2))])

    asyncio.run(bring())

    assert "1, imported" in shop.run("errors").stdout
    text = shop.run("errors E-1").stdout
    assert "once, imported, 0 of them in the last 24 h" in text
    assert "hms-ops" in text
    assert json.loads(shop.run("errors --json").stdout)["groups"][0]["imported"] == 1


def test_json_is_one_document(shop: Shop) -> None:
    result = shop.run("errors 2 --json")
    assert result.exit_code == 0
    groups = json.loads(result.stdout)["groups"]
    assert [one["id"] for one in groups] == ["E-1", "E-2"]
    assert "There are more" in result.stderr


def test_that_nothing_was_found_is_no_failure(tmp_path: Path) -> None:
    shop = Shop(path=tmp_path)
    result = shop.run("errors myapp prod")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No open errors of myapp/prod in the last 24 h." in result.stderr
    assert json.loads(shop.run("errors --json").stdout) == {"groups": []}


def test_one_group_in_full(shop: Shop) -> None:
    result = shop.run("errors E-1")
    assert result.exit_code == 0
    said = result.stdout
    assert said.startswith("E-1 TypeError: unsupported operand")
    assert "Open · error · myapp/prod" in said
    assert "7 times, 7 of them in the last 24 h  " + "▁" * 23 + "█" in said
    assert "s ago)" in said
    assert "What changed before it began: nothing that HMS-SYS knows of." in said
    assert "  order: 4711" in said
    assert "  | TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'" in said


def test_one_group_json_has_its_samples(shop: Shop) -> None:
    [found] = json.loads(shop.run("errors e-1 --json").stdout)["groups"]
    assert (found["id"], found["samples"][0]["source"]) == ("E-1", "pods")
    assert found["changes"] == []


def test_what_became_of_a_group_is_told(shop: Shop) -> None:
    async def act(log: CentralLog) -> None:
        await log.triage.silence(1, BOB, timedelta(hours=1))
        await log.triage.resolve(2, BOB)

    _log(shop, act)
    silenced = shop.run("errors E-1").stdout
    assert "Silenced until" in silenced
    assert "by bob" in silenced
    assert "Resolved by bob" in shop.run("errors E-2").stdout
    assert "E-2" not in shop.run("errors").stdout


def test_a_hostile_title_stays_on_its_line(tmp_path: Path) -> None:
    shop = Shop(path=tmp_path)
    title = "a\nE-99 myapp/prod [red]x[/red] `errors E-1` <@U02BOB>"
    _log(shop, lambda log: log.fail(title))
    said = shop.run("errors").stdout
    assert "E-99 myapp/prod" not in [line[:15] for line in said.splitlines()]
    assert len(said.splitlines()) == 2
    assert "a E-99 myapp/prod [red]x[/red] `errors E-1` <@U02BOB>" in shop.run("errors E-1").stdout


def test_anybody_may_look(shop: Shop) -> None:
    assert shop.run("errors", actor=NOBODY).exit_code == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("errors E-99", "There is no error E-99."),
        ("errors myap", "Did you mean “myapp”?"),
        ("errors myapp prdo", "Did you mean “prod”?"),
        ("errors 0", "Say `hms-sys errors 20`."),
        ("errors E-12 myapp", "Say `hms-sys errors E-12`."),
    ],
)
def test_words_that_make_no_sense_exit_2(shop: Shop, line: str, told: str) -> None:
    result = shop.run(line)
    assert result.exit_code == 2
    assert told in result.stderr
