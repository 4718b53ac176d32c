"""Batches of events that their senders gave a key: one that comes again is answered, and not counted again.

The key is stored in the transaction of the batch, so that whoever lost the answer can send it once more,
wherever the connection broke.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from operations.errors import Refused


@dataclass(frozen=True, slots=True, order=True)
class BatchKey:
    """`sender` is who hands in, `key` what they call the batch; the pair is unique.

    `body_hash` tells whether it is the same batch again.
    """

    sender: str
    key: str
    body_hash: str


class BatchKeys(Protocol):
    """Keys of batches in the database, within a transaction."""

    async def add(self, key: BatchKey, at: datetime) -> str | None:
        """Store one; the hash of what came with it before, None when nothing did.

        Waits for another who stores the same and has not ended.
        """
        ...


async def find_fresh(
    keys: BatchKeys, given: Sequence[BatchKey | None], now: datetime
) -> Sequence[bool]:
    """Which of the batches were not taken before; of equal ones among them the first. None has no key.

    To be called before anything else is held: keys are taken in order, so that two who write at once wait
    for each other and never in a circle. Raises Refused when a key came with something else before.
    """
    first: set[BatchKey] = set()
    for key in sorted({key for key in given if key is not None}):
        before = await keys.add(key, now)
        if before is None:
            first.add(key)
        elif before != key.body_hash:
            raise Refused(
                "This Idempotency-Key came with other events before.",
                hint="Use a new key for each batch.",
            )
    fresh = []
    for each in given:
        fresh.append(each is None or each in first)
        if each is not None:
            first.discard(each)
    return fresh
