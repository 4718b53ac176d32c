"""Where the database is, as the setting says it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from operations.errors import InvalidRequest

_HINT = "Write sqlite:///hms.db, sqlite:////var/lib/hms.db or postgresql://user:password@host/name."


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A file of this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A server; `dsn` may hold a password and is never shown."""

    dsn: str


Address = SqliteAddress | PostgresAddress


def parse_address(url: str) -> Address:
    """Raises InvalidRequest, which never repeats the URL: it may hold a password."""
    if url.startswith("postgresql://"):
        return PostgresAddress(url)
    path = url.removeprefix("sqlite:///")
    if path == url:
        raise InvalidRequest("The database's URL is not one that HMS-SYS knows.", hint=_HINT)
    if not path or path.startswith(":") or "?" in path:
        raise InvalidRequest("The database's URL names no file.", hint=_HINT)
    return SqliteAddress(Path(path))
