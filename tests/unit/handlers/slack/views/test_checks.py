"""What is watched and how it is, for the one who asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from handlers.slack.views import checks
from handlers.slack.views.blocks import Message
from operations.monitoring.alerting import CheckReport
from operations.monitoring.check import (
    Check,
    CheckKind,
    CheckRecord,
    CheckState,
    Observation,
    Outcome,
)
from tests.factories import NOON
from tests.slack_blocks import all_text, labels, message_faults, text_faults
from tests.unit.handlers.slack.views.alarms import ACKNOWLEDGED, SILENCED

NOW = NOON + timedelta(minutes=4)


def make_check(name: str, **changes: object) -> Check:
    """A check of myapp/prod."""
    plain = Check(
        id=f"myapp/prod:{name}", name=name, project="myapp", environment="prod", kind=CheckKind.HTTP
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def report(name: str, state: CheckState, outcome: Outcome | None, **changes: object) -> CheckReport:
    """A check that was asked twelve seconds ago, or never."""
    seen = _seen(outcome, NOW - timedelta(seconds=12)) if outcome else None
    record = CheckRecord(check_id=f"myapp/prod:{name}", state=state, last=seen)
    return CheckReport(make_check(name), replace(record, **changes), None)  # type: ignore[arg-type]  # same


def _seen(outcome: Outcome, at: datetime) -> Observation:
    details = {
        Outcome.OK: "answered 200",
        Outcome.FAILING: "answered 503, wanted 200",
        Outcome.ERROR: "the URL cannot be asked",
        Outcome.INCONCLUSIVE: "could not ask: <!channel>",
    }
    return Observation(outcome=outcome, at=at, detail=details[outcome])


REPORTS = [
    report("fine", CheckState.OK, Outcome.OK),
    report("missed", CheckState.OK, Outcome.FAILING, bad=2),
    report("down", CheckState.FAILING, Outcome.FAILING, bad=9, first_bad_at=NOON),
    report("coming back", CheckState.FAILING, Outcome.OK, good=1),
    replace(report("looked after", CheckState.FAILING, Outcome.ERROR, bad=9), alert=ACKNOWLEDGED),
    report("restless", CheckState.OK, Outcome.OK, is_flapping=True),
    report("unheard", CheckState.OK, Outcome.INCONCLUSIVE),
    report("new", CheckState.UNKNOWN, None),
    report("resting", CheckState.FAILING, Outcome.FAILING, stopped_by="U02BOB"),
]
ANSWERS: dict[str, Message] = {
    "every standing": checks.standings(REPORTS, NOW),
    "all well": checks.standings(REPORTS[:1], NOW),
    "stopped": checks.stopped([r.check for r in REPORTS[:2]]),
    "started one": checks.started([REPORTS[0].check]),
    "stopped everywhere": checks.stopped([make_check("a"), make_check("b", project="site")]),
    "started a project": checks.started([make_check("a"), make_check("b", environment="staging")]),
    "acknowledged": checks.acknowledged(ACKNOWLEDGED),
    "silenced": checks.silenced(SILENCED, NOW),
    "five hundred": checks.standings(REPORTS[2:3] * 500, NOW),
    "five hundred stopped": checks.stopped([REPORTS[0].check] * 500),
}


@pytest.mark.parametrize("name", [name for name in ANSWERS if "hundred" not in name])
def test_answer(name: str, snapshot: SnapshotAssertion) -> None:
    """What people read."""
    drawn = ANSWERS[name]
    assert f"{drawn.text}\n---\n{all_text(drawn.blocks)}" == snapshot


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_is_taken_by_slack(name: str) -> None:
    """By its shape, its limits and its escaping, however many checks there are."""
    drawn = ANSWERS[name]

    assert message_faults(drawn.blocks) == []
    assert list(text_faults(drawn.text)) == []
    assert labels(drawn.blocks) == []


def test_what_is_not_shown_is_counted() -> None:
    """Nobody takes a part for the whole."""
    assert "440 more" in all_text(ANSWERS["five hundred"].blocks)
