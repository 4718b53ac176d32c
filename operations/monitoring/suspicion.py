"""Whether it is the bot itself that lost its network, when every check fails at once.

A pure function of records. Only checks that were not failing before are witnesses: one that is down since
yesterday says nothing. Answers from before the trouble began say nothing either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from operations.monitoring.check import Check, CheckKind, CheckRecord, CheckState, Outcome

ITSELF = "hms-sys"
"""In the place of a check's id: the alert about the bot itself. No configured check can have it."""

FEWEST_HOSTS = 3
"""With fewer hosts it is likelier that they share a fault than that the bot is cut off."""

_OVER_THE_NETWORK = frozenset({CheckKind.HTTP, CheckKind.TCP})


def can_witness(check: Check) -> bool:
    """Whether its answers tell of the bot's own network; a provider's trouble is never called failing."""
    return check.kind in _OVER_THE_NETWORK


def count_silent(
    checks: Iterable[Check], records: Mapping[str, CheckRecord], onset: datetime
) -> int:
    """How many checks were asked since `onset` and all in vain; 0 when the bot is not to be suspected."""
    witnesses = [
        (check, record)
        for check in checks
        if can_witness(check)
        and (record := records.get(check.id)) is not None
        and _testifies(record, onset)
    ]
    hosts = {urlsplit(check.url).hostname for check, _ in witnesses}
    answered = any(record.last and record.last.outcome is Outcome.OK for _, record in witnesses)
    return 0 if answered or len(hosts) < FEWEST_HOSTS else len(witnesses)


def _testifies(record: CheckRecord, onset: datetime) -> bool:
    if record.state is CheckState.FAILING or record.last is None:
        return False
    return record.last.at >= onset
