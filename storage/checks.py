"""What the database keeps of checks: records, and changes of state."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from operations.monitoring.check import CheckRecord, CheckState, Flip, Observation, Outcome
from storage.rows import (
    Columns,
    from_optional_time,
    from_time,
    to_json,
    to_optional_time,
    to_time,
)
from storage.schema import CHECKS, FLIPS
from storage.session import Row, Session, require_writing
from storage.statements import Excluded, Statement, insert_unless_there, upsert

_C = CHECKS.c
_OF_CHECK = sa.select(*CHECKS.columns).where(_C.id == sa.bindparam("at_id"))
_GET = Statement(_OF_CHECK)
_HOLD = Statement(_OF_CHECK.with_for_update())
_ALL = Statement(sa.select(*CHECKS.columns).order_by(_C.id))
_MAKE = insert_unless_there(CHECKS)
_FLIPPED_COLUMNS = [c.name for c in FLIPS.columns if c.name != "id"]
_FLIPPED = Statement(sa.insert(FLIPS), columns=_FLIPPED_COLUMNS)
_FLIPS = Statement(
    sa.select(*FLIPS.columns)
    .where(FLIPS.c.check_id == sa.bindparam("at_check"))
    .order_by(FLIPS.c.id)
)


def _save_again(new: Excluded) -> Mapping[str, sa.ColumnElement[Any]]:
    """When it is due next is the queue's to say."""
    return {c.name: new[c.name] for c in CHECKS.columns if c.name not in {"id", "due_at"}}


_SAVE = upsert(CHECKS, _save_again)


class SqlChecks:
    """The port `Checks` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, check_id: str, *, lock: bool = False) -> CheckRecord:
        """Read one; one that is to be held is made when it is not there, as nothing cannot be held."""
        if not lock:
            rows = await self._session.fetch(_GET, at_id=check_id)
            return _record_of(rows[0]) if rows else CheckRecord(check_id=check_id)
        require_writing(self._session)
        rows = await self._session.fetch(_HOLD, at_id=check_id)
        if not rows:
            empty = record_columns(CheckRecord(check_id=check_id))
            await self._session.fetch(_MAKE, **empty)
            rows = await self._session.fetch(_HOLD, at_id=check_id)
        return _record_of(rows[0])

    async def save(self, record: CheckRecord) -> None:
        """Store it."""
        require_writing(self._session)
        await self._session.defer(_SAVE, [record_columns(record)])

    async def all(self) -> Sequence[CheckRecord]:
        """Every record, by id."""
        return [_record_of(row) for row in await self._session.fetch(_ALL)]

    async def flipped(self, flip: Flip) -> None:
        """Store a change of state."""
        require_writing(self._session)
        row = {
            "check_id": flip.check_id,
            "old": flip.old.value,
            "new": flip.new.value,
            "reason": flip.reason,
            "at": from_time(flip.at),
        }
        await self._session.defer(_FLIPPED, [row])

    async def flips(self, check_id: str) -> Sequence[Flip]:
        """A check's changes of state."""
        return [flip_of(row) for row in await self._session.fetch(_FLIPS, at_check=check_id)]


def record_columns(record: CheckRecord) -> Columns:
    """Every column."""
    return {
        "id": record.check_id,
        "state": record.state.value,
        "bad": record.bad,
        "good": record.good,
        "first_bad_at": from_optional_time(record.first_bad_at),
        "flips": to_json([from_time(at) for at in record.flips]),
        "is_flapping": record.is_flapping,
        "stopped_by": record.stopped_by,
        "last": _observation_json(record.last),
        "due_at": from_optional_time(record.due_at),
        "unasked_since": from_optional_time(record.unasked_since),
    }


def _record_of(row: Row) -> CheckRecord:
    return CheckRecord(
        check_id=row["id"],
        state=CheckState(row["state"]),
        bad=row["bad"],
        good=row["good"],
        first_bad_at=to_optional_time(row["first_bad_at"]),
        flips=tuple(to_time(at) for at in json.loads(row["flips"])),
        is_flapping=bool(row["is_flapping"]),
        stopped_by=row["stopped_by"],
        last=_to_observation(row["last"]),
        due_at=to_optional_time(row["due_at"]),
        unasked_since=to_optional_time(row["unasked_since"]),
    )


def _observation_json(seen: Observation | None) -> str | None:
    if seen is None:
        return None
    return to_json(
        {
            "outcome": seen.outcome.value,
            "at": from_time(seen.at),
            "detail": seen.detail,
            "took": seen.took // timedelta(microseconds=1),
        }
    )


def _to_observation(text: str | None) -> Observation | None:
    if text is None:
        return None
    body = json.loads(text)
    return Observation(
        outcome=Outcome(body["outcome"]),
        at=to_time(body["at"]),
        detail=body["detail"],
        took=timedelta(microseconds=body["took"]),
    )


def flip_of(row: Row) -> Flip:
    """A change of state from its row."""
    return Flip(
        check_id=row["check_id"],
        old=CheckState(row["old"]),
        new=CheckState(row["new"]),
        reason=row["reason"],
        at=to_time(row["at"]),
    )
