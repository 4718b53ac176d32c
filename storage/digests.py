"""Digests in the database. That a day has one at most is the database's own rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from operations.monitoring.digest.digest import ASKED_FOR, StoredDigest
from operations.monitoring.digest.document import read_document, write_document
from storage.rows import Columns, from_time, to_json, to_time
from storage.schema import DIGEST_ITEMS, DIGESTS
from storage.session import Row, Session, require_writing
from storage.statements import Statement

_D = DIGESTS.c
_STORED = [c.name for c in DIGESTS.columns if c.name != "id"]
_GET = Statement(sa.select(*DIGESTS.columns).where(_D.id == sa.bindparam("at_id")))
_ADD = Statement(
    {
        "sqlite": sqlite.insert(DIGESTS)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(_D.id),
        "postgresql": postgresql.insert(DIGESTS)
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(_D.id),
    },
    columns=_STORED,
)
_NEWEST_DAY = Statement(
    sa.select(_D.key)
    .where(_D.key < sa.bindparam("before"))
    .order_by(_D.key.desc())
    .limit(sa.literal_column("1"))
)
_SAVE_PICTURE = Statement(
    sa.update(DIGESTS)
    .where(_D.id == sa.bindparam("at_id"))
    .values(picture=sa.bindparam("new_picture"))
)
_ADD_ITEM = Statement(sa.insert(DIGEST_ITEMS), columns=[c.name for c in DIGEST_ITEMS.columns])
_I = DIGEST_ITEMS.c
_SUBJECTS = sa.bindparam("subjects", type_=sa.Text)
"""A JSON array: the same parameter for both databases."""
_NAMING_ANY = (
    sa.select(_I.digest_id)
    .join(DIGESTS, _D.id == _I.digest_id)
    .where(_D.made_at >= sa.bindparam("since"))
    .distinct()
    .order_by(_I.digest_id)
)
_NAMING = Statement(
    {
        "sqlite": _NAMING_ANY.where(
            _I.subject.in_(sa.select(sa.func.json_each(_SUBJECTS).table_valued("value").c.value))
        ),
        "postgresql": _NAMING_ANY.where(
            _I.subject.in_(
                sa.select(sa.func.jsonb_array_elements_text(sa.cast(_SUBJECTS, postgresql.JSONB)))
            )
        ),
    }
)
_NEVER_MADE = ""
"""The document of a day that was over before digests were configured."""


class SqlDigests:
    """The port `Digests` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, draft: StoredDigest) -> StoredDigest | None:
        """Store a new one, unless there is one with its key."""
        require_writing(self._session)
        rows = await self._session.fetch(_ADD, **_columns(draft))
        if not rows:
            return None
        added = replace(draft, id=rows[0]["id"])
        items = [{"subject": name, "digest_id": added.id} for name in added.digest.items]
        await self._session.defer(_ADD_ITEM, items)
        return added

    async def begin(self, key: str, at: datetime) -> None:
        """Remember a day that none is made for."""
        require_writing(self._session)
        row: Columns = {
            "key": key,
            "channel": "",
            "revision": 0,
            "due_at": from_time(at),
            "made_at": from_time(at),
            "document": _NEVER_MADE,
            "picture": "",
        }
        await self._session.fetch(_ADD, **row)

    async def get(self, digest_id: int) -> StoredDigest | None:
        """Read one that was made."""
        rows = await self._session.fetch(_GET, at_id=digest_id)
        return _digest_of(rows[0]) if rows and rows[0]["document"] else None

    async def naming(self, subjects: Collection[str], since: datetime) -> Sequence[str]:
        """Their labels."""
        rows = await self._session.fetch(
            _NAMING, subjects=to_json(sorted(subjects)), since=from_time(since)
        )
        return [f"G-{row['digest_id']}" for row in rows]

    async def save_picture(self, digest_id: int, file_id: str) -> None:
        """Store where its chart is."""
        require_writing(self._session)
        await self._session.defer(_SAVE_PICTURE, [{"at_id": digest_id, "new_picture": file_id}])

    async def newest_day(self) -> str:
        """The greatest key that is a day."""
        rows = await self._session.fetch(_NEWEST_DAY, before=ASKED_FOR)
        return str(rows[0]["key"]) if rows else ""


def _columns(digest: StoredDigest) -> Columns:
    """Every column but the id."""
    return {
        "key": digest.key,
        "channel": digest.channel,
        "revision": digest.revision,
        "due_at": from_time(digest.due_at),
        "made_at": from_time(digest.made_at),
        "document": write_document(digest.digest),
        "picture": digest.picture,
    }


def _digest_of(row: Row) -> StoredDigest:
    return StoredDigest(
        id=row["id"],
        key=row["key"],
        channel=row["channel"],
        due_at=to_time(row["due_at"]),
        made_at=to_time(row["made_at"]),
        digest=read_document(row["document"]),
        revision=row["revision"],
        picture=row["picture"],
    )
