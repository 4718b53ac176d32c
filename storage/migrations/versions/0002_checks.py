"""Checks with their flips, and alerts.

Written out, not taken from `storage.schema`: that file moves on, this one says what was released.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create everything."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    _create_checks()
    _create_flips(number)
    _create_alerts(number)


def _text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=null) for name in names]


def _numbers(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=null) for name in names]


def _partial(name: str, table: str, column: str, where: str, unique: bool = False) -> None:
    rule = sa.text(where)
    op.create_index(name, table, [column], unique=unique, sqlite_where=rule, postgresql_where=rule)


def _create_checks() -> None:
    op.create_table(
        "checks",
        sa.Column("id", sa.Text, primary_key=True),
        *_text("state"),
        *_numbers("bad", "good"),
        *_numbers("first_bad_at", null=True),
        *_text("flips"),
        sa.Column("is_flapping", sa.Boolean, nullable=False),
        *_text("stopped_by"),
        *_text("last", null=True),
        *_numbers("due_at", null=True),
    )
    _partial("due_checks", "checks", "due_at", "stopped_by = ''")


def _create_flips(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "flips",
        sa.Column("id", number, sa.Identity(), primary_key=True),
        *_text("check_id", "old", "new", "reason"),
        *_numbers("at"),
    )
    op.create_index("flips_of_check", "flips", ["check_id", "id"])


def _create_alerts(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "alerts",
        sa.Column("id", number, sa.Identity(), primary_key=True),
        *_text("check_id", "name", "project", "environment", "channel", "state"),
        *_numbers("revision", "since", "seen"),
        *_text("reason"),
        sa.Column("is_flapping", sa.Boolean, nullable=False),
        *_text("rollout"),
        *_text("acknowledged_by", null=True),
        *_numbers("acknowledged_at", null=True),
        *_text("silenced_by", null=True),
        *_numbers("silenced_until", "resolved_at", null=True),
        *_text("resolved_by", null=True),
        sqlite_autoincrement=True,
    )
    is_open = "state IN ('firing', 'acknowledged')"
    _partial("one_open_alert", "alerts", "check_id", is_open, unique=True)
    _partial("open_alerts", "alerts", "id", is_open)
