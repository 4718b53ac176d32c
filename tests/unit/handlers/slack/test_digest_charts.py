"""A digest's chart never holds its digest up for as long as a claim lasts: another would tell it as well."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from handlers.slack import digest_charts, files, turns
from handlers.slack.digest_charts import DigestCharts
from handlers.slack.notices import DeliverySettings
from operations.errors import ProviderUnavailable
from operations.monitoring.digest.digest import Digest
from operations.monitoring.digest.digests import Digests
from operations.outbox import PostedMessage
from tests.contract.databases import open_sqlite
from tests.digests import BUSY, store
from tests.workshops import ShiftedClock


class Busy:
    """A painter with a long queue before it."""

    async def paint(self, digest: Digest) -> bytes:
        """In an hour."""
        await asyncio.sleep(3600)
        return b""


class NoFiles:
    """Slack's files, to which nothing ever gets."""

    async def upload(self, content: bytes, *, name: str, title: str, card: PostedMessage) -> str:
        """Not called."""
        raise AssertionError


async def test_a_chart_that_takes_too_long_is_tried_again_later(tmp_path: Path) -> None:
    clock = ShiftedClock()
    async with await open_sqlite(tmp_path, clock=clock) as database, asyncio.timeout(5):
        digests = Digests(plan=None, checks=(), store=database.store, clock=clock)
        charts = DigestCharts(digests, Busy(), NoFiles(), seconds=0.05)

        with pytest.raises(ProviderUnavailable, match="takes too long"):
            await charts.share(store(BUSY), PostedMessage(channel="C02OPS", ts="1.0"))


def test_all_that_a_digest_waits_for_is_over_before_its_claim() -> None:
    waits = turns.PATIENCE + digest_charts.SECONDS + files.SECONDS

    assert waits < DeliverySettings().claim_seconds
