"""Digests as the configuration asks for them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.config import Config, load_config
from bot.digest import DigestSide, build_digests
from tests.contract.databases import open_sqlite
from tests.workshops import ShiftedClock

PLAIN = "slack: {deploys_channel: C01GEN}\nenvironments: {prod: {}}\nprojects: {}\n"
DAILY = '{channel: C02OPS, at: "09:00", timezone: Europe/London}'


def load(tmp_path: Path, more: str = "") -> Config:
    file = tmp_path / "hms.yaml"
    file.write_text(PLAIN + more)
    return load_config(file)


async def build(tmp_path: Path, more: str = "") -> DigestSide:
    async with await open_sqlite(tmp_path) as database:
        return build_digests(load(tmp_path, more), (), database.store, ShiftedClock())


async def test_every_process_looks_often_whether_one_is_due(tmp_path: Path) -> None:
    side = await build(tmp_path, f"digest: {DAILY}\n")

    assert [(job.name, job.every) for job in side.jobs] == [("digest", timedelta(seconds=20))]


async def test_without_a_plan_nothing_is_looked_for(tmp_path: Path) -> None:
    assert (await build(tmp_path)).jobs == []


async def test_slacks_own_chart_is_asked_for_by_the_configuration(tmp_path: Path) -> None:
    assert not (await build(tmp_path)).native_charts
    config = load(tmp_path)
    native = config.model_copy(
        update={"slack": config.slack.model_copy(update={"native_charts": True})}
    )
    async with await open_sqlite(tmp_path) as database:
        assert build_digests(native, (), database.store, ShiftedClock()).native_charts
