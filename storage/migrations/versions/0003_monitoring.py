"""Errors, digests, log sources, idempotency keys, calls to components, routes of notices, more of alerts.

Written out, not taken from `storage.schema`: that file moves on, this one says what was released.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create everything, and give what is there its new columns."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    _create_groups(number)
    _create_counts()
    _create_events(number)
    _create_sources()
    _create_digests(number)
    _create_repeats()
    _create_deliveries(number)
    _create_comparisons()
    _extend_checks()
    _extend_alerts()
    _give_notices_a_route()
    _count_rollouts_by_state()
    _extend_rollouts()


def _text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=null) for name in names]


def _numbers(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=null) for name in names]


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _create_groups(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "error_groups",
        sa.Column("id", number, sa.Identity(), primary_key=True),
        *_text("project", "environment", "fingerprint", "title", "level", "state"),
        *_numbers("revision", "count", "first_seen", "last_seen"),
        *_text("first_release", "last_release"),
        sa.Column("rank", sa.Double, nullable=False),
        *_text("rollout"),
        *_text("silenced_by", null=True),
        *_numbers("silenced_until", null=True),
        *_text("resolved_by", null=True),
        *_numbers("resolved_at", null=True),
        sqlite_autoincrement=True,
    )
    target = ["project", "environment"]
    op.create_index("one_group", "error_groups", [*target, "fingerprint"], unique=True)
    partial = {
        "worst_groups": (["rank"], "state = 'open'"),
        "worst_groups_of_target": ([*target, "rank"], "state = 'open'"),
        "newest_groups": (["first_seen"], "state = 'open'"),
        "groups_of_rollout": (["rollout", "rank"], "rollout <> ''"),
    }
    for name, (columns, words) in partial.items():
        rule = sa.text(words)
        op.create_index(name, "error_groups", columns, sqlite_where=rule, postgresql_where=rule)


def _create_counts() -> None:
    op.create_table(
        "error_hours",
        sa.Column(
            "group_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        _key("hour"),
        *_numbers("count"),
        sqlite_with_rowid=False,
    )
    op.create_index("error_hours_by_time", "error_hours", ["hour"])
    op.create_table(
        "target_hours",
        _key("hour"),
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, primary_key=True),
        *_numbers("count"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "target_minutes",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, primary_key=True),
        _key("minute"),
        *_numbers("count"),
        sqlite_with_rowid=False,
    )
    op.create_index("target_minutes_by_time", "target_minutes", ["minute"])


def _create_events(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "error_samples",
        sa.Column("id", number, sa.Identity(), primary_key=True),
        *_numbers("group_id", "at"),
        *_text("release", "source", "message", "fields"),
    )
    op.create_index("samples_of_group", "error_samples", ["group_id", "id"])
    op.create_index("samples_by_time", "error_samples", ["at"])
    op.create_table(
        "events",
        sa.Column("id", number, sa.Identity(), primary_key=True),
        *_numbers("at"),
        *_text("project", "environment", "level", "source", "message", "fields"),
        *_numbers("group_id", null=True),
        *_numbers("size"),
    )
    op.create_index("events_by_time", "events", ["at", "size"])


def _create_sources() -> None:
    op.create_table(
        "log_sources",
        sa.Column("id", sa.Text, primary_key=True),
        *_text("cursor"),
        *_numbers("due_at", "failures"),
        *_text("last_error"),
        *_numbers("failing_since", null=True),
        *_text("claim_owner", null=True),
        *_numbers("claim_until", null=True),
    )


def _create_digests(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "digests",
        sa.Column("id", number, sa.Identity(), primary_key=True),
        *_text("key", "channel"),
        *_numbers("revision", "due_at", "made_at"),
        *_text("document", "picture"),
        sqlite_autoincrement=True,
    )
    op.create_index("one_digest", "digests", ["key"], unique=True)
    op.create_index("rollouts_by_end", "rollouts", ["ended_at"])
    op.create_index("flips_by_time", "flips", ["at"])
    rule = sa.text("action IN ('check.stopped', 'check.started')")
    op.create_index("watch_changes", "audit", ["at"], sqlite_where=rule, postgresql_where=rule)


def _create_repeats() -> None:
    op.create_table(
        "repeats",
        sa.Column("component", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        *_text("body_hash", "answer"),
        *_numbers("rollout_id", "at"),
    )
    op.create_index("repeats_by_time", "repeats", ["at"])


def _create_deliveries(number: sa.types.TypeEngine[int]) -> None:
    op.create_table("feeds", sa.Column("component", sa.Text, primary_key=True), *_numbers("place"))
    op.create_table(
        "deliveries",
        sa.Column("id", number, sa.Identity(), primary_key=True),
        *_text("component", "subject", "type"),
        *_numbers("at"),
        *_text("body", "state"),
        *_numbers("attempts", "made_at", "due_at"),
        *_numbers("settled_at", null=True),
        *_text("last_error"),
        *_numbers("claim_until", null=True),
        sqlite_autoincrement=True,
    )
    rule = sa.text("state = 'pending'")
    for name, columns in (
        ("pending_deliveries", ["component", "subject", "id"]),
        ("due_deliveries", ["due_at"]),
    ):
        op.create_index(name, "deliveries", columns, sqlite_where=rule, postgresql_where=rule)
    op.create_index("deliveries_of_component", "deliveries", ["component", "state", "id"])


def _create_comparisons() -> None:
    op.create_table(
        "comparisons",
        sa.Column("key", sa.Text, primary_key=True),
        *_text("project", "environment", "mode"),
        *_numbers("begun_at"),
        *_text("planned"),
        *_numbers("run_at", "ended_at", "legacy_exit", null=True),
        *_text("seen"),
        sa.Column("agrees", sa.Boolean),
        *_text("detail"),
    )
    op.create_index("comparisons_of_target", "comparisons", ["project", "environment", "begun_at"])


def _extend_checks() -> None:
    op.add_column("checks", sa.Column("unasked_since", sa.BigInteger))


def _extend_alerts() -> None:
    """Alerts from before fired when they began, for all that anybody knows."""
    op.add_column("alerts", sa.Column("source", sa.Text, nullable=False, server_default=""))
    op.add_column("alerts", sa.Column("url", sa.Text, nullable=False, server_default=""))
    op.add_column(
        "alerts", sa.Column("fired_at", sa.BigInteger, nullable=False, server_default="0")
    )
    op.add_column("alerts", sa.Column("led_by", sa.BigInteger))
    op.add_column(
        "alerts", sa.Column("is_unasked", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column("alerts", sa.Column("well_at", sa.BigInteger))
    op.add_column("alerts", sa.Column("escalated_at", sa.BigInteger))
    op.add_column("alerts", sa.Column("escalated_to", sa.Text, nullable=False, server_default="[]"))
    op.execute("UPDATE alerts SET fired_at = since")
    op.create_index("alerts_by_time", "alerts", ["fired_at"])
    rule = sa.text("led_by IS NOT NULL")
    op.create_index("led_alerts", "alerts", ["led_by"], sqlite_where=rule, postgresql_where=rule)


_NOTICE = (
    "subject, kind, channel, urgency, version, delivered_version, created_at, put_at, due_at, attempts,"
    " last_error, claim_owner, claim_number, claim_until, uncertain, posted_channel, posted_ts"
)


def _give_notices_a_route() -> None:
    """The route becomes part of the key, which SQLite can only do to a new table."""
    op.create_table(
        "routed_notices",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, primary_key=True),
        *_text("channel"),
        *_numbers("urgency", "version", "delivered_version", "created_at", "put_at", "due_at"),
        *_numbers("attempts"),
        *_text("last_error"),
        *_text("claim_owner", null=True),
        *_numbers("claim_number"),
        *_numbers("claim_until", null=True),
        sa.Column("uncertain", sa.Boolean, nullable=False),
        *_text("posted_channel", "posted_ts", null=True),
        *_numbers("fallen_back"),
    )
    op.execute(
        f"INSERT INTO routed_notices ({_NOTICE}, route, fallen_back)"  # noqa: S608 - our own names
        f" SELECT {_NOTICE}, 'slack', 0 FROM notices"
    )
    op.drop_table("notices")
    op.rename_table("routed_notices", "notices")
    rule = sa.text("version > delivered_version")
    op.create_index(
        "undelivered_notices", "notices", ["due_at"], sqlite_where=rule, postgresql_where=rule
    )


def _count_rollouts_by_state() -> None:
    """So that counting those that have ended reads none of them."""
    rule = sa.text("state NOT IN ('pending_approval', 'queued', 'running', 'verifying')")
    op.create_index(
        "ended_rollouts", "rollouts", ["state"], sqlite_where=rule, postgresql_where=rule
    )


def _extend_rollouts() -> None:
    """When they are to start, and who looked at an emergency afterwards."""
    op.add_column("rollouts", *_numbers("start_at", null=True))
    op.add_column("rollouts", *_text("reviewed", null=True))
    rule = sa.text(
        "emergency AND reviewed IS NULL AND started_at IS NOT NULL AND ended_at IS NOT NULL"
    )
    op.create_index(
        "unreviewed_rollouts", "rollouts", ["id"], sqlite_where=rule, postgresql_where=rule
    )
