"""Commands on a database that is not there yet.

An empty one looks healthy: nothing was shipped, nothing fails. So it is said; and a command that only reads
leaves none behind, which the next one would take for the bot's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from bot.settings import Settings
from storage.address import SqliteAddress, parse_address

_WHOSE = (
    "HMS_DATABASE_URL names the bot's database, which the bot makes at its first start. "
    "Set it to the same here."
)


@contextmanager
def with_database(settings: Settings, *, reading: bool) -> Iterator[Settings]:
    """The settings to work with; where there is no file yet, those of an empty one while `reading`.

    What writes makes the file. A server says by itself when it has no such database.
    """
    address = parse_address(settings.database_url.get_secret_value())
    if not isinstance(address, SqliteAddress) or address.path.exists():
        yield settings
    elif not reading:
        _say(f"{address.place[:1].upper()}{address.place[1:]} was not there, and is made now.")
        yield settings
    else:
        _say(f"There is no database here: {address.place} is not there, so nothing is known.")
        with TemporaryDirectory(prefix="hms-sys-") as folder:
            url = f"sqlite:///{Path(folder, 'hms.db')}"
            yield replace(settings, database_url=SecretStr(url))


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n{_WHOSE}\n")
    sys.stderr.flush()
