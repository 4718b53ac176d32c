"""The chart: drawn in a process of its own, which may fail, hang or talk too much without harm."""

from __future__ import annotations

import asyncio
import os
import struct
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from operations.errors import ProviderRejected, ProviderUnavailable
from operations.monitoring.digest.digest import Errors
from operations.monitoring.digest.span import Span
from providers.chart import ChartPainter, drawing_of
from tests.digests import BUSY, QUIET
from tests.factories import NOON

HOUR = timedelta(hours=1)


def make_program(directory: Path, body: str) -> str:
    """A stand-in for the child."""
    program = directory / "child"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("digest", [BUSY, QUIET], ids=["busy", "quiet"])
async def test_it_is_a_picture_of_a_size_that_mail_and_slack_take(digest: object) -> None:
    picture = await ChartPainter(seconds=50).paint(digest)  # type: ignore[arg-type]  # a digest

    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height) == (1200, 480)
    assert len(picture) < 200_000


def test_what_is_drawn_goes_by_the_clocks_of_the_zone() -> None:
    drawing = drawing_of(BUSY)

    assert drawing["labels"][:2] == ["12:00", "13:00"]
    assert drawing["hours"] == list(BUSY.errors.hours)
    assert drawing["marks"] == [{"at": 4.0, "failed": False}, {"at": 19.0, "failed": True}]


def test_a_day_of_25_hours_has_25_bars() -> None:
    until = NOON.replace(month=10, day=25, hour=23)
    long = replace(
        QUIET,
        zone="Europe/London",
        span=Span(until - 25 * HOUR, until),
        errors=Errors(hours=tuple(range(25)), hours_before=(0,) * 24),
    )

    labels = drawing_of(long)["labels"]

    assert len(labels) == 25
    assert labels.count("01:00") == 2


async def test_a_child_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    program = make_program(tmp_path, "cat > /dev/null; echo no ink left >&2; exit 3")

    with pytest.raises(ProviderRejected, match=r"\(3\): no ink left"):
        await ChartPainter(program=program).paint(BUSY)


async def test_a_child_that_hangs_is_ended(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    program = make_program(tmp_path, f"echo $$ > {said}; exec sleep 600")

    with pytest.raises(ProviderUnavailable, match=r"within 0\.5 s"):
        await ChartPainter(seconds=0.5, program=program).paint(BUSY)

    with pytest.raises(ProcessLookupError):
        os.kill(int(said.read_text()), 0)


async def test_what_a_child_says_beyond_all_measure_is_not_kept(tmp_path: Path) -> None:
    program = make_program(tmp_path, "cat > /dev/null; head -c 30000000 /dev/zero")

    with pytest.raises(ProviderRejected):
        await ChartPainter(program=program).paint(BUSY)


async def test_a_child_that_does_not_listen_is_no_harm(tmp_path: Path) -> None:
    program = make_program(tmp_path, "exec 0<&-; exit 1")

    with pytest.raises(ProviderRejected):
        await ChartPainter(program=program).paint(BUSY)


async def test_a_program_that_cannot_be_started_is_told() -> None:
    with pytest.raises(ProviderUnavailable, match="could not be started"):
        await ChartPainter(program="/nowhere/python").paint(BUSY)


async def test_the_child_gets_none_of_our_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "environment"
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-made-up")
    program = make_program(tmp_path, f"env > {said}; exit 1")

    with pytest.raises(ProviderRejected):
        await ChartPainter(program=program).paint(BUSY)

    assert "made-up" not in said.read_text()


async def test_one_chart_is_drawn_at_a_time(tmp_path: Path) -> None:
    log = tmp_path / "log"
    program = make_program(tmp_path, f"echo in >> {log}; sleep 0.05; echo out >> {log}; exit 1")
    painter = ChartPainter(program=program)

    async def paint() -> None:
        with pytest.raises(ProviderRejected):
            await painter.paint(BUSY)

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(paint())

    assert log.read_text().split() == ["in", "out"] * 3
