"""What the switchover from HMS-OPS and the second look at monitoring added.

Written out, not taken from `storage.schema`: that file moves on, this one says what was released.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Give what is there its new columns."""
    _place_comparisons()
    _rank_groups_of_projects()
    _count_new_groups()
    _remember_batches()
    _find_digests_by_item()
    _find_rollouts_by_ticket()
    _make_room_for_imports()
    _import_errors()


def _find_rollouts_by_ticket() -> None:
    """Rollouts by the asker's own name of the matter."""
    rule = sa.text("external_id <> ''")
    op.create_index(
        "rollouts_by_external_id",
        "rollouts",
        ["external_id", "id"],
        sqlite_where=rule,
        postgresql_where=rule,
    )


def _rank_groups_of_projects() -> None:
    """The worst groups of a project, in whatever environment."""
    rule = sa.text("state = 'open'")
    op.create_index(
        "worst_groups_of_project",
        "error_groups",
        ["project", "rank"],
        sqlite_where=rule,
        postgresql_where=rule,
    )


def _count_new_groups() -> None:
    """How many groups of errors began on a target in an hour."""
    op.create_table(
        "error_newcomers",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("error_newcomers_by_time", "error_newcomers", ["hour"])


def _find_digests_by_item() -> None:
    """Which digests name an alert or a group of errors; those of before are not found."""
    op.create_table(
        "digest_items",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column(
            "digest_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sqlite_with_rowid=False,
    )


def _remember_batches() -> None:
    """Batches of events that their senders gave a key."""
    op.create_table(
        "event_batches",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("body_hash", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("event_batches_by_time", "event_batches", ["at"])


def _make_room_for_imports() -> None:
    """Ids of imported rollouts are negative; a thousand between 0 and our own were not enough."""
    rule = sa.text("kind = 'import'")
    op.execute("UPDATE rollouts SET id = id - 1000000000000 WHERE kind = 'import' AND id > 0")
    op.create_index(
        "one_import",
        "rollouts",
        ["external_id"],
        unique=True,
        sqlite_where=rule,
        postgresql_where=rule,
    )


def _import_errors() -> None:
    """How many of a group's errors were imported, and which lines of old logs those were."""
    op.add_column(
        "error_groups",
        sa.Column("imported", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "imported_errors",
        sa.Column(
            "key",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("imported_errors_by_time", "imported_errors", ["at"])


def _place_comparisons() -> None:
    """Which object of the platform HMS-OPS and HMS-SYS were compared on."""
    op.add_column("comparisons", sa.Column("place", sa.Text, nullable=False, server_default=""))
