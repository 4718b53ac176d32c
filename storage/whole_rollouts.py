"""Statements that read whole rollouts, with their votes, in the words of the indexes that serve them."""

from __future__ import annotations

import sqlalchemy as sa

from storage.schema import ROLLOUTS, VOTES
from storage.statements import Statement

IS_OWN = ROLLOUTS.c.id > sa.literal_column("0")
"""Not history of another tool, whose ids are negative: a bound on what the indexes are ordered by, so that
not one of a hundred thousand is looked at. Beside the rule of a partial index, never in its place."""


def with_votes(chosen: sa.Select[tuple[object, ...]], *, newest_first: bool = False) -> Statement:
    """Whole rollouts: each row of `chosen` once for each vote, or once when there is none."""
    rollouts = chosen.subquery("picked")
    votes = (
        VOTES.c.vote,
        VOTES.c.at.label("vote_at"),
        VOTES.c.actor_id.label("vote_by_id"),
        VOTES.c.actor_kind.label("vote_by_kind"),
        VOTES.c.actor_name.label("vote_by_name"),
    )
    joined = rollouts.outerjoin(VOTES, VOTES.c.rollout_id == rollouts.c.id)
    order = rollouts.c.id.desc() if newest_first else rollouts.c.id
    return Statement(
        sa.select(*rollouts.c, *votes).select_from(joined).order_by(order, VOTES.c.position)
    )


def picked(*rules: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    """Every column of those that satisfy all rules; for `with_votes`."""
    return sa.select(*ROLLOUTS.columns).where(*rules)


def rule(text: str) -> sa.ColumnElement[bool]:
    """A rule in the very words of the partial index that serves it; SQLite compares them."""
    return sa.literal_column(text, sa.Boolean)
