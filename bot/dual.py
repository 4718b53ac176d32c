"""Dual mode, put together: which targets HMS-OPS and HMS-SYS look after together, and what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from bot.config import Config, load_config
from bot.settings import load_settings
from operations.clock import Clock
from operations.deployment.ports import Provider
from operations.durations import say_duration
from operations.integration.dual.comparison import DualMode, Readiness, judge
from storage.database import Database, open_database

_LOOKED_AT = 50


def dual_modes(config: Config) -> Mapping[str, DualMode]:
    """The targets that are in dual mode, in the order of the file."""
    return {
        f"{name}/{environment}": DualMode(placement.dual)
        for name, project in config.projects.items()
        for environment, placement in project.environments.items()
        if placement.dual is not None
    }


def wrap_dual(
    platforms: Mapping[str, Provider], config: Config, database: Database, clock: Clock
) -> Mapping[str, Provider]:
    """The platforms, with HMS-OPS beside them where the configuration says so."""
    modes = dual_modes(config)
    if config.legacy is None or not modes:
        return platforms
    from providers.dual import DualParts, DualProvider
    from providers.legacy_tool import HmsOps

    parts = DualParts(
        modes=modes,
        tool=HmsOps(config.legacy.command),
        comparisons=database.comparisons,
        clock=clock,
    )
    return {word: DualProvider(platform, parts) for word, platform in platforms.items()}


async def report_dual(as_json: bool) -> int:
    """`hms-sys migrate status`: 0 when every target in dual mode is ready to switch."""
    settings = load_settings()
    modes = dual_modes(load_config(settings.config_path))
    now = datetime.now(UTC)
    async with await open_database(settings.database_url.get_secret_value()) as database:
        found = await database.comparisons.of_targets(limit=_LOOKED_AT)
    known = {each[0].target_name: judge(each, now) for each in found}
    readiness = [known.get(name) or _unheard(name, mode) for name, mode in modes.items()]
    if as_json:
        body = {"targets": [_document(each) for each in readiness]}
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _lines(readiness, now)))
    return 0 if all(each.is_ready for each in readiness) else 1


def _unheard(name: str, mode: DualMode) -> Readiness:
    return Readiness(
        target_name=name,
        mode=mode,
        compared=0,
        agreed=0,
        in_a_row=0,
        since=None,
        difference=None,
        is_ready=False,
    )


def _lines(readiness: Sequence[Readiness], now: datetime) -> Iterator[str]:
    if not readiness:
        yield "No target is in dual mode: set `dual: shadow` at one, and deploy there."
    for each in readiness:
        yield f"{each.target_name} ({each.mode}): {_say(each, now)}"
        if each.difference is not None:
            yield f"  last difference: {each.difference.key}, {each.difference.detail}"


def _say(each: Readiness, now: datetime) -> str:
    if not each.compared:
        return "not yet; nothing was compared so far"
    word = "ready to switch" if each.is_ready else "not yet"
    agreements = "1 agreement" if each.in_a_row == 1 else f"{each.in_a_row} agreements"
    since = f" over {say_duration(now - each.since)}" if each.since else ""
    return f"{word}; {agreements} in a row{since}, {each.agreed} of {each.compared} in all"


def _document(each: Readiness) -> dict[str, object]:
    return {
        "target": each.target_name,
        "mode": each.mode.value,
        "compared": each.compared,
        "agreed": each.agreed,
        "in_a_row": each.in_a_row,
        "since": each.since.isoformat() if each.since else None,
        "ready": each.is_ready,
        "last_difference": {"rollout": each.difference.key, "detail": each.difference.detail}
        if each.difference
        else None,
    }
