"""One deployment seen by both tools, and what many of them say about a target. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ENOUGH = 5
"""So many agreements in a row, over LONG_ENOUGH, and a target is ready to switch."""
LONG_ENOUGH = timedelta(days=7)


class DualMode(StrEnum):
    """Who deploys."""

    SHADOW = "shadow"  # HMS-OPS; HMS-SYS changes nothing
    VERIFY = "verify"  # HMS-SYS; HMS-OPS is asked afterwards


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`key` is the rollout's name. `planned` is the version that was resolved.

    `run_at` is when HMS-OPS was started; `legacy_exit` is its exit code, None while nobody knows it.
    `seen` is what the platform showed in the end. `agrees` is None until both have been heard.
    """

    key: str
    project: str
    environment: str
    mode: DualMode
    begun_at: datetime
    planned: str
    run_at: datetime | None = None
    ended_at: datetime | None = None
    legacy_exit: int | None = None
    seen: str = ""
    agrees: bool | None = None
    detail: str = ""

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """`in_a_row` counts the newest agreements; `difference` is the newest comparison that differed."""

    target_name: str
    mode: DualMode
    compared: int
    agreed: int
    in_a_row: int
    since: datetime | None
    difference: Comparison | None
    is_ready: bool


def judge(comparisons: Sequence[Comparison], now: datetime) -> Readiness:
    """Of one target's comparisons, newest first and at least one; those still open do not count."""
    heard = [each for each in comparisons if each.agrees is not None]
    row = _newest_agreements(heard)
    since = row[-1].begun_at if row else None
    lasted = since is not None and now - since >= LONG_ENOUGH
    return Readiness(
        target_name=comparisons[0].target_name,
        mode=comparisons[0].mode,
        compared=len(heard),
        agreed=sum(each.agrees is True for each in heard),
        in_a_row=len(row),
        since=since,
        difference=next((each for each in heard if each.agrees is False), None),
        is_ready=len(row) >= ENOUGH and lasted,
    )


def _newest_agreements(heard: Sequence[Comparison]) -> list[Comparison]:
    row: list[Comparison] = []
    for each in heard:
        if not each.agrees:
            break
        row.append(each)
    return row
