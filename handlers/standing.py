"""How a check stands, in one word, for Slack, the command line and the JSON documents alike."""

from __future__ import annotations

from enum import StrEnum

from operations.monitoring.alerting import CheckReport
from operations.monitoring.check import CheckState, Outcome


class Standing(StrEnum):
    """What people are told first."""

    OK = "ok"
    FAILING = "failing"
    FLAPPING = "flapping"
    UNHEARD = "cannot tell"  # nobody could be asked the last time
    UNASKED = "not asked yet"
    STOPPED = "stopped"


def standing_of(report: CheckReport) -> Standing:
    """What is certain goes first: nobody asks a stopped check, and one that failed fails until it is well."""
    record = report.record
    if record.stopped_by:
        return Standing.STOPPED
    if record.is_flapping:
        return Standing.FLAPPING
    if record.state is CheckState.FAILING:
        return Standing.FAILING
    if record.last is None:
        return Standing.UNASKED
    return Standing.UNHEARD if record.last.outcome is Outcome.INCONCLUSIVE else Standing.OK


def is_failing(report: CheckReport) -> bool:
    """Whether somebody should look."""
    return standing_of(report) in {Standing.FAILING, Standing.FLAPPING}


def say_last(report: CheckReport) -> str:
    """What the newest answer said, beyond that it was good; misses that are too few yet are counted."""
    record = report.record
    if record.last is None or record.last.outcome is Outcome.OK:
        return ""
    if record.bad and record.state is not CheckState.FAILING:
        return f"{record.last.detail} ({record.bad} of {report.check.failures} misses)"
    return record.last.detail


def count_words(reports: list[CheckReport]) -> str:
    """`3 checks · 1 failing`."""
    total = f"{len(reports)} {'check' if len(reports) == 1 else 'checks'}"
    failing = sum(1 for report in reports if is_failing(report))
    told = [f"{failing} failing"] if failing else []
    for standing in (Standing.UNHEARD, Standing.UNASKED, Standing.STOPPED):
        count = sum(1 for report in reports if standing_of(report) is standing)
        told += [f"{count} {standing.value}"] if count else []
    return " · ".join([total, *(told or ["all well"])])
