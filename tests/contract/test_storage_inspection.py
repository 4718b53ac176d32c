"""A database can be looked at without being changed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from operations.errors import StorageError, StorageUnavailable
from storage.inspection import Schema, inspect_schema
from storage.migration import migrate
from tests.contract.databases import run_sql, sqlite_url

pytest_plugins = ("tests.contract.database_fixtures",)


async def test_an_empty_database_is_told_and_left_empty(database_url: str) -> None:
    assert await inspect_schema(database_url) is Schema.NONE
    assert await inspect_schema(database_url) is Schema.NONE


async def test_one_of_this_version_is_current(database_url: str) -> None:
    await migrate(database_url)

    assert await inspect_schema(database_url) is Schema.CURRENT


_SET = {
    "0001": "UPDATE alembic_version SET version_num = '0001'",
    "9999": "UPDATE alembic_version SET version_num = '9999'",
}


@pytest.mark.parametrize(
    ("revision", "expected"), [("0001", Schema.OLDER), ("9999", Schema.UNKNOWN)]
)
async def test_others_are_told_apart(database_url: str, revision: str, expected: Schema) -> None:
    await migrate(database_url)
    run_sql(database_url, _SET[revision])

    assert await inspect_schema(database_url) is expected


async def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert await inspect_schema(sqlite_url(tmp_path)) is Schema.NONE
    assert os.listdir(tmp_path) == []


async def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    with pytest.raises(StorageUnavailable):
        await inspect_schema("postgresql://nobody@127.0.0.1:1/none")


async def test_a_file_that_is_no_database_is_not_called_empty(tmp_path: Path) -> None:
    (tmp_path / "hms.db").write_bytes(b"this is no database\n" * 100)

    with pytest.raises(StorageError):
        await inspect_schema(f"sqlite:///{tmp_path}/hms.db")


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="folder"):
        await inspect_schema(f"sqlite:///{tmp_path}/none/hms.db")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_may_not_enter_is_not_told_that_it_is_empty(database_url: str) -> None:
    run_sql(database_url, "CREATE ROLE stranger LOGIN")
    run_sql(database_url, _SHUT)

    with pytest.raises(StorageError):
        await inspect_schema(re.sub(r"//[^@/]*@", "//stranger@", database_url))


_SHUT = (
    "DO $$ BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database());"
    " END $$"
)
