"""The audit trail as others read it: one JSON object a line, or a table for a spreadsheet.

A line holds exactly what was hashed, and how it is written is part of that: `docs/operations.md` says how
to compute a hash from it without HMS-SYS.
"""

from __future__ import annotations

import json

from operations.audit import Recorded

COLUMNS = (
    "number",
    "at",
    "actor_id",
    "actor_kind",
    "actor_name",
    "action",
    "subject",
    "detail",
    "previous",
    "hash",
)


def audit_line(recorded: Recorded) -> str:
    """One event as a line of JSON; `at` is written as it was hashed."""
    event = recorded.event
    document = {
        "number": recorded.number,
        "at": event.at.isoformat(),
        "actor": {"id": event.actor.id, "kind": event.actor.kind.value, "name": event.actor.name},
        "action": event.action,
        "subject": event.subject,
        "detail": dict(event.detail),
        "previous": recorded.previous,
        "hash": recorded.hash,
    }
    return json.dumps(document, ensure_ascii=False)


def audit_cells(recorded: Recorded) -> list[str]:
    """One event as cells, in the order of `COLUMNS`."""
    event = recorded.event
    return [
        str(recorded.number),
        event.at.isoformat(),
        event.actor.id,
        event.actor.kind.value,
        event.actor.name,
        event.action,
        event.subject,
        json.dumps(dict(event.detail), ensure_ascii=False),
        recorded.previous,
        recorded.hash,
    ]
