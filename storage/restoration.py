"""What a database needs that was put back from a backup, beside its rollouts: numbers and doubts.

What it gave out after the backup is lost here and stands in people's and components' messages, so the
numbers go on well above it.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from operations.outbox import SLACK
from storage.schema import NOTICES, UNDELIVERED
from storage.session import Session, require_writing
from storage.statements import Statement

# How much faster than the others they are given out: a rollout is some six calls to each component.
_PACE = {"rollouts": 1, "alerts": 1, "error_groups": 1, "digests": 1, "deliveries": 100}
_BY = sa.bindparam("by", type_=sa.BigInteger)
_SEQUENCE = sa.table("sqlite_sequence", sa.column("name", sa.Text), sa.column("seq", sa.BigInteger))
_IDENTITY = sa.func.pg_get_serial_sequence(
    sa.bindparam("of_table", type_=sa.Text), sa.literal_column("'id'")
)
_OF_TABLE = _SEQUENCE.c.name == sa.bindparam("of_table", type_=sa.Text)
_BEGIN = Statement(
    {
        # SQLite notes a table's numbers only once it has given one.
        "sqlite": sa.insert(_SEQUENCE).from_select(
            ["name", "seq"],
            sa.select(
                sa.bindparam("of_table", type_=sa.Text), sa.literal_column("0", sa.BigInteger)
            ).where(~sa.exists().where(_OF_TABLE)),
        ),
        "postgresql": sa.select(sa.literal_column("1").label("one")),
    }
)
_RAISE = Statement(
    {
        "sqlite": sa.update(_SEQUENCE)
        .where(_OF_TABLE)
        .values(seq=_SEQUENCE.c.seq + _BY)
        .returning(_SEQUENCE.c.seq.label("last")),
        "postgresql": sa.select(
            sa.func.setval(_IDENTITY, sa.func.nextval(_IDENTITY) - 1 + _BY).label("last")
        ),
    }
)
_DOUBT = Statement(
    sa.update(NOTICES)
    .where(
        sa.literal_column(UNDELIVERED, sa.Boolean),
        NOTICES.c.route == sa.literal_column(f"'{SLACK}'"),
    )
    .values(uncertain=sa.true())
)


class SqlRestoration:
    """The port `Restoration` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def raise_numbers(self, by: int) -> Mapping[str, int]:
        """The last number of each table that will not be given."""
        require_writing(self._session)
        return {name: await self._raise(name, by * pace) for name, pace in _PACE.items()}

    async def doubt_notices(self) -> None:
        """Whoever tells what is due looks first whether it was told after the backup."""
        require_writing(self._session)
        await self._session.fetch(_DOUBT)

    async def _raise(self, table: str, by: int) -> int:
        await self._session.fetch(_BEGIN, of_table=table)
        rows = await self._session.fetch(_RAISE, of_table=table, by=by)
        return int(rows[0]["last"])
