"""The tables as the code now reads and writes them; `migrations` bring a database here.

Times are integers, microseconds since 1970 in UTC: exact, and ordered alike in both databases. Nested
values are JSON in text columns, so that they come back as they went in. Names of people stand beside
their ids because the trail must stay readable when a directory forgets somebody.
"""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()

# SQLite counts ids up only for a column that is declared INTEGER.
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

ACTIVE = "state IN ('running', 'verifying')"
WAITING = "state IN ('pending_approval', 'queued')"
WORKING = "state IN ('queued', 'running', 'verifying')"
SUCCEEDED = "state = 'succeeded'"
PENDING = "state = 'pending_approval'"
ENDED = "state NOT IN ('pending_approval', 'queued', 'running', 'verifying')"
UNREVIEWED = "emergency AND reviewed IS NULL AND started_at IS NOT NULL AND ended_at IS NOT NULL"
FROM_OUTSIDE = "external_id <> ''"
IMPORTED_ROLLOUT = "kind = 'import'"
UNDELIVERED = "version > delivered_version"
RUNNING_CHECK = "stopped_by = ''"
PENDING_DELIVERY = "state = 'pending'"
OPEN_ALERT = "state IN ('firing', 'acknowledged')"
OPEN_GROUP = "state = 'open'"
TIED_GROUP = "rollout <> ''"
WATCH_CHANGE = "action IN ('check.stopped', 'check.started')"
LED_ALERT = "led_by IS NOT NULL"


def partial(name: str, *columns: str, where: str, unique: bool = False) -> sa.Index:
    """An index over the rows that satisfy `where`, in both databases."""
    rule = sa.text(where)
    return sa.Index(name, *columns, unique=unique, sqlite_where=rule, postgresql_where=rule)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


ROLLOUTS = sa.Table(
    "rollouts",
    METADATA,
    sa.Column("id", Number, sa.Identity(start=1001), primary_key=True),
    _text("project"),
    _text("environment"),
    _text("provider"),
    _text("kind"),
    _text("state"),
    _text("phase"),
    _number("revision"),
    _text("version"),
    _text("artifact"),
    _text("pin"),
    sa.Column("previous", sa.Text),
    _text("requested_by_id"),
    _text("requested_by_kind"),
    _text("requested_by_name"),
    _number("requested_at"),
    _text("reason"),
    _text("channel"),
    _text("external_id"),
    sa.Column("emergency", sa.Boolean, nullable=False),
    _text("warnings"),
    _number("votes_required"),
    _number("expires_at", null=True),
    _number("start_at", null=True),
    sa.Column("cancelled_by", sa.Text),
    _number("started_at", null=True),
    _number("ended_at", null=True),
    _text("steps"),
    sa.Column("handle", sa.Text),
    sa.Column("failure", sa.Text),
    _text("outcome"),
    sa.Column("reviewed", sa.Text),
    sa.Column("lease_owner", sa.Text),
    sa.Column("lease_number", sa.BigInteger, nullable=False, server_default="0"),
    _number("lease_until", null=True),
    partial("one_active_rollout", "project", "environment", where=ACTIVE, unique=True),
    partial("waiting_rollouts", "project", "environment", "id", where=WAITING),
    partial("working_rollouts", "id", where=WORKING),
    partial("live_rollouts", "project", "environment", "version", "id", where=SUCCEEDED),
    partial("expiring_rollouts", "expires_at", where=PENDING),
    partial("ended_rollouts", "state", where=ENDED),
    partial("unreviewed_rollouts", "id", where=UNREVIEWED),
    partial("one_import", "external_id", where=IMPORTED_ROLLOUT, unique=True),
    sa.Index("rollouts_of_target", "project", "environment", "id"),
    sa.Index("rollouts_of_requester", "requested_by_id", "id"),
    sa.Index("rollouts_by_end", "ended_at"),
    partial("rollouts_by_external_id", "external_id", "id", where=FROM_OUTSIDE),
    sqlite_autoincrement=True,
)

VOTES = sa.Table(
    "votes",
    METADATA,
    sa.Column("rollout_id", Number, sa.ForeignKey("rollouts.id"), primary_key=True),
    sa.Column("actor_id", sa.Text, primary_key=True),
    _text("actor_kind"),
    _text("actor_name"),
    _text("vote"),
    _number("at"),
    _number("position"),
)

LOCKS = sa.Table(
    "locks",
    METADATA,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("environment", sa.Text, primary_key=True),
    _text("actor_id"),
    _text("actor_kind"),
    _text("actor_name"),
    _text("reason"),
    _number("at"),
    _number("until", null=True),
)

AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("number", Number, primary_key=True, autoincrement=False),
    _number("at"),
    _text("actor_id"),
    _text("actor_kind"),
    _text("actor_name"),
    _text("action"),
    _text("subject"),
    _text("detail"),
    _text("hash"),
    sa.Index("audit_of_subject", "subject", "number"),
    partial("watch_changes", "at", where=WATCH_CHANGE),
)

NOTICES = sa.Table(
    "notices",
    METADATA,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("route", sa.Text, primary_key=True),
    _text("channel"),
    _number("urgency"),
    _number("version"),
    _number("delivered_version"),
    _number("created_at"),
    _number("put_at"),
    _number("due_at"),
    _number("attempts"),
    _text("last_error"),
    sa.Column("claim_owner", sa.Text),
    _number("claim_number"),
    _number("claim_until", null=True),
    sa.Column("uncertain", sa.Boolean, nullable=False),
    sa.Column("posted_channel", sa.Text),
    sa.Column("posted_ts", sa.Text),
    _number("fallen_back"),
    partial("undelivered_notices", "due_at", where=UNDELIVERED),
)

CHECKS = sa.Table(
    "checks",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    _text("state"),
    _number("bad"),
    _number("good"),
    _number("first_bad_at", null=True),
    _text("flips"),
    sa.Column("is_flapping", sa.Boolean, nullable=False),
    _text("stopped_by"),
    sa.Column("last", sa.Text),
    _number("due_at", null=True),
    _number("unasked_since", null=True),
    partial("due_checks", "due_at", where=RUNNING_CHECK),
)

FLIPS = sa.Table(
    "flips",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    _text("check_id"),
    _text("old"),
    _text("new"),
    _text("reason"),
    _number("at"),
    sa.Index("flips_of_check", "check_id", "id"),
    sa.Index("flips_by_time", "at"),
)

ALERTS = sa.Table(
    "alerts",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    _text("check_id"),
    _text("name"),
    _text("project"),
    _text("environment"),
    _text("channel"),
    _text("state"),
    _number("revision"),
    _number("since"),
    _number("seen"),
    _text("reason"),
    sa.Column("is_flapping", sa.Boolean, nullable=False),
    _text("rollout"),
    _text("source"),
    _text("url"),
    _number("fired_at"),
    _number("led_by", null=True),
    sa.Column("is_unasked", sa.Boolean, nullable=False),
    _number("well_at", null=True),
    _number("escalated_at", null=True),
    _text("escalated_to"),
    sa.Column("acknowledged_by", sa.Text),
    _number("acknowledged_at", null=True),
    sa.Column("silenced_by", sa.Text),
    _number("silenced_until", null=True),
    _number("resolved_at", null=True),
    sa.Column("resolved_by", sa.Text),
    partial("one_open_alert", "check_id", where=OPEN_ALERT, unique=True),
    partial("open_alerts", "id", where=OPEN_ALERT),
    sa.Index("alerts_by_time", "fired_at"),
    partial("led_alerts", "led_by", where=LED_ALERT),
    sqlite_autoincrement=True,
)

ERROR_GROUPS = sa.Table(
    "error_groups",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    _text("project"),
    _text("environment"),
    _text("fingerprint"),
    _text("title"),
    _text("level"),
    _text("state"),
    _number("revision"),
    _number("count"),
    _number("first_seen"),
    _number("last_seen"),
    _text("first_release"),
    _text("last_release"),
    # Forward decay: compares as the groups' counts would if old events counted less and less.
    sa.Column("rank", sa.Double, nullable=False),
    # How many of `count` another tool's logs told of.
    sa.Column("imported", sa.BigInteger, nullable=False, server_default="0"),
    _text("rollout"),
    sa.Column("silenced_by", sa.Text),
    _number("silenced_until", null=True),
    sa.Column("resolved_by", sa.Text),
    _number("resolved_at", null=True),
    sa.Index("one_group", "project", "environment", "fingerprint", unique=True),
    partial("worst_groups", "rank", where=OPEN_GROUP),
    partial("worst_groups_of_target", "project", "environment", "rank", where=OPEN_GROUP),
    partial("worst_groups_of_project", "project", "rank", where=OPEN_GROUP),
    partial("newest_groups", "first_seen", where=OPEN_GROUP),
    partial("groups_of_rollout", "rollout", "rank", where=TIED_GROUP),
    sqlite_autoincrement=True,
)

