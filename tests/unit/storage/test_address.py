"""URLs of databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.errors import InvalidRequest
from storage.address import PostgresAddress, SqliteAddress, parse_address


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///hms.db", "hms.db"),
        ("sqlite:///data/hms 1.db", "data/hms 1.db"),
        ("sqlite:////var/lib/hms.db", "/var/lib/hms.db"),
    ],
    ids=["relative", "with a space", "absolute"],
)
def test_sqlite_names_a_file(url: str, path: str) -> None:
    assert parse_address(url) == SqliteAddress(Path(path))


def test_postgresql_is_kept_as_it_is() -> None:
    url = "postgresql://hms:secret@db/hms?sslmode=require"

    assert parse_address(url) == PostgresAddress(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hms.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///hms.db?mode=memory",
        "mysql://hms:hunter2@db/hms",
        "postgresql+asyncpg://hms:hunter2@db/hms",
    ],
)
def test_anything_else_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_address(url)

    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert "sqlite:///" in caught.value.hint
