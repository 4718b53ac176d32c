from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from bot.legacy.history import migrate_logs
from handlers.cli.orders import LogsOrder
from operations.deployment.rollout import HistoryQuery, RolloutKind, RolloutState
from operations.errors import InvalidRequest
from storage.database import open_database
from tests.contract.databases import add_rollout

ROOT = Path(__file__).parents[4]
LOGS = ROOT / "examples/hms-ops/logs"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database of this process."""
    monkeypatch.setenv("HMS_DATABASE_URL", f"sqlite:///{tmp_path}/hms.db")
    return os.environ["HMS_DATABASE_URL"]


def order(path: Path = LOGS, timezone: str = "UTC") -> LogsOrder:
    return LogsOrder(path=str(path), timezone=timezone, as_json=True)


async def test_old_deployments_become_history_and_are_marked(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await migrate_logs(order()) == 0

    assert json.loads(capsys.readouterr().out)["imported"] == 2
    async with await open_database(url) as database, database.store.snapshot() as tx:
        page = await tx.rollouts.search(HistoryQuery(imported=True))
    assert [(r.name, r.target_name, r.release.version, r.state) for r in page.rollouts] == [
        ("D-2", "site/prod", "unknown", RolloutState.FAILED),
        ("D-1", "myapp/staging", "1.3.9", RolloutState.SUCCEEDED),
    ]
    assert {r.kind for r in page.rollouts} == {RolloutKind.IMPORT}
    assert {r.reason for r in page.rollouts} == {"imported from HMS-OPS"}


async def test_a_second_time_imports_nothing_and_new_lines_are_added(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "deployments.log"
    line = "[2025-11-0{} 10:00:00] [SUCCESS] Deployed myapp to staging version 1.{}\n"
    write(log, line.format(3, 3))
    await migrate_logs(order(log))
    write(log, line.format(3, 3) + line.format(4, 4))
    capsys.readouterr()

    await migrate_logs(order(log))

    found = json.loads(capsys.readouterr().out)
    assert (found["imported"], found["known"]) == (1, 1)


async def test_what_was_imported_is_never_taken_for_live(url: str) -> None:
    await migrate_logs(order())

    async with await open_database(url) as database, database.store.snapshot() as tx:
        assert await tx.rollouts.last_live("myapp", "staging") is None
        assert await tx.rollouts.live_with_version("myapp", "staging", "1.3.9") is None
        assert (await tx.rollouts.search(HistoryQuery())).rollouts == ()


async def test_our_own_numbers_begin_where_they_would_have(url: str) -> None:
    await migrate_logs(order())

    async with await open_database(url) as database:
        assert (await add_rollout(database)).name == "D-1001"


async def test_more_than_there_is_room_for_is_told(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "deployments.log"
    lines = (
        f"[2025-01-01 00:{n // 60:02}:{n % 60:02}] [SUCCESS] Deployed a to b" for n in range(1003)
    )
    write(log, "\n".join(lines))

    await migrate_logs(order(log))

    found = json.loads(capsys.readouterr().out)
    assert (found["imported"], found["without_room"]) == (1000, 3)


@pytest.mark.parametrize("packed", [False, True])
async def test_a_log_of_any_size_is_read_whole_whatever_bytes_it_holds(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], packed: bool
) -> None:
    noise = b"[2025-11-03 10:00:00] [INFO] Status of \xff\0 on prod: ok\n" * 40_000
    end = b"[2025-11-03 10:00:00] [SUCCESS] Deployed myapp to staging\n"
    log = tmp_path / ("deployments.log.1.gz" if packed else "deployments.log")
    pack(log, noise + end)

    await migrate_logs(order(log))

    assert json.loads(capsys.readouterr().out)["imported"] == 1


async def test_a_packed_log_that_is_broken_is_refused(url: str, tmp_path: Path) -> None:
    log = tmp_path / "deployments.log.1.gz"
    write(log, "no gzip at all")

    with pytest.raises(InvalidRequest, match="cannot be read"):
        await migrate_logs(order(log))


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "../etc"])
async def test_a_zone_that_is_none_is_refused(url: str, timezone: str) -> None:
    with pytest.raises(InvalidRequest, match="no time zone"):
        await migrate_logs(order(timezone=timezone))


async def test_a_folder_without_logs_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="holds no log files"):
        await migrate_logs(order(tmp_path))


def pack(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write(path: Path, text: str) -> None:
    path.write_text(text)
