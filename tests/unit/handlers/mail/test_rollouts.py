from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from handlers.mail.rendering import render_text
from handlers.mail.rollouts import RolloutPage, draw
from handlers.tickets import Ticket
from operations.deployment.progress import Failure
from operations.deployment.rollout import Rollout, RolloutState, Vote, VoteKind
from operations.outbox import NoticeKind
from tests.factories import BOB, NOON, make_rollout

CARD, ENDED = NoticeKind.CARD, NoticeKind.ENDED
FAILURE = Failure(
    summary="the new pods do not become ready",
    reason="Back-off restarting failed container web\nexit code 1",
    evidence=("12:00:01 pod web-1: started", "12:00:02 pod web-1: KeyError: 'DATABASE'"),
)


def ended(state: RolloutState, **changes: object) -> Rollout:
    return make_rollout(
        state=state, started_at=NOON, ended_at=NOON + timedelta(seconds=48), **changes
    )


def shown(rollout: Rollout) -> RolloutPage:
    return RolloutPage(rollout=rollout, now=NOON, title="Kubernetes default/web")


def test_a_component_s_ticket_is_written_out() -> None:
    page = replace(shown(make_rollout()), ticket=Ticket("HMS-7", "https://tracker.internal/HMS-7"))
    drawn = draw(page, CARD)

    assert drawn is not None
    assert "asked by alice for HMS-7 (https://tracker.internal/HMS-7): “" in render_text(drawn)


@pytest.mark.parametrize(
    ("rollout", "kind"),
    [
        (make_rollout(), CARD),
        (
            make_rollout(
                votes=(Vote(actor=BOB, kind=VoteKind.APPROVE, at=NOON),), votes_required=2
            ),
            CARD,
        ),
        (
            ended(RolloutState.FAILED, failure=FAILURE, outcome="Left as it is, as configured."),
            ENDED,
        ),
        (ended(RolloutState.ROLLED_BACK, failure=FAILURE, outcome="1.0 is serving again."), ENDED),
        (ended(RolloutState.SUCCEEDED, outcome="2 of 2 · healthy for 10 s"), ENDED),
        (
            ended(
                RolloutState.CANCELLED,
                cancelled_by=BOB,
                outcome=f"Stopped by <@{BOB.id}>; see `status myapp prod`.",
            ),
            ENDED,
        ),
        (ended(RolloutState.SUCCEEDED), NoticeKind.ERRORS),
    ],
    ids=["asked", "one-vote", "failed", "rolled-back", "live", "cancelled", "errors"],
)
def test_how_it_reads(rollout: Rollout, kind: NoticeKind, snapshot: SnapshotAssertion) -> None:
    drawn = draw(shown(rollout), kind)

    assert drawn is not None
    assert f"Subject: {drawn.title}\n\n{render_text(drawn)}" == snapshot


@pytest.mark.parametrize(
    ("rollout", "kind"),
    [
        (make_rollout(state=RolloutState.QUEUED), CARD),
        (make_rollout(state=RolloutState.RUNNING), CARD),
        (ended(RolloutState.FAILED), CARD),
        (ended(RolloutState.FAILED), NoticeKind.EVIDENCE),
        (make_rollout(), ENDED),
    ],
    ids=["queued", "running", "card-of-an-end", "evidence", "not-ended"],
)
def test_what_nobody_has_to_decide_or_the_end_tells_is_not_told(
    rollout: Rollout, kind: NoticeKind
) -> None:
    assert draw(shown(rollout), kind) is None
