"""Statements become each database's SQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from storage.statements import Statement, upsert

TABLE = sa.Table(
    "hats",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("size", sa.BigInteger),
)
FIND = Statement(
    sa.select(TABLE.c.id).where(TABLE.c.size > sa.bindparam("least"), TABLE.c.size != 7)
)


def test_parameters_stand_in_their_places() -> None:
    compiled = FIND.compiled("sqlite")

    assert compiled.text.count("?") == 2
    assert compiled.arguments({"least": 3, "unused": 1}) == (3, 7)


def test_postgresql_has_numbered_parameters() -> None:
    assert "$1" in FIND.compiled("postgresql").text


def test_a_missing_value_is_a_fault() -> None:
    with pytest.raises(KeyError):
        FIND.compiled("sqlite").arguments({})


def test_a_statement_is_compiled_once() -> None:
    assert FIND.compiled("sqlite") is FIND.compiled("sqlite")


def test_rows_are_locked_only_where_that_exists() -> None:
    held = Statement(sa.select(TABLE.c.id).with_for_update(skip_locked=True))

    assert held.compiled("postgresql").text.endswith("FOR UPDATE SKIP LOCKED")
    assert "FOR UPDATE" not in held.compiled("sqlite").text


def test_an_upsert_adds_or_changes() -> None:
    both = upsert(TABLE, lambda new: {"size": TABLE.c.size + new["size"]})

    for language in ("sqlite", "postgresql"):
        assert "ON CONFLICT (id) DO UPDATE" in both.compiled(language).text
