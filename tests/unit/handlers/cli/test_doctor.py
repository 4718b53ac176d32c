from __future__ import annotations

import json
from pathlib import Path

from operations.diagnosis import Condition, Finding
from tests.fakes_cli import Shop

WELL = Finding(area="Slack", subject="scopes", condition=Condition.WELL, detail="all of them")
DOUBTFUL = Finding(
    area="Slack",
    subject="channel C01GEN",
    condition=Condition.DOUBTFUL,
    detail="no member",
    advice="Invite it.",
)
FAILING = Finding(
    area="targets",
    subject="myapp/prod",
    condition=Condition.FAILING,
    detail="no credentials",
    advice="Give it some.",
)


def test_findings_stand_under_their_area_with_what_to_do(tmp_path: Path) -> None:
    done = Shop(path=tmp_path / "hms.db", findings=[WELL, DOUBTFUL, FAILING]).run("doctor")

    assert done.stdout == (
        "Slack\n"
        "  ok       scopes: all of them\n"
        "  warning  channel C01GEN: no member\n"
        "           → Invite it.\n"
        "targets\n"
        "  FAILING  myapp/prod: no credentials\n"
        "           → Give it some.\n"
        "\n"
        "1 ok, 1 warning, 1 failing.\n"
    )
    assert done.exit_code == 1


def test_doubts_alone_end_with_zero(tmp_path: Path) -> None:
    assert Shop(path=tmp_path / "hms.db", findings=[WELL, DOUBTFUL]).run("doctor").exit_code == 0


def test_json_is_one_document(tmp_path: Path) -> None:
    done = Shop(path=tmp_path / "hms.db", findings=[FAILING]).run("doctor --json")

    assert json.loads(done.stdout) == {
        "well": False,
        "findings": [
            {
                "area": "targets",
                "subject": "myapp/prod",
                "condition": "failing",
                "detail": "no credentials",
                "advice": "Give it some.",
            }
        ],
    }


def test_it_opens_no_database(tmp_path: Path) -> None:
    shop = Shop(path=tmp_path / "hms.db", findings=[WELL])

    shop.run("doctor")

    assert shop.opened == 0
