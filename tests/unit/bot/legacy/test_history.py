from __future__ import annotations

import asyncio
import getpass
import gzip
import json
import os
import sqlite3
import sys
import time
import tracemalloc
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.legacy.history import migrate_logs
from handlers.cli.orders import LogsOrder
from operations.audit import AuditEvent
from operations.deployment.rollout import HistoryQuery, RolloutKind, RolloutState
from operations.errors import InvalidRequest
from operations.monitoring.errors.group import ErrorGroup, GroupQuery
from storage.database import open_database
from tests.contract.databases import add_rollout

ROOT = Path(__file__).parents[4]
LOGS = ROOT / "examples/hms-ops/logs"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database of this process."""
    monkeypatch.setenv("HMS_DATABASE_URL", f"sqlite:///{tmp_path}/hms.db")
    return os.environ["HMS_DATABASE_URL"]


def order(path: Path = LOGS, timezone: str = "UTC", **more: object) -> LogsOrder:
    plain = LogsOrder(path=str(path), timezone=timezone, as_json=True)
    return replace(plain, **more)  # type: ignore[arg-type]  # checked by the dataclass itself


class Report:
    """What `migrate logs` printed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def of(self, given: LogsOrder) -> Mapping[str, object]:
        """Run it; its exit code is under `code`."""
        self._capsys.readouterr()
        code = await migrate_logs(given)
        return {"code": code, **json.loads(self._capsys.readouterr().out)}


@pytest.fixture
def report(url: str, capsys: pytest.CaptureFixture[str]) -> Report:
    return Report(capsys)


def counts(new: int, known: int = 0) -> Mapping[str, int]:
    return {"imported": new, "known": known}


def stamp(**ago: float) -> str:
    """So long ago, as HMS-OPS writes it."""
    return f"[{datetime.now(UTC) - timedelta(**ago):%Y-%m-%d %H:%M:%S}]"


async def errors_of(url: str) -> list[ErrorGroup]:
    async with await open_database(url) as database, database.store.snapshot() as tx:
        return list(await tx.groups.search(GroupQuery(limit=200)))


async def test_old_deployments_become_history_and_are_marked(url: str, report: Report) -> None:
    found = await report.of(order())

    assert (found["code"], found["deployments"]) == (0, counts(2))
    async with await open_database(url) as database, database.store.snapshot() as tx:
        page = await tx.rollouts.search(HistoryQuery(imported=True))
    assert [(r.name, r.target_name, r.release.version, r.state) for r in page.rollouts] == [
        ("H-2", "site/prod", "unknown", RolloutState.FAILED),
        ("H-1", "myapp/staging", "1.3.9", RolloutState.SUCCEEDED),
    ]
    assert {r.kind for r in page.rollouts} == {RolloutKind.IMPORT}
    assert {r.reason for r in page.rollouts} == {"imported from HMS-OPS"}


async def test_old_errors_become_events_of_the_central_log(
    url: str, tmp_path: Path, report: Report
) -> None:
    line = f"{stamp(days=3)} [ERROR] site/prod: composer install exited with 1\n"
    write(tmp_path / "errors.log", line * 3)

    assert (await report.of(order(tmp_path)))["errors"] == counts(3)
    (group,) = await errors_of(url)
    assert (group.target_name, group.count, group.is_imported) == ("site/prod", 3, True)


async def test_a_second_time_imports_nothing_and_new_lines_are_added(
    tmp_path: Path, report: Report
) -> None:
    deployed = "[2025-11-0{} 10:00:00] [SUCCESS] Deployed myapp to staging version 1.{}\n"
    failed = f"{stamp(days=2)} [ERROR] [site] no answer\n"
    deployments, errors = tmp_path / "deployments.log", tmp_path / "errors.log"
    write(deployments, deployed.format(3, 3))
    write(errors, failed)
    await report.of(order(tmp_path))
    write(deployments, deployed.format(3, 3) + deployed.format(4, 4))
    write(errors, failed * 2)

    found = await report.of(order(tmp_path))

    assert (found["deployments"], found["errors"]) == (counts(1, 1), counts(1, 1))


