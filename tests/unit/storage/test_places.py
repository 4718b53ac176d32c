"""Where the database is, for people: never with its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.errors import StorageError
from storage.address import parse_address
from storage.migration import migrate


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (
            "postgresql://hms:sesame99@db.example.com:6432/bot",
            "the database bot on db.example.com:6432",
        ),
        ("postgresql://hms:sesame99@db.example.com/bot", "the database bot on db.example.com"),
        ("postgresql:///bot?host=/run/pg", "the database bot on /run/pg"),
        ("postgresql://db", "the database of the default name on db"),
        ("sqlite:////var/lib/hms.db", "the file /var/lib/hms.db"),
    ],
)
def test_the_place_is_named_without_the_password(url: str, place: str) -> None:
    assert parse_address(url).place == place


async def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        await migrate(f"postgresql://hms:sesame99@/bot?host={tmp_path}")

    assert caught.value.hint == f"HMS_DATABASE_URL names the database bot on {tmp_path}."


async def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        await migrate(f"sqlite:///{tmp_path}/none/hms.db")

    assert caught.value.hint == f"HMS_DATABASE_URL names the file {tmp_path}/none/hms.db."
