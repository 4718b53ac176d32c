"""A page of history: which rollouts, by the rules that were asked for."""

from __future__ import annotations

import re
from functools import cache

import sqlalchemy as sa

from operations.deployment.rollout import HistoryPage, HistoryQuery
from storage.rows import from_time, readable_of
from storage.schema import FROM_OUTSIDE, ROLLOUTS, UNREVIEWED
from storage.session import Session
from storage.statements import Statement
from storage.whole_rollouts import IS_OWN, picked, rule, with_votes

_R = ROLLOUTS.c
_ID = re.compile(r"[UW][A-Z0-9]{2,}|\w+:.+")
"""A Slack user's id, or that of a login or component, which begins with its kind."""

_NEWEST = 1 << 62
"""Above every id. SQLite takes the index of what is unreviewed only with some bound on the id."""


async def read_page(session: Session, query: HistoryQuery) -> HistoryPage:
    """Newest first; one row more than asked for tells whether another page follows."""
    values = _search_values(query)
    statement = _search(_rules_of(query))
    rows = await session.fetch(statement, **values, rows=query.limit + 1)
    ids = list(dict.fromkeys(row["id"] for row in rows))
    last = ids[query.limit - 1] if len(ids) > query.limit else None
    page = [rollout for rollout in readable_of(rows) if last is None or rollout.id >= last]
    return HistoryPage(tuple(page), last)


def _search_values(query: HistoryQuery) -> dict[str, object]:
    """What was asked for, by the name of its rule."""
    values: dict[str, object] = {
        "project": query.project,
        "environment": query.environment,
        "external_id": query.external_id,
    }
    chosen = {name: value for name, value in values.items() if value}
    if _ID.fullmatch(query.requested_by):
        chosen["requested_by"] = query.requested_by
    elif query.requested_by:
        chosen["requester"] = query.requested_by.lower()
    if query.since is not None:
        chosen["since"] = from_time(query.since)
    if query.before is not None or query.unreviewed:
        chosen["before"] = _NEWEST if query.before is None else query.before
    return chosen


def _rules_of(query: HistoryQuery) -> frozenset[str]:
    rules = {"unreviewed": query.unreviewed, "own": not query.imported}
    return frozenset({*_search_values(query), *(name for name, holds in rules.items() if holds)})


@cache
def _search(rules: frozenset[str]) -> Statement:
    """The statement for this choice of rules; there are at most 288."""
    known: dict[str, sa.ColumnElement[bool]] = {
        "project": _R.project == sa.bindparam("project"),
        "environment": _R.environment == sa.bindparam("environment"),
        "external_id": sa.and_(rule(FROM_OUTSIDE), _R.external_id == sa.bindparam("external_id")),
        "requested_by": _R.requested_by_id == sa.bindparam("requested_by"),
        "requester": sa.func.lower(_R.requested_by_name) == sa.bindparam("requester"),
        "since": _R.requested_at >= sa.bindparam("since"),
        "before": _R.id < sa.bindparam("before"),
        "unreviewed": rule(UNREVIEWED),
        "own": IS_OWN,
    }
    chosen = picked(*(known[name] for name in sorted(rules)))
    limit = sa.bindparam("rows", type_=sa.Integer)
    return with_votes(chosen.order_by(_R.id.desc()).limit(limit), newest_first=True)
