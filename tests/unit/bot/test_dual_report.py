"""`migrate status` speaks of the targets that are in dual mode now, and never calls silence agreement."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.dual_report import report_dual
from operations.integration.dual.comparison import Comparison, DualMode
from storage.database import open_database

_CONFIG = """\
slack: {{deploys_channel: C01GEN}}
environments: {{prod: {{}}, staging: {{}}}}
legacy: {{command: [ops/hms-ops.sh]}}
projects:
  myapp:
    environments:
      prod: {{provider: forge, organization: acme, server: 1, site: 2, dual: {mode}}}
      staging: {{provider: forge, organization: acme, server: 1, site: 3}}
"""


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database and a configuration in which one of two targets is in dual mode."""
    found = f"sqlite:///{tmp_path}/hms.db"
    monkeypatch.setenv("HMS_CONFIG", str(tmp_path / "hms.yaml"))
    monkeypatch.setenv("HMS_DATABASE_URL", found)
    configure(tmp_path, "shadow")
    return found


def configure(folder: Path, mode: str) -> None:
    (folder / "hms.yaml").write_text(_CONFIG.format(mode=mode))


async def compare(
    url: str,
    environment: str,
    agrees: bool | None,
    days_ago: int,
    mode: DualMode = DualMode.SHADOW,
) -> None:
    begun = datetime.now(UTC) - timedelta(days=days_ago)
    comparison = Comparison(
        key=f"{environment}-{days_ago}",
        project="myapp",
        environment=environment,
        mode=mode,
        begun_at=begun,
        ended_at=begun,
        planned="1.4",
        legacy_exit=0,
        agrees=agrees,
        detail="the platform shows 1.3" if agrees is False else "",
        place="forge:acme:1:2",
    )
    async with await open_database(url) as database:
        await database.comparisons.begin(comparison)
        await database.comparisons.end(comparison)


async def test_nothing_compared_is_not_ready(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await report_dual(False) == 1

    assert capsys.readouterr().out == (
        "myapp/prod (shadow): not yet; nothing was compared so far\n"
    )


async def test_five_agreements_over_a_week_in_shadow_are_ready_for_verify(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (0, 2, 4, 6, 8):
        await compare(url, "prod", True, days)

    assert await report_dual(False) == 0

    said = "myapp/prod (shadow): ready for `dual: verify`; 5 agreements in a row over 8 d"
    assert said in capsys.readouterr().out


async def test_they_do_not_count_towards_the_switch_from_verify(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (0, 2, 4, 6, 8):
        await compare(url, "prod", True, days)
    configure(tmp_path, "verify")

    assert await report_dual(False) == 1

    first, before, legend = capsys.readouterr().out.splitlines()
    assert first == "myapp/prod (verify): not yet; nothing was compared so far"
    assert re.fullmatch(r"  before: shadow, [\d-]+ to [\d-]+: =====  5 of 5 agreed", before)
    assert legend.startswith("= both say the same")


async def test_verified_for_long_enough_it_is_ready_to_switch(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(tmp_path, "verify")
    for days in (0, 2, 4, 6, 8):
        await compare(url, "prod", True, days, DualMode.VERIFY)

    assert await report_dual(True) == 0

    (found,) = json.loads(capsys.readouterr().out)["targets"]
    assert (found["mode"], found["ready"], found["next"]) == ("verify", True, "switch")


async def test_the_course_is_told_with_its_first_and_last_difference(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for days, agrees in ((6, True), (5, False), (4, None), (3, False), (1, True)):
        await compare(url, "prod", agrees, days)

    await report_dual(False)

    _, course, first, last, _ = capsys.readouterr().out.splitlines()
    assert course.endswith(": =≠?≠=")
    assert re.fullmatch(r"  first difference: prod-5 on [\d-]+, the platform shows 1\.3", first)
    assert last.startswith("  last difference: prod-3 on ")


async def test_the_course_is_told_to_programs_too(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for days, agrees in ((3, True), (2, False), (1, None)):
        await compare(url, "prod", agrees, days)

    await report_dual(True)

    (found,) = json.loads(capsys.readouterr().out)["targets"]
    assert found["present"]["newest"] == [True, False, None]
    assert (found["compared"], found["agreed"], found["in_a_row"]) == (2, 1, 0)
    assert found["present"]["first_difference"]["rollout"] == "prod-2"
    assert found["former"] == []


async def test_a_target_that_has_switched_is_spoken_of_no_more(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for days in (0, 2, 4, 6, 8):
        await compare(url, "prod", True, days)
    await compare(url, "staging", False, 3)

    assert await report_dual(True) == 0

    (found,) = json.loads(capsys.readouterr().out)["targets"]
    assert (found["target"], found["ready"]) == ("myapp/prod", True)
