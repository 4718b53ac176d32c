"""A page of alerts, of those that are over too: which, by the rules that were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import sqlalchemy as sa

from operations.monitoring.alert import OPEN_STATES, AlertQuery, AlertState
from storage.schema import ALERTS, OPEN_ALERT
from storage.statements import Statement

_A = ALERTS.c
_NEWEST = 1 << 62
"""Above every id. SQLite takes the index of what is open only with some bound on the id."""


def search(query: AlertQuery) -> tuple[Statement, Mapping[str, object]]:
    """The statement and its values; one row more than asked for tells whether another page follows."""
    given = {"project": query.project, "environment": query.environment}
    values: dict[str, object] = {name: value for name, value in given.items() if value}
    statement = page_of(frozenset(values), query.states)
    before = _NEWEST if query.before is None else query.before
    return statement, {**values, "before": before, "rows": query.limit + 1}


@cache
def page_of(rules: frozenset[str], states: frozenset[AlertState]) -> Statement:
    """The statement for this choice; there are at most 32."""
    chosen = [_A[name] == sa.bindparam(name) for name in sorted(rules)]
    if states and states <= OPEN_STATES:
        chosen.append(sa.literal_column(OPEN_ALERT, sa.Boolean))
    if states and states != OPEN_STATES:
        words = ", ".join(f"'{state}'" for state in sorted(states))
        chosen.append(sa.literal_column(f"state IN ({words})", sa.Boolean))
    return Statement(
        sa.select(*ALERTS.columns)
        .where(*chosen, _A.id < sa.bindparam("before"))
        .order_by(_A.id.desc())
        .limit(sa.bindparam("rows", type_=sa.Integer))
    )