async def test_a_log_that_was_rotated_meanwhile_brings_nothing_twice(
    tmp_path: Path, report: Report
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    lines = [f"[2025-11-03 10:00:0{n}] [SUCCESS] Deployed myapp to prod\n" for n in range(6)]
    write(logs / "deployments.log", "".join(lines[:4]))
    await report.of(order(logs))
    pack(logs / "deployments.log.2.gz", "".join(lines[:2]).encode())
    write(logs / "deployments.log.1", "".join(lines[2:5]))
    write(logs / "deployments.log", lines[5])

    found = await report.of(order(logs))

    assert found["deployments"] == counts(2, 4)


async def test_history_stands_in_the_order_of_time_over_all_files(
    url: str, tmp_path: Path, report: Report
) -> None:
    line = "[2025-11-03 10:00:0{}] [SUCCESS] Deployed myapp to prod version {}\n"
    write(tmp_path / "a.log", line.format(2, 2) + line.format(4, 4))
    write(tmp_path / "a.log.1", line.format(0, 0) + line.format(1, 1))
    write(tmp_path / "b.log", line.format(3, 3))

    await report.of(order(tmp_path))

    assert await versions(url) == ["4", "3", "2", "1", "0"]


async def test_a_beginning_is_found_before_the_log_was_rotated(
    url: str, tmp_path: Path, report: Report
) -> None:
    write(tmp_path / "d.log.1", "[2025-11-03 10:00:00] [INFO] Deploying a to b by user alice\n")
    write(tmp_path / "d.log", "[2025-11-03 10:05:00] [SUCCESS] Deployed a to b\n")

    await report.of(order(tmp_path))

    async with await open_database(url) as database, database.store.snapshot() as tx:
        (rollout,) = (await tx.rollouts.search(HistoryQuery(imported=True))).rollouts
    assert (rollout.took, rollout.requested_by.name) == (timedelta(minutes=5), "alice")


async def test_a_dry_run_counts_and_stores_nothing(
    url: str, tmp_path: Path, report: Report
) -> None:
    deployed = "[2025-11-03 10:00:00] [SUCCESS] Deployed a to b\n"
    write(tmp_path / "a.log", deployed)
    write(tmp_path / "a.log.1", deployed)
    write(tmp_path / "errors.log", f"{stamp(days=2)} [ERROR] [site] no answer\n")

    found = await report.of(order(tmp_path, dry_run=True))

    assert (found["deployments"], found["errors"]) == (counts(1, 1), counts(1))
    assert (await versions(url), await errors_of(url)) == ([], [])
    assert (await report.of(order(tmp_path)))["deployments"] == counts(1, 1)


async def test_errors_that_nobody_would_keep_are_left_out_and_told(
    url: str, tmp_path: Path, report: Report
) -> None:
    write(
        tmp_path / "errors.log",
        f"{stamp(days=400)} [ERROR] [site] long ago\n{stamp(days=300)} [ERROR] [site] of late\n",
    )

    found = await report.of(order(tmp_path))

    assert found["errors"] == counts(1)
    assert found["left_out"] == {"too_old": 1, "impossible_time": 0, "unfinished": 0}
    assert [group.title for group in await errors_of(url)] == ["of late"]


async def test_the_configuration_says_how_long_errors_are_kept(
    tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        tmp_path / "hms.yaml",
        "slack: {deploys_channel: C01GEN}\nenvironments: {prod: {}}\nprojects: {}\n"
        "errors: {keep: {counts: 10d}}\n",
    )
    monkeypatch.setenv("HMS_CONFIG", str(tmp_path / "hms.yaml"))
    write(tmp_path / "errors.log", f"{stamp(days=12)} [ERROR] [site] no\n")

    assert (await report.of(order(tmp_path)))["left_out"]["too_old"] == 1  # type: ignore[index]


async def test_lines_that_are_not_understood_are_counted_and_the_first_shown(
    tmp_path: Path, report: Report
) -> None:
    strange = tmp_path / "odd.log"
    write(strange, "\n".join(["password=hunter2secret", *["what?"] * 40]) + "\n")

    found = await report.of(order(strange))

    assert (found["code"], found["not_understood"]) == (0, 41)
    shown = found["first_lines"]
    assert isinstance(shown, list)
    assert [line["line"] for line in shown] == [1, 2, 3, 4, 5]
    assert shown[0] == {"file": str(strange), "line": 1, "text": "password=[redacted]"}


async def test_a_line_that_is_being_written_is_left_for_the_next_time(
    tmp_path: Path, report: Report
) -> None:
    log = tmp_path / "deployments.log"
    write(log, "[2025-11-03 10:00:00] [SUCCESS] Deployed myapp to stag")

    assert (await report.of(order(log)))["deployments"] == counts(0)
    os.utime(log, (time.time() - 600,) * 2)
    assert (await report.of(order(log)))["deployments"] == counts(1)


async def test_who_is_killed_and_begun_again_adds_what_is_missing(
    url: str, tmp_path: Path, report: Report
) -> None:
    """Killed for real, in the midst of it."""
    lines = [
        f"[2025-11-03 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}] [SUCCESS] Deployed a to b\n"
        f"{stamp(days=2)[:-1]}] [ERROR] [site] failed for user {n}\n"
        for n in range(2000)
    ]
    write(tmp_path / "mixed.log", "".join(lines))
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from bot.cli import main; main()", "migrate", "logs"),
        str(tmp_path / "mixed.log"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    await asyncio.to_thread(wait_for_rows, tmp_path / "hms.db")
    program.kill()
    await program.wait()

    found = await report.of(order(tmp_path / "mixed.log"))

    known = found["deployments"]["known"]  # type: ignore[index]
    assert 0 < known < 2000
    assert found["deployments"] == counts(2000 - known, known)
    assert sum(group.count for group in await errors_of(url)) == 2000


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


@pytest.mark.parametrize("packed", [False, True])
async def test_a_log_of_any_size_is_read_whole_whatever_bytes_it_holds(
    tmp_path: Path, report: Report, packed: bool
) -> None:
    noise = b"[2025-11-03 10:00:00] [INFO] Status of \xff\0 on prod: ok\n" * 40_000
    end = b"[2025-11-03 10:00:00] [SUCCESS] Deployed myapp to staging\n"
    log = tmp_path / ("deployments.log.1.gz" if packed else "deployments.log")
    pack(log, noise + end)

    assert (await report.of(order(log)))["deployments"] == counts(1)


async def test_a_line_without_an_end_needs_no_memory(tmp_path: Path, report: Report) -> None:
    log = tmp_path / "deployments.log"
    with log.open("wb") as stream:
        stream.write(b"[2025-11-03 10:00:00] [SUCCESS] Deployed a to b ")
        stream.truncate(300_000_000)
        stream.seek(0, os.SEEK_END)
        stream.write(b"\n[2025-11-03 11:00:00] [SUCCESS] Deployed a to c\n")
    tracemalloc.start()

    found = await report.of(order(log))

    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()
    assert found["deployments"] == counts(2)


async def test_a_file_that_cannot_be_read_is_named_and_the_others_are_imported(
    tmp_path: Path, report: Report
) -> None:
    write(tmp_path / "a.log.1.gz", "no gzip at all")
    write(tmp_path / "a.log", "[2025-11-03 10:00:00] [SUCCESS] Deployed a to b\n")

    found = await report.of(order(tmp_path))

    assert (found["code"], found["deployments"]) == (1, counts(1))
    assert found["unreadable"] == [
        {"file": str(tmp_path / "a.log.1.gz"), "reason": "Not a gzipped file (b'no')"}
    ]


async def test_what_is_no_file_is_passed_over(tmp_path: Path, report: Report) -> None:
    write(tmp_path / "a.log", "[2025-11-03 10:00:00] [SUCCESS] Deployed a to b\n")
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "round.log").symlink_to(tmp_path / "round.log")
    (tmp_path / "folder.log").mkdir()
    (tmp_path / "again").symlink_to(tmp_path)

    found = await report.of(order(tmp_path))

    assert (found["code"], found["files"], found["deployments"]) == (0, 1, counts(1))


@pytest.mark.parametrize("name", ["pipe.log", "round.log", "missing.log"])
async def test_a_path_that_is_no_file_is_refused(url: str, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "round.log").symlink_to(tmp_path / "round.log")

    with pytest.raises(InvalidRequest, match="neither a file nor a folder"):
        await migrate_logs(order(tmp_path / name))


@pytest.mark.parametrize(
    "name", ["logs", "deployments.log.2.gz", "error_log", "php_errors.log-20251103", "logs.1", "a.jsonl"]
)  # fmt: skip
async def test_names_of_logs(tmp_path: Path, report: Report, name: str) -> None:
    write(tmp_path / "notes.txt", "not a log")
    pack(tmp_path / name, f"{stamp(days=2)} [ERROR] [site] no\n".encode())

    found = await report.of(order(tmp_path))

    assert (found["files"], found["errors"]) == (1, counts(1))


async def test_a_person_reads_sentences(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "mixed.log"
    write(
        log, f"{stamp(days=2)} [SUCCESS] Deployed a to b\nwhat?\n[1970-01-01 00:00:00] [ERROR] x\n"
    )

    assert await migrate_logs(order(log, as_json=False)) == 0

    assert capsys.readouterr().out.splitlines() == [
        "1 deployment went into history, marked as imported; 0 were there already.",
        "0 errors went into the central log, marked as imported; 0 were there already.",
        "1 line left out: the time is before 2005 or still to come; is --timezone right?",
        "1 line not understood.",
        f"  {log}:2: what?",
        f"  {log}:3: [1970-01-01 00:00:00] [ERROR] x",
    ]


@pytest.mark.parametrize("timezone", ["Mars/Olympus", "../etc"])
async def test_a_zone_that_is_none_is_refused(url: str, timezone: str) -> None:
    with pytest.raises(InvalidRequest, match="no time zone"):
        await migrate_logs(order(timezone=timezone))


async def test_a_folder_without_logs_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="holds no log files"):
        await migrate_logs(order(tmp_path))


async def test_each_run_is_in_the_audit_trail_with_who_and_how_much(
    url: str, report: Report
) -> None:
    await report.of(order(dry_run=True))
    await report.of(order())
    await report.of(order())

    first, again = await trail(url)
    assert (first.action, first.actor.name) == ("history.imported", getpass.getuser())
    assert first.detail == {
        "path": str(LOGS), "deployments": "2", "errors": "0", "ended": "whole",
    }  # fmt: skip
    assert again.detail["deployments"] == "0"


async def test_a_run_that_is_broken_off_is_in_the_audit_trail_with_what_it_brought(
    url: str, tmp_path: Path
) -> None:
    lines = (f"[2025-11-03 10:00:00] [SUCCESS] Deployed a to b tag={n}\n" for n in range(3000))
    write(tmp_path / "a.log", "".join(lines))

    async with asyncio.TaskGroup() as group:
        run = group.create_task(migrate_logs(order(tmp_path)))
        await asyncio.to_thread(wait_for_rows, tmp_path / "hms.db", "SELECT count(*) FROM rollouts")
        run.cancel()

    (event,) = await trail(url)
    assert event.detail["ended"] == "broken off"
    assert 0 < int(event.detail["deployments"]) < 3000


async def trail(url: str) -> Sequence[AuditEvent]:
    async with await open_database(url) as database, database.store.snapshot() as tx:
        return await tx.audit.of("history")


def wait_for_rows(path: Path, counted: str = "SELECT count(*) FROM imported_errors") -> None:
    """Until some of an import is stored, and for 20 s at most."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db,
        ):
            if db.execute(counted).fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nothing was stored")


async def versions(url: str) -> list[str]:
    """Of the whole history."""
    async with await open_database(url) as database, database.store.snapshot() as tx:
        page = await tx.rollouts.search(HistoryQuery(imported=True, limit=200))
    return [each.release.version for each in page.rollouts]


def pack(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write(path: Path, text: str) -> None:
    path.write_text(text)
