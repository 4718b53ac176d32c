"""digest in a terminal: read by anybody, posted by a person, as text and as one document."""

from __future__ import annotations

import asyncio
import json
from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.clock import SystemClock
from operations.monitoring.digest.span import Plan
from tests.contract.databases import open_sqlite
from tests.error_groups import make_group
from tests.factories import NOBODY
from tests.fakes_cli import Shop
from tests.scenario.alarms import WEB

PLAN = Plan("C02OPS", time(9), ZoneInfo("Europe/London"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A command line over a log with one error group, seen three times an hour ago."""
    asyncio.run(_fill(tmp_path))
    return Shop(path=tmp_path, plan=PLAN, checks=[WEB])


async def _fill(path: Path) -> None:
    at = SystemClock().now() - timedelta(hours=1)
    group = make_group(id=0, title="KeyError:\n'discount'", first_seen=at, last_seen=at)
    async with await open_sqlite(path) as database, database.store.transaction() as tx:
        stored = await tx.groups.add(group)
        await tx.counts.count({stored.id: {at: 3}})
        await tx.counts.count_targets({("myapp", "prod"): {at: 3}})


def test_it_is_read_as_text(shop: Shop) -> None:
    result = shop.run("digest")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Digest: ")
    assert lines[0].endswith(" → 1 new error")
    assert "Errors: 3, none the day before, none a week before" in lines
    assert any(
        line.startswith("  E-1 KeyError: 'discount' · 3 times · myapp/prod") for line in lines
    )
    assert "  web myapp/prod: not known" in lines


def test_json_is_one_document(shop: Shop) -> None:
    result = shop.run("digest --json")

    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["id"] is None
    assert document["timezone"] == "Europe/London"
    assert document["errors"]["count"] == sum(document["errors"]["hours"]) == 3
    assert document["errors"]["new"][0]["id"] == "E-1"
    assert document["checks"][0]["uptime"] is None


def test_one_is_posted_where_digests_go(shop: Shop) -> None:
    result = shop.run("digest now")

    assert result.exit_code == 0
    assert "G-1 goes to C02OPS. Digest: " in result.stdout
    assert asyncio.run(_due(shop.path)) == 2  # its message, and the chart in its thread


def test_the_document_of_one_that_was_posted_has_its_id(shop: Shop) -> None:
    result = shop.run("digest now --json")

    assert json.loads(result.stdout)["id"] == "G-1"
    assert "G-1 goes to C02OPS" in result.stderr


def test_a_login_that_nobody_maps_may_read_and_not_post(shop: Shop) -> None:
    assert shop.run("digest", actor=NOBODY).exit_code == 0

    refused = shop.run("digest now", actor=NOBODY)

    assert refused.exit_code == 3
    assert "not mapped to a Slack user" in refused.stderr


def test_without_a_channel_none_is_posted(tmp_path: Path) -> None:
    result = Shop(path=tmp_path).run("digest now")

    assert result.exit_code == 2
    assert "`digest:` in hms.yaml names the channel" in result.stderr


async def _due(path: Path) -> int:
    async with await open_sqlite(path) as database:
        return await database.notice_queue.depth()
