"""Deliveries of hooks, told apart, so that one that is repeated counts once: see `errors.repeats`."""

from __future__ import annotations

import hashlib

from operations.monitoring.errors.repeats import BatchKey


def delivery_key(system: str, delivery: str) -> BatchKey:
    """`delivery` is what makes it another one; what else the system sends with it does not matter."""
    key = hashlib.sha256(delivery.encode("utf-8", "replace")).hexdigest()
    return BatchKey(f"hook:{system}", key, key)
