from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from handlers.mail.alerts import AlertPage, draw
from handlers.mail.rendering import render_text
from operations.deployment.rollout import RolloutState
from operations.letters import Tone
from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.grouping import AlertGroup
from operations.outbox import NoticeKind
from tests.factories import ALICE, BOB, NOON, make_rollout

CARD, ENDED, ESCALATED = NoticeKind.CARD, NoticeKind.ENDED, NoticeKind.ESCALATED
LATER = NOON + timedelta(minutes=12)
FIRING = Alert(
    id=17,
    check_id="myapp/prod:web",
    name="web",
    project="myapp",
    environment="prod",
    channel="C02OPS",
    state=AlertState.FIRING,
    since=NOON,
    seen=3,
    reason="answered 503, wanted 200",
    rollout="D-1042",
    fired_at=NOON,
)
LED = replace(
    FIRING, id=18, check_id="myapp/prod:target", name="target", reason="0 of 2", led_by=17
)
ACKNOWLEDGED = replace(
    FIRING, state=AlertState.ACKNOWLEDGED, acknowledged_by=BOB, acknowledged_at=NOON
)
OVER = replace(FIRING, state=AlertState.RESOLVED, resolved_at=LATER)
ROLLOUT = make_rollout(state=RolloutState.SUCCEEDED, ended_at=NOON - timedelta(minutes=3))
ADDRESSES = {"myapp/prod:web": "https://myapp.example.com/healthz?token=secret"}


def shown(alert: Alert, *others: Alert, **changes: object) -> AlertPage:
    plain = AlertPage(
        group=AlertGroup(alert, others), now=LATER, addresses=ADDRESSES, rollout=ROLLOUT
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        (shown(FIRING), CARD),
        (shown(FIRING, LED), CARD),
        (shown(ACKNOWLEDGED, rollout=None), CARD),
        (shown(replace(FIRING, silenced_until=LATER + timedelta(hours=1))), CARD),
        (shown(FIRING), ESCALATED),
        (shown(OVER), ENDED),
        (shown(replace(OVER, resolved_by=ALICE), rollout=None), ENDED),
    ],
    ids=["firing", "two", "acknowledged", "silenced", "escalated", "well", "by-hand"],
)
def test_how_it_reads(page: AlertPage, kind: NoticeKind, snapshot: SnapshotAssertion) -> None:
    drawn = draw(page, kind)

    assert drawn is not None
    assert f"Subject: {drawn.title}\n\n{render_text(drawn)}" == snapshot


@pytest.mark.parametrize(
    ("alert", "kind"),
    [(OVER, CARD), (OVER, ESCALATED), (ACKNOWLEDGED, ESCALATED), (FIRING, ENDED)],
)
def test_what_is_not_so_any_more_is_not_told(alert: Alert, kind: NoticeKind) -> None:
    assert draw(shown(alert), kind) is None


def test_a_secret_in_an_address_stays_there() -> None:
    drawn = draw(shown(FIRING), CARD)

    assert drawn is not None
    assert "myapp.example.com/healthz" in render_text(drawn)
    assert "secret" not in render_text(drawn)


def test_the_tone_is_for_services_that_have_one() -> None:
    tones = [draw(shown(a), k) for a, k in ((FIRING, CARD), (OVER, ENDED))]

    assert [page.tone for page in tones if page] == [Tone.BAD, Tone.GOOD]


def test_people_are_called_by_the_names_that_are_known() -> None:
    drawn = draw(shown(ACKNOWLEDGED, names={BOB.id: "robert"}), CARD)

    assert drawn is not None
    assert "Acknowledged by robert" in render_text(drawn)
