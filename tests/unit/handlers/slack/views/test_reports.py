"""Private answers stay within Slack's limits however large the fleet, the history or the log is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from handlers.slack.views import answers, reports
from handlers.slack.views.blocks import Message
from handlers.slack.views.fleet import fleet
from handlers.slack.views.form import deploy_form, fits
from operations.actor import Actor, ActorKind
from operations.audit import AuditEvent
from operations.deployment.inquiries import Obstacles, RolloutReport, TargetReport
from operations.deployment.policy import Answer
from operations.deployment.ports import TargetHealth
from operations.deployment.release import Resolution
from operations.deployment.requests import Plan, Requested
from operations.deployment.rollout import (
    FIRST_IMPORTED,
    HistoryPage,
    RolloutKind,
    RolloutState,
    TargetLock,
)
from operations.deployment.target import ApprovalRule, Catalog
from operations.errors import Blocked, NotPermitted
from operations.monitoring.grouping import AlertGroup
from tests.factories import ALICE, BOB, NEW, NOON, OLD, make_rollout, make_target
from tests.slack_blocks import all_text, message_faults, text_faults, view_faults
from tests.unit.handlers.slack.views.alarms import ACKNOWLEDGED, ERRORS, UNASKED, make_alert

LOCK = TargetLock(
    project="myapp",
    environment="prod",
    actor=BOB,
    reason="quarter <end>",
    at=NOON,
    until=NOON + timedelta(hours=2),
)
HEALTHY = TargetHealth(version="1.1.0", artifact="a", desired=3, healthy=3, state="healthy")
HMS_OPS = Actor(id="hms-ops:bob", kind=ActorKind.CLI, name="bob")
LIVE = make_rollout(
    state=RolloutState.SUCCEEDED, started_at=NOON, ended_at=NOON + timedelta(minutes=2)
)
REPORT = TargetReport(
    target=make_target(), health=HEALTHY, trouble="", lock=None, active=None, last=LIVE
)
FLEET = [
    REPORT,
    replace(
        REPORT, health=replace(HEALTHY, state="down", healthy=0, detail="no pods <x>"), last=None
    ),
    replace(REPORT, health=None, trouble="no answer within 10 s", lock=LOCK),
    replace(REPORT, active=make_rollout(state=RolloutState.RUNNING)),
]
RULE = ApprovalRule(required=1, voters=frozenset({"S01OPS"}))
ANSWERS: dict[str, Message] = {
    "fleet": fleet(FLEET, NOON + timedelta(hours=2)),
    "fleet with alerts": fleet(
        [replace(REPORT, target=make_target(environment=each)) for each in ("prod", "staging")],
        NOON + timedelta(minutes=4),
        [
            AlertGroup(make_alert(), (ERRORS,)),
            AlertGroup(replace(ACKNOWLEDGED, id=20, name="<tls>", is_flapping=True)),
            AlertGroup(make_alert(id=21, project="shop")),
        ],
    ),
    "fleet that cannot be asked": fleet(
        [REPORT], NOON + timedelta(minutes=4), [AlertGroup(UNASKED)]
    ),
    "fleet, well": fleet([REPORT], NOON + timedelta(minutes=4)),
    "history": reports.history(
        HistoryPage(
            (
                make_rollout(),
                replace(LIVE, kind=RolloutKind.ROLLBACK),
                replace(LIVE, id=1041),
                replace(LIVE, id=FIRST_IMPORTED + 1, kind=RolloutKind.IMPORT, requested_by=HMS_OPS),
                replace(
                    LIVE, id=FIRST_IMPORTED, kind=RolloutKind.IMPORT, state=RolloutState.FAILED
                ),
            ),
            FIRST_IMPORTED,
        ),
        NOON,
        {LIVE.id},
    ),
    "show, former": reports.rollout_report(
        RolloutReport(rollout=replace(LIVE, kind=RolloutKind.IMPORT), timeline=()), "", NOON
    ),
    "show": reports.rollout_report(
        RolloutReport(
            rollout=replace(LIVE, outcome="2 of 2 pods"),
            serves=True,
            timeline=(
                AuditEvent(
                    at=NOON,
                    actor=ALICE,
                    action="rollout.requested",
                    subject="D-1042",
                    detail={"version": "1.1", "reason": "<!channel>", "pin": ""},
                ),
            ),
        ),
        "Kubernetes default/web",
        NOON,
    ),
    "why not": reports.obstacles(
        Obstacles(
            target=make_target(),
            answer=Answer(
                obstacles=(
                    NotPermitted("You may not deploy to myapp/prod.", hint="<@U02BOB> may."),
                    Blocked("myapp/prod is locked by <@U02BOB>: x.", hint="Say `unlock`."),
                ),
                rule=RULE,
            ),
            active=make_rollout(state=RolloutState.RUNNING),
            waiting=(make_rollout(id=1043),),
        ),
        NOON,
    ),
    "dry run": reports.plan(
        Plan(
            target=make_target(),
            resolution=Resolution(
                release=NEW, current=OLD, changes=("image 1.0 → 1.1",), warnings=("moved",)
            ),
            answer=Answer(obstacles=(), rule=RULE),
            behind=None,
        )
    ),
    "asked": answers.asked(
        Requested(
            rollout=make_rollout(),
            superseded=(make_rollout(id=1041),),
            behind=make_rollout(id=1040, state=RolloutState.RUNNING),
        )
    ),
    "locked": answers.locked(LOCK, reports.lock_span(LOCK, NOON)),
    "refused": answers.refusal(Blocked("<!here> is locked.", hint="Say `unlock myapp prod`.")),
    "broken": answers.broken("ab12cd34"),
    "help": answers.help_overview(),
    "help deploy": answers.help_topic("deploy"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answer(name: str, snapshot: SnapshotAssertion) -> None:
    """What people read."""
    assert f"{ANSWERS[name].text}\n---\n{all_text(ANSWERS[name].blocks)}" == snapshot


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_is_taken_by_slack(name: str) -> None:
    """Shape, limits, escaping."""
    assert message_faults(ANSWERS[name].blocks) == []
    assert list(text_faults(ANSWERS[name].text)) == []


@pytest.mark.parametrize(
    "drawn",
    [
        pytest.param(lambda: fleet([REPORT] * 300, NOON), id="a fleet of 300"),
        pytest.param(
            lambda: reports.history(HistoryPage((make_rollout(project="p" * 90),) * 50, 1), NOON),
            id="50 rollouts",
        ),
        pytest.param(lambda: answers.logs("a/b", ["<&>" * 300] * 100), id="100 lines of log"),
    ],
)
def test_much_fits(drawn: object) -> None:
    """Cut, never refused."""
    assert callable(drawn)
    assert message_faults(drawn().blocks) == []


def test_form_of_many_projects() -> None:
    """A select has a hundred options; the hint says how to reach the others."""
    catalog = Catalog(tuple(make_target(project=f"p{n}") for n in range(150)))

    view = deploy_form(catalog, "C01GEN")

    assert view_faults(view) == []
    assert "50 more are reached by the command." in str(view)


def test_form_needs_something_to_choose() -> None:
    """Slack refuses a select without options."""
    assert not fits(Catalog(()))


def test_a_line_of_the_fleet_reads_as_the_design_has_it() -> None:
    """messages.png, the sixth: what serves, since when it fails, and the alert to act on."""
    health = TargetHealth(version="9c1e2ab", artifact="", desired=-1, healthy=-1, state="healthy")
    site = replace(
        REPORT, target=make_target(project="site", environment="prod"), health=health, last=None
    )

    drawn = fleet([site], NOON, [AlertGroup(make_alert(project="site"))])

    at = "<!date^1795435200^{time}|12:00 UTC>"
    assert f"🔴 *site* prod `9c1e2ab` failing since {at}: web · A-17 · " in all_text(drawn.blocks)
