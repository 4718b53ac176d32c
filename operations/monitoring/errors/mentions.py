"""Messages that name a group of errors: the reply in its rollout's thread, and digests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from operations.monitoring.errors.group import ErrorGroup
from operations.monitoring.errors.ports import Transaction
from operations.monitoring.mentions import redraw_digests
from operations.outbox import NoticeKind


async def redraw(tx: Transaction, groups: Sequence[ErrorGroup], now: datetime) -> None:
    """Make due what names these groups as they were before they changed."""
    for rollout in sorted({group.rollout for group in groups if group.rollout}):
        await tx.notices.redraw(rollout, NoticeKind.ERRORS, now)
    labels = [group.label for group in groups]
    if labels:
        await redraw_digests(tx.digests, tx.notices, labels, now)
