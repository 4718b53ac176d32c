"""`db`: what a person reads who has put a backup back, at an hour when short is kind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handlers.cli import build_app
from handlers.cli.orders import BackupOrder, RestoredOrder
from operations.deployment.aftermath import Settled
from operations.errors import Refused
from tests.fakes_cli import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(path=tmp_path)


def test_it_says_which_numbers_go_on_where_and_what_will_not_start(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")

    result = shop.run("db restored --by 500")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Numbers go on higher: the next rollout is D-1502, the next alert A-501.",
        "Waited in the backup, and will not start (1):",
        "  D-1001  myapp 1.1 → prod",
        "  They have expired. Ask again for what is still wanted.",
        "Start the bot now. Their cards say so then.",
    ]
    assert "restored from a backup in which this waited" in shop.run("show D-1001").stdout


def test_where_nothing_waited_it_says_so(shop: Shop) -> None:
    assert shop.run("db restored").stdout.splitlines() == [
        "Numbers go on higher: the next rollout is D-2001, the next alert A-1001.",
        "Nothing waited or was under way in the backup.",
        "Start the bot now.",
    ]


def test_in_json_it_is_one_document(shop: Shop) -> None:
    shop.run("deploy myapp prod 1.1 --no-wait")

    document = json.loads(shop.run("db restored --json").stdout)

    assert document == {
        "numbers": {
            "rollouts": 2002,
            "alerts": 1001,
            "error_groups": 1001,
            "digests": 1001,
            "deliveries": 100_001,
        },
        "expired": ["D-1001"],
        "unknown": [],
    }


@pytest.mark.parametrize("by", ["0", "-5", "many", "1000001"])
def test_a_margin_that_is_none_is_refused(shop: Shop, by: str) -> None:
    assert shop.run(f"db restored --by {by}").exit_code == 2
    assert shop.opened == 0


def test_a_refusal_says_why_and_ends_with_its_code(shop: Shop) -> None:
    async def refuse(order: RestoredOrder) -> Settled:
        raise Refused("Another process has the database open.", hint="Stop every bot of it.")

    hooks = replace(shop.hooks(), db_restored=refuse)
    result = CliRunner().invoke(build_app(hooks), ["db", "restored"])

    assert result.exit_code == 3
    assert result.stderr == "Another process has the database open.\nStop every bot of it.\n"


def test_backup_takes_the_file_that_is_named(shop: Shop) -> None:
    asked: list[BackupOrder] = []

    async def note(order: BackupOrder) -> int:
        asked.append(order)
        return 0

    hooks = replace(shop.hooks(), db_backup=note)
    assert CliRunner().invoke(build_app(hooks), ["db", "backup", "b.db"]).exit_code == 0
    assert asked == [BackupOrder(target="b.db")]
