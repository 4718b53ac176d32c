"""Commands on a database that is not there yet.

An empty one looks healthy: nothing was shipped, nothing fails. So it is said; and a command that only reads
leaves none behind, which the next one would take for the bot's.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from bot.settings import Settings
from operations.errors import InvalidRequest
from storage.address import SqliteAddress, parse_address
from storage.database import Database, open_database

_NOTHING = "There is no database here: {place} is not there, so nothing is known."
_WHOSE = (
    "HMS_DATABASE_URL names the bot's database, which the bot makes at its first start. "
    "Set it to the same here."
)


@contextmanager
def with_database(settings: Settings, *, reading: bool) -> Iterator[Settings]:
    """The settings to work with; where there is no file yet, those of an empty one while `reading`.

    What writes makes the file. A server says by itself when it has no such database.
    """
    place = _absent(settings)
    if not place:
        yield settings
    elif not reading:
        _say(f"{place[:1].upper()}{place[1:]} was not there, and is made now.")
        yield settings
    else:
        _say(_NOTHING.format(place=place))
        with TemporaryDirectory(prefix="hms-sys-") as folder:
            url = f"sqlite:///{Path(folder, 'hms.db')}"
            yield replace(settings, database_url=SecretStr(url))


@asynccontextmanager
async def open_to_read(settings: Settings) -> AsyncIterator[Database]:
    """The database of the settings, or an empty one that goes afterwards, which is said."""
    with with_database(settings, reading=True) as found:
        async with await open_database(found.database_url.get_secret_value()) as database:
            yield database


def check_database(settings: Settings) -> None:
    """Raises InvalidRequest where an empty database would be a wrong answer."""
    if place := _absent(settings):
        raise InvalidRequest(_NOTHING.format(place=place), hint=_WHOSE)


def _absent(settings: Settings) -> str:
    """Where SQLite's file should be and is not; "" when it is there."""
    address = parse_address(settings.database_url.get_secret_value())
    is_absent = isinstance(address, SqliteAddress) and not address.path.exists()
    return address.place if is_absent else ""


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n{_WHOSE}\n")
    sys.stderr.flush()