ERROR_HOURS = sa.Table(
    "error_hours",
    METADATA,
    sa.Column("group_id", Number, primary_key=True, autoincrement=False),
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
    _number("count"),
    sa.Index("error_hours_by_time", "hour"),
    sqlite_with_rowid=False,
)

TARGET_HOURS = sa.Table(
    "target_hours",
    METADATA,
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("environment", sa.Text, primary_key=True),
    _number("count"),
    sqlite_with_rowid=False,
)

TARGET_MINUTES = sa.Table(
    "target_minutes",
    METADATA,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False),
    _number("count"),
    sa.Index("target_minutes_by_time", "minute"),
    sqlite_with_rowid=False,
)

ERROR_NEWCOMERS = sa.Table(
    "error_newcomers",
    METADATA,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
    _number("count"),
    sa.Index("error_newcomers_by_time", "hour"),
    sqlite_with_rowid=False,
)

EVENT_BATCHES = sa.Table(
    "event_batches",
    METADATA,
    sa.Column("sender", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("body_hash"),
    _number("at"),
    sa.Index("event_batches_by_time", "at"),
    sqlite_with_rowid=False,
)

ERROR_SAMPLES = sa.Table(
    "error_samples",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    _number("group_id"),
    _number("at"),
    _text("release"),
    _text("source"),
    _text("message"),
    _text("fields"),
    sa.Index("samples_of_group", "group_id", "id"),
    sa.Index("samples_by_time", "at"),
)

EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    _number("at"),
    _text("project"),
    _text("environment"),
    _text("level"),
    _text("source"),
    _text("message"),
    _text("fields"),
    _number("group_id", null=True),
    _number("size"),
    sa.Index("events_by_time", "at", "size"),
)

IMPORTED_ERRORS = sa.Table(
    "imported_errors",
    METADATA,
    sa.Column("key", Number, primary_key=True, autoincrement=False),
    _number("at"),
    sa.Index("imported_errors_by_time", "at"),
)

LOG_SOURCES = sa.Table(
    "log_sources",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    _text("cursor"),
    _number("due_at"),
    _number("failures"),
    _text("last_error"),
    _number("failing_since", null=True),
    sa.Column("claim_owner", sa.Text),
    _number("claim_until", null=True),
)

DIGESTS = sa.Table(
    "digests",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    # The day of a scheduled one (`2026-11-24`); `now:` and an id for one that a person asked for.
    _text("key"),
    _text("channel"),
    _number("revision"),
    _number("due_at"),
    _number("made_at"),
    _text("document"),
    # Slack's id of the chart that was uploaded for it, "" when there is none.
    _text("picture"),
    sa.Index("one_digest", "key", unique=True),
    sqlite_autoincrement=True,
)

DIGEST_ITEMS = sa.Table(
    "digest_items",
    METADATA,
    # What the digest names and has buttons for: `E-12`, `A-17`.
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("digest_id", Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

REPEATS = sa.Table(
    "repeats",
    METADATA,
    sa.Column("component", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("body_hash"),
    _text("answer"),
    _number("rollout_id"),
    _number("at"),
    sa.Index("repeats_by_time", "at"),
)

FEEDS = sa.Table(
    "feeds",
    METADATA,
    sa.Column("component", sa.Text, primary_key=True),
    _number("place"),
)

DELIVERIES = sa.Table(
    "deliveries",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    _text("component"),
    _text("subject"),
    _text("type"),
    _number("at"),
    _text("body"),
    _text("state"),
    _number("attempts"),
    _number("made_at"),
    _number("due_at"),
    _number("settled_at", null=True),
    _text("last_error"),
    _number("claim_until", null=True),
    partial("pending_deliveries", "component", "subject", "id", where=PENDING_DELIVERY),
    partial("due_deliveries", "due_at", where=PENDING_DELIVERY),
    sa.Index("deliveries_of_component", "component", "state", "id"),
    sqlite_autoincrement=True,
)

COMPARISONS = sa.Table(
    "comparisons",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    _text("project"),
    _text("environment"),
    _text("mode"),
    _number("begun_at"),
    _text("planned"),
    _number("run_at", null=True),
    _number("ended_at", null=True),
    _number("legacy_exit", null=True),
    _text("seen"),
    sa.Column("agrees", sa.Boolean),
    _text("detail"),
    # The platform's object, which may be another one after a change of the configuration.
    _text("place"),
    sa.Index("comparisons_of_target", "project", "environment", "begun_at"),
)
