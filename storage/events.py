"""Single events, and the samples of groups."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.group import Sample
from storage.rows import from_time, to_json, to_time
from storage.schema import ERROR_SAMPLES, EVENTS
from storage.session import Row, Session, require_writing
from storage.statements import Statement

SAMPLES_KEPT = 20
"""Of each group."""

_S = ERROR_SAMPLES.c
_ADD = Statement(sa.insert(EVENTS), columns=[c.name for c in EVENTS.columns if c.name != "id"])
_ADD_SAMPLE = Statement(
    sa.insert(ERROR_SAMPLES), columns=[c.name for c in ERROR_SAMPLES.columns if c.name != "id"]
)
_OLDER = ERROR_SAMPLES.alias("older")
_TRIM = Statement(
    sa.delete(ERROR_SAMPLES).where(
        _S.group_id == sa.bindparam("at_group"),
        _S.id
        <= sa.select(_OLDER.c.id)
        .where(_OLDER.c.group_id == sa.bindparam("at_group"))
        .order_by(_OLDER.c.id.desc())
        .limit(sa.literal_column("1"))
        .offset(sa.literal_column(str(SAMPLES_KEPT)))
        .scalar_subquery(),
    )
)
_SAMPLES = Statement(
    sa.select(*ERROR_SAMPLES.columns)
    .where(_S.group_id == sa.bindparam("at_group"))
    .order_by(_S.id.desc())
    .limit(sa.bindparam("rows", type_=sa.Integer))
)
_ROW_OVERHEAD = 100  # bytes of a row beside its texts, index included, about


class SqlEvents:
    """The port `EventLog` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, events: Sequence[tuple[LogEvent, int | None]]) -> None:
        """Append them with the next statement."""
        require_writing(self._session)
        await self._session.defer(_ADD, [_columns(event, group) for event, group in events])

    async def add_samples(self, samples: Sequence[tuple[int, Sample]]) -> None:
        """Keep them, and the newest of each group only."""
        require_writing(self._session)
        await self._session.defer(
            _ADD_SAMPLE, [_sample_columns(group, sample) for group, sample in samples]
        )
        groups = sorted({group for group, _ in samples})
        await self._session.defer(_TRIM, [{"at_group": group} for group in groups])

    async def samples(self, group_id: int, *, limit: int) -> Sequence[Sample]:
        """Newest first."""
        rows = await self._session.fetch(_SAMPLES, at_group=group_id, rows=limit)
        return [_sample_of(row) for row in rows]


def _columns(event: LogEvent, group_id: int | None) -> dict[str, object]:
    fields = to_json(dict(event.fields)) if event.fields else "{}"
    return {
        "at": from_time(event.at),
        "project": event.project,
        "environment": event.environment,
        "level": event.level.word,
        "source": event.source,
        "message": event.message,
        "fields": fields,
        "group_id": group_id,
        "size": len(event.message.encode()) + len(fields.encode()) + _ROW_OVERHEAD,
    }


def _sample_columns(group_id: int, sample: Sample) -> dict[str, object]:
    return {
        "group_id": group_id,
        "at": from_time(sample.at),
        "release": sample.release,
        "source": sample.source,
        "message": sample.message,
        "fields": to_json(dict(sample.fields)),
    }


def _sample_of(row: Row) -> Sample:
    return Sample(
        at=to_time(row["at"]),
        message=row["message"],
        release=row["release"],
        source=row["source"],
        fields=json.loads(row["fields"]),
    )
