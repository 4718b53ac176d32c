"""Which lines of old logs the central log has: their keys, so that none is counted twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from storage.rows import from_time, to_json
from storage.schema import IMPORTED_ERRORS
from storage.session import Session, require_writing
from storage.statements import Statement

_KEYS = sa.bindparam("keys", type_=sa.Text)
"""A JSON array: the same parameter for both databases."""
_KNOWN = sa.select(IMPORTED_ERRORS.c.key)
_KNOWN_AMONG = Statement(
    {
        "sqlite": _KNOWN.where(
            IMPORTED_ERRORS.c.key.in_(
                sa.select(sa.func.json_each(_KEYS).table_valued("value").c.value)
            )
        ),
        "postgresql": _KNOWN.where(
            IMPORTED_ERRORS.c.key.in_(
                sa.select(
                    sa.cast(
                        sa.func.jsonb_array_elements_text(sa.cast(_KEYS, postgresql.JSONB)),
                        sa.BigInteger,
                    )
                )
            )
        ),
    }
)
_ADD = Statement(sa.insert(IMPORTED_ERRORS), columns=["key", "at"])


class SqlImportedErrors:
    """The port `ImportedErrors` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def keep(self, keys: Mapping[int, datetime]) -> frozenset[int]:
        """Two who import at once do so one after the other."""
        require_writing(self._session)
        await self._session.hold("imports")
        new = frozenset(keys) - await self.known(keys)
        await self._session.defer(
            _ADD, [{"key": key, "at": from_time(keys[key])} for key in sorted(new)]
        )
        return new

    async def known(self, keys: Collection[int]) -> frozenset[int]:
        """Those of the keys that are there."""
        rows = await self._session.fetch(_KNOWN_AMONG, keys=to_json(list(keys)))
        return frozenset(row["key"] for row in rows)
