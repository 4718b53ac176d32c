"""monitor, ack and silence in a terminal: text, documents and exit codes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from operations.monitoring.check import Outcome
from tests.factories import BOB, NOBODY
from tests.fakes_cli import Shop
from tests.scenario.alarms import PLATFORM, WEB, ScriptedProber, make_watch
from tests.workshops import open_engine


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A page and the platform of myapp/prod are watched."""
    return Shop(path=tmp_path, checks=(WEB, PLATFORM))


def _ask(shop: Shop, outcome: Outcome, times: int, detail: str) -> None:
    """As a bot on the same database would."""

    async def asked() -> None:
        async with open_engine(shop.path) as engine:
            prober = ScriptedProber(engine.clock)
            prober.outcome, prober.detail = outcome, detail
            watch = make_watch(engine, (WEB, PLATFORM), prober)
            for _ in range(times):
                await watch.ask(WEB)

    asyncio.run(asked())


def _fail(shop: Shop, times: int = 3) -> None:
    _ask(shop, Outcome.FAILING, times, "answered 503, wanted 200")


def test_list_before_anything_was_asked(shop: Shop) -> None:
    result = shop.run("monitor list")
    assert result.exit_code == 0
    assert "web" in result.stdout
    assert "2 checks · 2 not asked yet" in result.stderr


def test_list_while_a_check_is_failing_exits_1(shop: Shop) -> None:
    _fail(shop)
    result = shop.run("monitor list myapp prod")
    assert result.exit_code == 1
    assert "answered 503, wanted 200" in result.stdout
    assert "A-1" in result.stdout
    assert "1 failing" in result.stderr


def test_too_few_misses_are_no_failure(shop: Shop) -> None:
    _fail(shop, 2)
    result = shop.run("monitor list")
    assert result.exit_code == 0
    assert "(2 of 3 misses)" in result.stdout


def test_list_json_is_one_document(shop: Shop) -> None:
    _fail(shop)
    result = shop.run("monitor list --json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    states = {check["name"]: check["state"] for check in document["checks"]}
    assert states == {"web": "failing", "target": "unknown"}
    assert document["checks"][0]["alert"]["id"] == "A-1"


def test_a_check_that_was_stopped_fails_no_more(shop: Shop) -> None:
    _fail(shop)
    stopped = shop.run("monitor stop myapp")
    assert stopped.exit_code == 0
    assert "myapp/prod web, myapp/prod target stopped" in stopped.stdout
    assert "`hms-sys monitor start myapp` undoes it." in stopped.stdout
    listed = shop.run("monitor list")
    assert listed.exit_code == 0
    assert "stopped by alice" in listed.stdout
    assert shop.run("monitor start").exit_code == 0
    assert shop.run("monitor list").exit_code == 1


def test_stop_json_tells_how_the_checks_are_now(shop: Shop) -> None:
    result = shop.run("monitor stop --json", actor=BOB)
    document = json.loads(result.stdout)
    assert {check["stopped_by"] for check in document["checks"]} == {BOB.id}
    assert "stopped" in result.stderr


def test_ack(shop: Shop) -> None:
    _fail(shop)
    result = shop.run("ack a-1")
    assert result.exit_code == 0
    assert "You look after A-1 now: web of myapp/prod." in result.stdout
    assert "alice looks after it" in shop.run("monitor list").stdout


def test_ack_after_somebody_else_is_refused_and_names_them(shop: Shop) -> None:
    _fail(shop)
    shop.run("ack A-1", actor=BOB)
    result = shop.run("ack A-1")
    assert result.exit_code == 3
    assert "bob looks after A-1 already." in result.stderr


def test_ack_json(shop: Shop) -> None:
    _fail(shop)
    document = json.loads(shop.run("ack A-1 --json").stdout)
    assert (document["state"], document["acknowledged_by"]) == ("acknowledged", "U01ALICE")


def test_silence(shop: Shop) -> None:
    _fail(shop)
    result = shop.run("silence A-1 1h")
    assert result.exit_code == 0
    assert "A-1 is silent until" in result.stdout
    document = json.loads(shop.run("silence A-1 2h --json").stdout)
    assert document["silenced_until"] is not None


def test_a_login_that_nobody_maps_may_look_and_not_act(shop: Shop) -> None:
    _fail(shop)
    assert shop.run("monitor list", actor=NOBODY).exit_code == 1
    for line in ("ack A-1", "silence A-1 1h", "monitor stop"):
        result = shop.run(line, actor=NOBODY)
        assert result.exit_code == 3
        assert "not mapped to a Slack user" in result.stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ack A-9", "There is no alert A-9."),
        ("ack D-9", "no alert's id"),
        ("monitor", "Say `hms-sys monitor list`"),
        ("monitor list site", "No check watches site."),
        ("silence A-1 31d", "30 days"),
    ],
)
def test_words_that_make_no_sense_exit_2(shop: Shop, line: str, told: str) -> None:
    _fail(shop)
    result = shop.run(line)
    assert result.exit_code == 2
    assert told in result.stderr


def test_without_any_check(tmp_path: Path) -> None:
    result = Shop(path=tmp_path).run("monitor list")
    assert result.exit_code == 2
    assert "`checks:`" in result.stderr


def test_status_names_the_alert_that_is_open_and_how_to_look_after_it(shop: Shop) -> None:
    _fail(shop)
    result = shop.run("status")
    assert result.exit_code == 0
    assert "healthy, A-1" in result.stdout
    assert "web of myapp/prod · `hms-sys ack A-1`" in result.stdout
    assert "A-1" not in shop.run("status myapp staging").stdout


def test_status_json_has_the_alerts_of_each_target(shop: Shop) -> None:
    _fail(shop)
    document = json.loads(shop.run("status --json").stdout)
    named = {
        each["environment"]: [a["name"] for a in each["alerts"]] for each in document["targets"]
    }
    assert named == {"staging": [], "prod": ["web"]}
