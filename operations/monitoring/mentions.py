"""Messages that name an alert or a group of errors show what became of it, wherever it was acted on."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from operations.monitoring.ports import Mentions, Outbox
from operations.outbox import NoticeKind

READ_FOR = timedelta(days=7)
"""Nobody looks at older digests to see what became of what they name; Slack's edits are few."""


async def redraw_digests(
    digests: Mentions, notices: Outbox, subjects: Collection[str], now: datetime
) -> None:
    """Of those that name any of these (`E-12`, `A-17`)."""
    for label in await digests.naming(subjects, now - READ_FOR):
        await notices.redraw(label, NoticeKind.CARD, now)
