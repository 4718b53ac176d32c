"""Rollouts with their votes, locks, the audit trail and the outbox.

Written out, not taken from `storage.schema`: that file moves on, this one says what was released.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_AUDIT_SQLITE = (
    """CREATE TRIGGER audit_keeps_events BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    """CREATE TRIGGER audit_loses_nothing BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
)
_AUDIT_POSTGRES = (
    """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
    """CREATE TRIGGER audit_keeps_events BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
    """CREATE TRIGGER audit_loses_nothing BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)


def upgrade() -> None:
    """Create everything."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    _create_rollouts(number)
    _create_votes(number)
    _create_locks()
    _create_audit(number)
    _create_notices()
    _protect()


def _text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=null) for name in names]


def _numbers(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=null) for name in names]


def _partial(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    rule = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=rule, postgresql_where=rule)


def _create_rollouts(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "rollouts",
        sa.Column("id", number, sa.Identity(start=1001), primary_key=True),
        *_text("project", "environment", "provider", "kind", "state", "phase"),
        *_numbers("revision"),
        *_text("version", "artifact", "pin"),
        *_text("previous", null=True),
        *_text("requested_by_id", "requested_by_kind", "requested_by_name"),
        *_numbers("requested_at"),
        *_text("reason", "channel", "external_id"),
        sa.Column("emergency", sa.Boolean, nullable=False),
        *_text("warnings"),
        *_numbers("votes_required"),
        *_numbers("expires_at", null=True),
        *_text("cancelled_by", null=True),
        *_numbers("started_at", "ended_at", null=True),
        *_text("steps"),
        *_text("handle", "failure", null=True),
        *_text("outcome"),
        *_text("lease_owner", null=True),
        sa.Column("lease_number", sa.BigInteger, nullable=False, server_default="0"),
        *_numbers("lease_until", null=True),
        sqlite_autoincrement=True,
    )
    _index_rollouts()


def _index_rollouts() -> None:
    target = ["project", "environment"]
    active = "state IN ('running', 'verifying')"
    waiting = "state IN ('pending_approval', 'queued')"
    working = "state IN ('queued', 'running', 'verifying')"
    pending = "state = 'pending_approval'"
    live = [*target, "version", "id"]
    _partial("one_active_rollout", "rollouts", target, active, unique=True)
    _partial("waiting_rollouts", "rollouts", [*target, "id"], waiting)
    _partial("working_rollouts", "rollouts", ["id"], working)
    _partial("live_rollouts", "rollouts", live, "state = 'succeeded'")
    _partial("expiring_rollouts", "rollouts", ["expires_at"], pending)
    op.create_index("rollouts_of_target", "rollouts", [*target, "id"])
    op.create_index("rollouts_of_requester", "rollouts", ["requested_by_id", "id"])


def _create_votes(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "votes",
        sa.Column("rollout_id", number, sa.ForeignKey("rollouts.id"), primary_key=True),
        sa.Column("actor_id", sa.Text, primary_key=True),
        *_text("actor_kind", "actor_name", "vote"),
        *_numbers("at", "position"),
    )


def _create_locks() -> None:
    op.create_table(
        "locks",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, primary_key=True),
        *_text("actor_id", "actor_kind", "actor_name", "reason"),
        *_numbers("at"),
        *_numbers("until", null=True),
    )


def _create_audit(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "audit",
        sa.Column("number", number, primary_key=True, autoincrement=False),
        *_numbers("at"),
        *_text("actor_id", "actor_kind", "actor_name", "action", "subject", "detail", "hash"),
    )
    op.create_index("audit_of_subject", "audit", ["subject", "number"])


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        *_text("channel"),
        *_numbers("urgency", "version", "delivered_version", "created_at", "put_at", "due_at"),
        *_numbers("attempts"),
        *_text("last_error"),
        *_text("claim_owner", null=True),
        *_numbers("claim_number"),
        *_numbers("claim_until", null=True),
        sa.Column("uncertain", sa.Boolean, nullable=False),
        *_text("posted_channel", "posted_ts", null=True),
    )
    _partial("undelivered_notices", "notices", ["due_at"], "version > delivered_version")


def _protect() -> None:
    """Make the trail append-only, and let SQLite's ids begin at 1001."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('rollouts', 1000)")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _AUDIT_SQLITE if is_sqlite else _AUDIT_POSTGRES:
        op.execute(statement)
