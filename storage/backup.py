"""A copy of an SQLite database while others read and write it. PostgreSQL has a program of its own for that.

The copy has its name only when it is whole and on the disk: until then an empty file keeps the name, so
that nothing that was there is ever overwritten, and nothing half-made is taken for a backup.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from operations.errors import InvalidRequest, Refused, StorageUnavailable
from storage.address import SqliteAddress, parse_address
from storage.sqlite import translated

_MODE = 0o600
"""It holds what everybody said, and no secrets; still it is nobody else's."""


async def back_up(url: str, target: Path) -> None:
    """Copy the database to a file that is not there yet.

    Raises InvalidRequest for PostgreSQL, Refused for a file that is there, StorageError.
    """
    address = parse_address(url)
    if not isinstance(address, SqliteAddress):
        raise InvalidRequest(
            "PostgreSQL is copied by its own program.",
            hint='Run `pg_dump --format=custom --file=backup.dump "$HMS_DATABASE_URL"`.',
        )
    if not address.path.exists():
        raise StorageUnavailable(
            "There is no database to copy.", hint=f"HMS_DATABASE_URL names {address.place}."
        )
    await asyncio.to_thread(_copy, address.path, target)


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    with _files(target, part):
        with translated(), closing(sqlite3.connect(source, isolation_level=None)) as raw:
            raw.execute("VACUUM INTO ?", (str(part),))
        _sync(part)
        part.replace(target)
        _sync(target.absolute().parent)


@contextmanager
def _files(target: Path, part: Path) -> Iterator[None]:
    """Makes both files, empty; takes away what is left of them when the block fails."""
    made: list[Path] = []
    try:
        for path in (target, part):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE))
            made.append(path)
        yield
    except BaseException as exc:
        for path in made:
            path.unlink(missing_ok=True)
        if isinstance(exc, FileExistsError):
            raise Refused(f"{exc.filename} is there already.", hint="Name a new file.") from exc
        if isinstance(exc, OSError):
            raise StorageUnavailable(f"{target} cannot be written: {exc.strerror}.") from exc
        raise


def _sync(path: Path) -> None:
    """To the disk: `VACUUM INTO` does not see to that."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
