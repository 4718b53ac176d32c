"""The audit trail: past-tense facts, append-only, each chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from operations.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """`action` in past tense (`rollout.requested`); `subject` what it happened to (`D-1042`)."""

    at: datetime
    actor: Actor
    action: str
    subject: str
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An event as the trail holds it. `previous` is the hash of the event before, "" of the first."""

    number: int
    event: AuditEvent
    previous: str
    hash: str


def chain_hash(previous: str, event: AuditEvent) -> str:
    """SHA-256 over the former event's hash and this event's canonical JSON; changes of either show."""
    body = json.dumps(
        {
            "at": event.at.isoformat(),
            "actor": [event.actor.id, event.actor.kind.value, event.actor.name],
            "action": event.action,
            "subject": event.subject,
            "detail": dict(sorted(event.detail.items())),
        },
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()
