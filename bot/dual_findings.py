"""What `doctor` says of HMS-OPS, where a target is in dual mode."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.config import Config
from bot.config.sections.programs import Legacy
from bot.dual import dual_modes, state_directory
from bot.settings import Settings, load_environment
from operations.diagnosis import Condition, Finding

_AREA = "HMS-OPS"


def examine_legacy(settings: Settings, config: Config) -> list[Finding]:
    """Whether it can be started, with all that it is to get, and where what it does can be kept."""
    if config.legacy is None or not dual_modes(config):
        return []
    environ = load_environment()
    return [
        _command(config.legacy.command[0]),
        *_environment(config.legacy, environ),
        _folder(state_directory(config.legacy, settings, environ)),
    ]


def _command(program: str) -> Finding:
    is_there = shutil.which(program) is not None
    return Finding(
        area=_AREA,
        subject="legacy.command",
        condition=Condition.WELL if is_there else Condition.FAILING,
        detail=f"{program} {'can be started' if is_there else 'is no program that can be run'}",
        advice=""
        if is_there
        else "Name HMS-OPS as it is called from the folder that the bot runs in.",
    )


def _environment(legacy: Legacy, environ: Mapping[str, str]) -> Iterator[Finding]:
    for name in legacy.environment:
        if name not in environ:
            yield Finding(
                area=_AREA,
                subject=name,
                condition=Condition.DOUBTFUL,
                detail="is named in `legacy.environment` and not set",
                advice="Set it where the bot is started, or take its name out.",
            )


def _folder(folder: Path) -> Finding:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    is_usable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return Finding(
        area=_AREA,
        subject="legacy.state_directory",
        condition=Condition.WELL if is_usable else Condition.FAILING,
        detail=f"{folder} {'can be written' if is_usable else 'cannot be written'}",
        advice=""
        if is_usable
        else "HMS-OPS is not started without it: name a folder of the bot's own.",
    )
