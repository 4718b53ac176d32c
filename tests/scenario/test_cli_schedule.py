"""`deploy --at` in a terminal: accepted at once, waited for on demand."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.factories import OLD
from tests.fakes_cli import LateClock, Shop
from tests.fakes_deployment import ScriptedProvider


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(path=tmp_path, provider=ScriptedProvider())


def test_it_returns_once_it_is_accepted_and_says_when_it_starts(shop: Shop) -> None:
    done = shop.run("deploy myapp staging 1.1 --at 2h --json")

    document = json.loads(done.stdout)
    assert (done.exit_code, document["state"]) == (0, "queued")
    assert document["start_at"] is not None
    assert "It starts at" in done.stderr
    assert "(UTC), by a bot that runs then, or here: `hms-sys show D-1001 --wait`." in done.stderr
    assert "Scheduled: myapp 1.1 → staging" in done.stderr


def test_history_and_show_say_when(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1 --at 2h")

    assert " At 20" in shop.run("history").stdout
    assert "To start at 20" in shop.run("show D-1001").stdout


def test_waiting_for_it_carries_it_out_at_its_time(shop: Shop) -> None:
    shop.run("deploy myapp staging 1.1 --at 2h")
    shop.clock = LateClock(timedelta(hours=2))

    done = shop.run("show D-1001 --wait")

    assert done.exit_code == 0
    assert "Live: myapp 1.1 → staging" in done.stdout


def test_waiting_for_it_hours_late_ships_nothing(shop: Shop) -> None:
    provider = ScriptedProvider()
    shop.provider = provider
    shop.run("deploy myapp staging 1.1 --at 2h")
    shop.clock = LateClock(timedelta(hours=4))

    done = shop.run("show D-1001 --wait")

    assert done.exit_code == 3
    assert "Expired: myapp 1.1 → staging" in done.stdout
    assert provider.serving == OLD.artifact


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--at soon", "“soon” is no time to start at."),
        ("--at 2020-01-01T00:00Z", "01 Jan 2020 00:00 (UTC) is over."),
        ("--at 30d", "is too far away."),
    ],
)
def test_a_time_that_cannot_be_is_bad_usage(shop: Shop, words: str, why: str) -> None:
    done = shop.run(f"deploy myapp staging 1.1 {words}")

    assert done.exit_code == 2
    assert why in done.stderr


def test_a_dry_run_looks_at_the_moment_it_is_to_start(shop: Shop) -> None:
    done = shop.run("deploy myapp staging 1.1 --at 2h --dry-run")

    assert done.exit_code == 0
    assert "It would start at" in done.stdout
    assert "Nothing was changed." in done.stdout
