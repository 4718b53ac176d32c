"""`hms-sys migrate logs`: HMS-OPS's deployments become history, marked as imported; nothing twice."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from bot.legacy.tree import walk_files
from bot.settings import load_settings
from handlers.cli.orders import LogsOrder
from operations.actor import Actor, ActorKind
from operations.deployment.release import Release
from operations.deployment.rollout import Phase, Rollout, RolloutKind, RolloutState
from operations.errors import InvalidRequest
from operations.integration.legacy.records import DeploymentRecord, in_order, read_deployments
from storage.database import open_database

_NAMES = ("*.log", "*.jsonl", "*.ndjson", "*.log.*")


async def migrate_logs(order: LogsOrder) -> int:
    """The exit code; raises InvalidRequest where there is no log, and what the database raises."""
    files = [path for path in walk_files(Path(order.path)) if _is_log(path, order)]
    if not files:
        raise InvalidRequest(f"{order.path} holds no log files.", hint="Name the folder `logs/`.")
    records, skipped = _read(files, _zone(order.timezone))
    rollouts = [_rollout(record) for record in in_order(records)]
    url = load_settings().database_url.get_secret_value()
    async with await open_database(url) as database:
        stored, left = await database.imports.add(rollouts)
    found = {
        "imported": stored,
        "known": len(rollouts) - stored - left,
        "without_room": left,
        "lines_not_understood": skipped,
    }
    sys.stdout.write(json.dumps(found, indent=2) + "\n" if order.as_json else _sentence(found))
    return 0


def _is_log(path: Path, order: LogsOrder) -> bool:
    return str(path) == order.path or any(path.match(name) for name in _NAMES)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise InvalidRequest(
            f"{name} is no time zone.", hint="Write one as Europe/London."
        ) from exc


def _read(files: Iterable[Path], zone: ZoneInfo) -> tuple[list[DeploymentRecord], int]:
    records: list[DeploymentRecord] = []
    skipped = 0
    for path in files:
        try:
            with _open(path) as lines:
                reading = read_deployments(lines, zone)
        except (OSError, EOFError, zlib.error) as exc:
            raise InvalidRequest(f"{path} cannot be read: {exc}.") from exc
        records += reading.records
        skipped += len(reading.skipped)
    return records, skipped


def _open(path: Path) -> TextIO:
    """Logs grow without bound and hold what programs wrote: read line by line, whatever the bytes."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


def _rollout(record: DeploymentRecord) -> Rollout:
    version = record.version or "unknown"
    return Rollout(
        id=0,
        project=record.project,
        environment=record.environment,
        provider=record.provider or "unknown",
        kind=RolloutKind.IMPORT,
        release=Release(version=version, artifact=""),
        previous=None,
        requested_by=Actor(
            id=f"hms-ops:{record.by or 'unknown'}", kind=ActorKind.CLI, name=record.by
        ),
        requested_at=record.began_at,
        reason="imported from HMS-OPS",
        external_id=record.key,
        state=RolloutState.SUCCEEDED if record.is_success else RolloutState.FAILED,
        phase=Phase.DONE,
        started_at=record.began_at,
        ended_at=record.ended_at,
        outcome=record.text,
    )


def _sentence(found: dict[str, int]) -> str:
    lines = [
        f"{found['imported']} deployments are in history now, marked as imported;"
        f" {found['known']} were there already."
    ]
    if found["without_room"]:
        lines.append(f"{found['without_room']} of the newest found no room: 1000 is the most.")
    if found["lines_not_understood"]:
        lines.append(f"{found['lines_not_understood']} lines tell of no end of a deployment.")
    return "\n".join(lines) + "\n"
