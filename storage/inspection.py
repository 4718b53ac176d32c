"""Looks at a database without changing it: whether it answers, and whether its schema is this version's."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from alembic.script import ScriptDirectory

from operations.errors import StorageUnavailable
from storage.address import SqliteAddress, parse_address
from storage.migration import alembic_config
from storage.postgres import PostgresEngine
from storage.session import Engine
from storage.sqlite import SqliteEngine
from storage.statements import Statement

_TABLE = Statement(
    {
        "sqlite": sa.select(sa.column("name"))
        .select_from(sa.table("sqlite_master"))
        .where(sa.column("name") == sa.literal_column("'alembic_version'")),
        "postgresql": sa.select(sa.literal_column("1").label("one")).where(
            sa.func.to_regclass(sa.literal_column("'alembic_version'")).is_not(None)
        ),
    }
)
_REVISION = Statement(sa.select(sa.column("version_num")).select_from(sa.table("alembic_version")))


class Schema(StrEnum):
    """What a database holds, seen from this version."""

    CURRENT = "current"
    OLDER = "older"  # a start, or `db upgrade`, brings it up to date
    UNKNOWN = "unknown"  # a newer version was here
    NONE = "none"  # nothing of ours yet


async def inspect_schema(url: str) -> Schema:
    """A missing file is NONE. Raises StorageError when the database, or the file's folder, is of no use."""
    address = parse_address(url)
    if not isinstance(address, SqliteAddress):
        return await _inspect(PostgresEngine(address.dsn))
    if not address.path.absolute().parent.is_dir():
        raise StorageUnavailable("The folder of the database is not there.", hint="Make it.")
    if not address.path.exists():
        return Schema.NONE
    return await _inspect(SqliteEngine(address.path))


async def _inspect(engine: Engine) -> Schema:
    try:
        async with engine.session(writing=False) as session:
            rows = await session.fetch(_REVISION) if await session.fetch(_TABLE) else ()
    finally:
        await engine.close()
    return _judge(str(rows[0]["version_num"]) if rows else "")


def _judge(revision: str) -> Schema:
    scripts = ScriptDirectory.from_config(alembic_config())
    if not revision:
        return Schema.NONE
    if revision == scripts.get_current_head():
        return Schema.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return Schema.OLDER if revision in known else Schema.UNKNOWN
