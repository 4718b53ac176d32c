"""One deployment seen by both tools, and what many of them say about a target. Pure.

What counts for a target is what was compared since it has its present mode and its present place on the
platform: agreements while HMS-OPS deployed say little of how HMS-SYS does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

ENOUGH = 5
"""So many agreements in a row on deployments that went well, over LONG_ENOUGH, and a target is ready."""
LONG_ENOUGH = timedelta(days=7)
_SHOWN = 10


class DualMode(StrEnum):
    """Who deploys."""

    SHADOW = "shadow"  # HMS-OPS; HMS-SYS changes nothing
    VERIFY = "verify"  # HMS-SYS; HMS-OPS is asked afterwards


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`key` is the rollout's name. `planned` is the version that was resolved, `place` what it was for.

    `run_at` is when HMS-OPS was started; `legacy_exit` is its exit code, None while nobody knows it.
    `seen` is what the platform showed in the end. `agrees` is None until both have been heard, and for
    ever when one was not.
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
    place: str = ""
    """The platform's object, as `TargetSpec.identity`; "" for what an older version stored."""

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What was compared of a target in one mode and place, without a change of either between.

    `newest` are the answers of the last ten, the newest last; None: one of the two was not heard.
    """

    mode: DualMode
    begun_at: datetime
    ended_at: datetime
    compared: int
    agreed: int
    newest: tuple[bool | None, ...]
    first_difference: Comparison | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How far a target is in its present mode, and its former stretches, newest first.

    `in_a_row` counts the newest agreements on deployments that went well, the first of them `since`;
    `difference` is the newest comparison that differed.
    """

    target_name: str
    mode: DualMode
    in_a_row: int
    since: datetime | None
    difference: Comparison | None
    present: Stretch | None
    former: tuple[Stretch, ...]
    is_ready: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A target in dual mode as it is configured now."""

    target_name: str
    mode: DualMode
    place: str


def judge(setting: Setting, comparisons: Sequence[Comparison], now: datetime) -> Readiness:
    """Of one target's comparisons, newest first; those still open do not count."""
    stretches = list(_stretches(setting, comparisons))
    present = _present(setting, stretches)
    heard = [each for each in present if each.agrees is not None]
    row = _newest_agreements(heard)
    since = row[-1].begun_at if row else None
    lasted = since is not None and now - since >= LONG_ENOUGH
    return Readiness(
        target_name=setting.target_name,
        mode=setting.mode,
        in_a_row=len(row),
        since=since,
        difference=next((each for each in heard if each.agrees is False), None),
        present=_sum_up(present) if present else None,
        former=tuple(_sum_up(each) for each in stretches if each is not present),
        is_ready=len(row) >= ENOUGH and lasted,
    )


def _stretches(
    setting: Setting, comparisons: Sequence[Comparison]
) -> Iterator[Sequence[Comparison]]:
    ended = [each for each in comparisons if each.agrees is not None or each.ended_at is not None]
    for _, group in groupby(ended, lambda each: (each.mode, each.place or setting.place)):
        yield list(group)


def _present(setting: Setting, stretches: Sequence[Sequence[Comparison]]) -> Sequence[Comparison]:
    """The newest, unless the target was changed since."""
    if not stretches:
        return ()
    newest = stretches[0][0]
    is_same = (newest.mode, newest.place or setting.place) == (setting.mode, setting.place)
    return stretches[0] if is_same else ()


def _sum_up(stretch: Sequence[Comparison]) -> Stretch:
    heard = [each for each in stretch if each.agrees is not None]
    differences = [each for each in heard if each.agrees is False]
    return Stretch(
        mode=stretch[0].mode,
        begun_at=stretch[-1].begun_at,
        ended_at=stretch[0].begun_at,
        compared=len(heard),
        agreed=len(heard) - len(differences),
        newest=tuple(each.agrees for each in reversed(stretch[:_SHOWN])),
        first_difference=differences[-1] if differences else None,
    )


def _newest_agreements(heard: Sequence[Comparison]) -> list[Comparison]:
    """That both saw a failure of HMS-OPS's own breaks no row, and says nothing for HMS-SYS either."""
    row: list[Comparison] = []
    for each in heard:
        if not each.agrees:
            break
        if each.legacy_exit == 0:
            row.append(each)
    return row
