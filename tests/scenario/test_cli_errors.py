"""errors in a terminal: a table, one group in full, documents and exit codes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import SystemClock
from operations.monitoring.errors.group import GroupState
from tests.error_groups import STACK, make_change, make_sample
from tests.factories import BOB, NOBODY
from tests.fakes_cli import Shop
from tests.fakes_errors import ScriptedTriage
from tests.scenario.test_errors import group


@pytest.fixture
def triage() -> ScriptedTriage:
    """E-12 and E-13 on myapp/prod, E-14 on myapp/staging."""
    log = ScriptedTriage(SystemClock())
    log.put([group(12), group(13, count=5, title="KeyError:\n'discount'")])
    log.put([group(14, environment="staging", count=2)])
    log.samples.append(make_sample())
    log.changes.append(make_change())
    return log


@pytest.fixture
def shop(tmp_path: Path, triage: ScriptedTriage) -> Shop:
    """A command line whose log has errors."""
    return Shop(path=tmp_path, triage=triage)


def test_a_table_of_a_days_errors(shop: Shop) -> None:
    result = shop.run("errors")
    assert result.exit_code == 0
    head, *rows = result.stdout.splitlines()
    assert head.split() == ["Id", "Where", "Level", "Count", "Last", "24", "h", "Title"]
    assert [row.split()[:4] for row in rows] == [
        ["E-12", "myapp/prod", "error", "812"],
        ["E-13", "myapp/prod", "error", "5"],
        ["E-14", "myapp/staging", "error", "2"],
    ]
    assert rows[1].rstrip().endswith("▁▁▁▁  KeyError: 'discount'")
    assert result.stderr == ""


def test_a_few_of_them_and_that_there_are_more(shop: Shop) -> None:
    result = shop.run("errors 1 MYAPP prod --since 2h --newest")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    assert "There are more: `hms-sys errors 2 myapp prod --since 2h --newest`." in result.stderr


def test_json_is_one_document(shop: Shop) -> None:
    result = shop.run("errors 2 --json")
    assert result.exit_code == 0
    groups = json.loads(result.stdout)["groups"]
    assert [one["id"] for one in groups] == ["E-12", "E-13"]
    assert "There are more" in result.stderr


def test_that_nothing_was_found_is_no_failure(shop: Shop, triage: ScriptedTriage) -> None:
    triage.groups.clear()
    result = shop.run("errors myapp prod")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No open errors of myapp/prod in the last 24 h." in result.stderr
    assert json.loads(shop.run("errors --json").stdout) == {"groups": []}


def test_one_group_in_full(shop: Shop) -> None:
    result = shop.run("errors E-12")
    assert result.exit_code == 0
    said = result.stdout
    assert said.startswith("E-12 TypeError: unsupported operand")
    assert "Open · error · myapp/prod" in said
    assert "812 times, 0 of them in the last 24 h  " + "▁" * 24 in said
    assert "(1 h ago) under 1.4.2" in said
    assert "D-1042  D-1042 shipped 1.4.2" in said
    assert "  order: 4711" in said
    assert all(f"  | {line}" in said for line in STACK.splitlines())


def test_one_group_json_has_its_samples(shop: Shop) -> None:
    [found] = json.loads(shop.run("errors e-12 --json").stdout)["groups"]
    assert (found["id"], found["samples"][0]["source"]) == ("E-12", "pods")
    assert found["changes"][0]["subject"] == "D-1042"


def test_what_became_of_a_group_is_told(shop: Shop, triage: ScriptedTriage) -> None:
    now = SystemClock().now()
    triage.put(
        [
            group(12, silenced_by=BOB, silenced_until=now + timedelta(hours=1)),
            group(13, state=GroupState.RESOLVED, resolved_by=BOB, resolved_at=now),
            group(14, resolved_by=BOB, resolved_at=now - timedelta(days=1), rollout="D-7"),
        ]
    )
    assert "Silenced until" in shop.run("errors E-12").stdout
    assert "Resolved by bob" in shop.run("errors E-13").stdout
    assert "Open, came back after D-7" in shop.run("errors E-14").stdout


def test_a_hostile_title_stays_on_its_line(shop: Shop, triage: ScriptedTriage) -> None:
    triage.put([group(12, title="a\nE-99 myapp/prod [red]x[/red] `errors E-1` <@U02BOB>")])
    for line in ("errors", "errors E-12"):
        said = shop.run(line).stdout
        assert "a E-99 myapp/prod [red]x[/red] `errors E-1` <@U02BOB>" in said


def test_anybody_may_look(shop: Shop) -> None:
    assert shop.run("errors", actor=NOBODY).exit_code == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("errors E-99", "There is no error group E-99."),
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
