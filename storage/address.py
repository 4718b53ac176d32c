"""Where the database is, as the setting says it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from operations.errors import InvalidRequest

_HINT = "Write sqlite:///hms.db, sqlite:////var/lib/hms.db or postgresql://user:password@host/name."


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """A file of this machine."""

    path: Path

    @property
    def place(self) -> str:
        """For people."""
        return f"the file {self.path.absolute()}"


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A server; `dsn` may hold a password and is never shown."""

    dsn: str

    @property
    def place(self) -> str:
        """For people: server and database, and never the password."""
        parts = urlsplit(self.dsn)
        host = parts.hostname or next(iter(parse_qs(parts.query).get("host", ())), "this machine")
        port = f":{parts.port}" if parts.port else ""
        return f"the database {parts.path.strip('/') or 'of the default name'} on {host}{port}"


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
