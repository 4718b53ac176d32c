"""`migrate status` speaks of the targets that are in dual mode now, and never calls silence agreement."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.dual import report_dual
from operations.integration.dual.comparison import Comparison, DualMode
from storage.database import open_database

_CONFIG = """\
slack: {deploys_channel: C01GEN}
environments: {prod: {}, staging: {}}
legacy: {command: [ops/hms-ops.sh]}
projects:
  myapp:
    environments:
      prod: {provider: forge, organization: acme, server: 1, site: 2, dual: shadow}
      staging: {provider: forge, organization: acme, server: 1, site: 3}
"""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database and a configuration in which one of two targets is in dual mode."""
    (tmp_path / "hms.yaml").write_text(_CONFIG)
    found = f"sqlite:///{tmp_path}/hms.db"
    monkeypatch.setenv("HMS_CONFIG", str(tmp_path / "hms.yaml"))
    monkeypatch.setenv("HMS_DATABASE_URL", found)
    return found


async def compare(url: str, environment: str, agrees: bool, days_ago: int) -> None:
    begun = datetime.now(UTC) - timedelta(days=days_ago)
    comparison = Comparison(
        key=f"{environment}-{days_ago}",
        project="myapp",
        environment=environment,
        mode=DualMode.SHADOW,
        begun_at=begun,
        planned="1.4",
        agrees=agrees,
        detail="" if agrees else "the platform shows 1.3",
    )
    async with await open_database(url) as database:
        await database.comparisons.begin(comparison)
        await database.comparisons.end(comparison)


async def test_nothing_compared_is_not_ready(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await report_dual(False) == 1

    assert capsys.readouterr().out == (
        "myapp/prod (shadow): not yet; nothing was compared so far\n"
    )


async def test_five_agreements_over_a_week_are_ready(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (0, 2, 4, 6, 8):
        await compare(url, "prod", True, days)

    assert await report_dual(False) == 0

    assert "myapp/prod (shadow): ready to switch; 5 agreements in a row" in capsys.readouterr().out


async def test_a_target_that_has_switched_is_spoken_of_no_more(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (0, 2, 4, 6, 8):
        await compare(url, "prod", True, days)
    await compare(url, "staging", False, 3)

    assert await report_dual(True) == 0

    (found,) = json.loads(capsys.readouterr().out)["targets"]
    assert (found["target"], found["ready"]) == ("myapp/prod", True)
