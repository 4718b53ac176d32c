"""`hms-sys migrate status`: how far each target in dual mode is, and how it went over time."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bot.absence import open_to_read
from bot.config import load_config
from bot.dual import dual_modes
from bot.settings import load_settings
from operations.durations import say_duration
from operations.integration.dual.comparison import (
    Comparison,
    DualMode,
    Readiness,
    Setting,
    Stretch,
    judge,
)

_LOOKED_AT = 200
_MARKS = {True: "=", False: "≠", None: "?"}
_READY = {
    DualMode.SHADOW: "ready for `dual: verify`",
    DualMode.VERIFY: "ready to switch: take `dual` out",
}
_NEXT = {DualMode.SHADOW: "verify", DualMode.VERIFY: "switch"}


async def report_dual(as_json: bool) -> int:
    """0 when every target in dual mode is ready for its next step."""
    settings = load_settings()
    config = load_config(settings.config_path)
    modes = dual_modes(config)
    chosen = [
        Setting(target_name=target.name, mode=modes[target.name], place=target.spec.identity)
        for target in config.catalog().targets
        if target.name in modes
    ]
    now = datetime.now(UTC)
    async with open_to_read(settings) as database:
        found = await database.comparisons.of_targets(limit=_LOOKED_AT)
    known = {each[0].target_name: each for each in found}
    readiness = [judge(each, known.get(each.target_name, ()), now) for each in chosen]
    if as_json:
        body = {"targets": [_document(each) for each in readiness]}
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(readiness, now)))
    return 0 if all(each.is_ready for each in readiness) else 1


def _lines(readiness: Sequence[Readiness], now: datetime) -> Iterator[str]:
    if not readiness:
        yield "No target is in dual mode: set `dual: shadow` at one, and deploy there."
    for each in readiness:
        yield f"{each.target_name} ({each.mode}): {_say(each, now)}"
        if each.present is not None:
            yield from _say_course(each, each.present)
        for stretch in each.former:
            yield f"  before: {_say_former(stretch)}"
    if any(each.present or each.former for each in readiness):
        yield "= both say the same   ≠ they differ   ? one of the two was not heard"


def _say(each: Readiness, now: datetime) -> str:
    if each.present is None or not each.present.compared:
        return "not yet; nothing was compared so far"
    word = _READY[each.mode] if each.is_ready else "not yet"
    agreements = "1 agreement" if each.in_a_row == 1 else f"{each.in_a_row} agreements"
    since = f" over {say_duration(now - each.since)}" if each.since else ""
    counts = f"{each.present.agreed} of {each.present.compared} in all"
    return f"{word}; {agreements} in a row{since}, {counts}"


def _say_course(each: Readiness, present: Stretch) -> Iterator[str]:
    yield f"  since {_day(present.begun_at)}: {_marks(present)}"
    first, last = present.first_difference, each.difference
    if first is not None and last is not None and first.key != last.key:
        yield f"  first difference: {_say_difference(first)}"
    if last is not None:
        yield f"  last difference: {_say_difference(last)}"


def _say_former(stretch: Stretch) -> str:
    span = f"{stretch.mode}, {_day(stretch.begun_at)} to {_day(stretch.ended_at)}"
    counts = f"{stretch.agreed} of {stretch.compared} agreed"
    return f"{span}: {_marks(stretch)}  {counts}"


def _say_difference(comparison: Comparison) -> str:
    return f"{comparison.key} on {_day(comparison.begun_at)}, {comparison.detail}"


def _marks(stretch: Stretch) -> str:
    return "".join(_MARKS[each] for each in stretch.newest)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _document(each: Readiness) -> dict[str, object]:
    return {
        "target": each.target_name,
        "mode": each.mode.value,
        "ready": each.is_ready,
        "next": _NEXT[each.mode],
        "compared": each.present.compared if each.present else 0,
        "agreed": each.present.agreed if each.present else 0,
        "in_a_row": each.in_a_row,
        "since": each.since.isoformat() if each.since else None,
        "last_difference": _difference(each.difference),
        "present": _course(each.present) if each.present else None,
        "former": [_course(stretch) for stretch in each.former],
    }


def _course(stretch: Stretch) -> dict[str, object]:
    return {
        "mode": stretch.mode.value,
        "from": stretch.begun_at.isoformat(),
        "to": stretch.ended_at.isoformat(),
        "compared": stretch.compared,
        "agreed": stretch.agreed,
        "newest": list(stretch.newest),
        "first_difference": _difference(stretch.first_difference),
    }


def _difference(comparison: Comparison | None) -> dict[str, object] | None:
    if comparison is None:
        return None
    return {
        "rollout": comparison.key,
        "at": comparison.begun_at.isoformat(),
        "detail": comparison.detail,
    }
