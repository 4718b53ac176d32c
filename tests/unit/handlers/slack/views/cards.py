"""One card for every state, for snapshots and for the checks of Slack's limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from handlers.slack.views.card import Card
from handlers.slack.views.shipments import Shipped, ShippedCommit
from handlers.tickets import Ticket
from operations.actor import Actor, ActorKind
from operations.deployment.progress import Failure, Step, StepState
from operations.deployment.release import Release
from operations.deployment.rollout import Review, RolloutKind, RolloutState, Vote, VoteKind
from operations.deployment.target import ApprovalRule
from operations.errors import Blocked
from tests.factories import ALICE, BOB, CAROL, NOON, make_rollout

HMS_DEV = Actor(id="component:hms-dev", kind=ActorKind.COMPONENT, name="hms-dev")
RULE = ApprovalRule(required=2, voters=frozenset({"S01OPS", "U02BOB"}))
APPROVED = (
    Vote(actor=BOB, kind=VoteKind.APPROVE, at=NOON + timedelta(minutes=1)),
    Vote(actor=CAROL, kind=VoteKind.APPROVE, at=NOON + timedelta(minutes=3)),
)
STARTED = NOON + timedelta(minutes=3)
STEPS = (
    Step(name="Task definition myapp:42", state=StepState.DONE, at=STARTED),
    Step(
        name="New tasks",
        state=StepState.RUNNING,
        detail="2 of 3 running",
        ready=2,
        total=3,
        at=STARTED,
    ),
    Step(name="Health for 30 s", state=StepState.PENDING),
)
FAILURE = Failure(
    summary="3 tasks could not start",
    reason="CannotPullContainerError: failed to resolve ref acme/myapp:1.2.0: not found",
    evidence=("service myapp was unable to place a task", "pull access denied"),
)
SHIPPED = Shipped(
    commits=tuple(
        ShippedCommit(commit=f"{n}f8e2c1aaaa", title=f"Change number {n} (#41{n})", author=author)
        for n, author in enumerate(("Alice", "Dan", "Dan", "Alice", "Eve", "Dan", "Eve"), start=1)
    ),
    url="https://github.com/acme/myapp/compare/1.0.3...1.1.0",
    span="1.0.3…1.1.0",
)


def make_card(state: RolloutState, **changes: object) -> Card:
    """A rollout of myapp 1.1 in prod that got as far as `state`, at ten past noon."""
    begun = state not in {RolloutState.PENDING_APPROVAL, RolloutState.QUEUED, RolloutState.EXPIRED}
    ended = state not in {
        RolloutState.PENDING_APPROVAL,
        RolloutState.QUEUED,
        RolloutState.RUNNING,
        RolloutState.VERIFYING,
    }
    rollout = make_rollout(
        state=state,
        votes=APPROVED if begun else (),
        votes_required=2,
        steps=STEPS if begun else (),
        started_at=STARTED if begun else None,
        ended_at=STARTED + timedelta(seconds=125) if ended else None,
    )
    card = Card(
        rollout=rollout,
        now=STARTED + timedelta(seconds=72),
        title="AWS ECS main/myapp",
        can_cancel=True,
    )
    return replace(card, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def _with(card: Card, **changes: object) -> Card:
    return replace(card, rollout=replace(card.rollout, **changes))  # type: ignore[arg-type]  # same


WAITING = make_card(RolloutState.PENDING_APPROVAL, rule=RULE, shipped=SHIPPED)
MUTABLE = Release(version="latest", artifact="acme/myapp:latest")
EXAMPLES: dict[str, Card] = {
    "waiting": WAITING,
    "waiting with a vote": _with(WAITING, votes=APPROVED[:1]),
    "waiting, mutable, emergency": _with(
        WAITING, release=MUTABLE, emergency=True, warnings=("The tag was moved today.",)
    ),
    "waiting, of a component": replace(
        _with(WAITING, requested_by=HMS_DEV, external_id="HMS-7"),
        ticket=Ticket("HMS-7", "https://tracker.internal/tickets/HMS-7"),
    ),
    "queued": make_card(RolloutState.QUEUED),
    "waiting, for later": _with(WAITING, start_at=NOON + timedelta(hours=6)),
    "scheduled": replace(
        _with(make_card(RolloutState.QUEUED), start_at=NOON + timedelta(hours=6), votes=APPROVED),
        cancellers="<@U01ALICE> or <!subteam^S01OPS>",
    ),
    "scheduled, held back": _with(
        make_card(
            RolloutState.QUEUED, held=Blocked("myapp/prod is locked.", hint="Then it goes on.")
        ),
        start_at=NOON,
    ),
    "running late": _with(make_card(RolloutState.RUNNING), start_at=NOON - timedelta(minutes=9)),
    "emergency, to be reviewed": _with(make_card(RolloutState.SUCCEEDED), emergency=True),
    "emergency, reviewed": _with(
        make_card(RolloutState.SUCCEEDED),
        emergency=True,
        review=Review(actor=CAROL, at=NOON, note="right so, <!here> *all*"),
    ),
    "queued behind": make_card(RolloutState.QUEUED, behind=make_rollout(id=1041)),
    "running": make_card(RolloutState.RUNNING),
    "running, cannot be stopped": make_card(RolloutState.RUNNING, can_cancel=False),
    "running, being stopped": _with(make_card(RolloutState.RUNNING), cancelled_by=CAROL),
    "rolling back": _with(make_card(RolloutState.RUNNING), kind=RolloutKind.ROLLBACK),
    "verifying": make_card(RolloutState.VERIFYING),
    "live": _with(
        make_card(RolloutState.SUCCEEDED, can_roll_back=True),
        outcome="3 of 3 tasks · healthy for 30 s",
    ),
    "live, of a component": replace(
        _with(make_card(RolloutState.SUCCEEDED), requested_by=HMS_DEV, external_id="HMS-7"),
        ticket=Ticket("HMS-7"),
    ),
    "live no more": make_card(RolloutState.SUCCEEDED),
    "failed": _with(
        make_card(RolloutState.FAILED), failure=FAILURE, outcome="Left as it is, as configured."
    ),
    "failed, long reason": _with(
        make_card(RolloutState.FAILED),
        failure=Failure(summary="it broke", reason="Traceback:\n  line 1\n  line 2"),
    ),
    "rolled back": _with(
        make_card(RolloutState.ROLLED_BACK), failure=FAILURE, outcome="1.0 is serving again."
    ),
    "rolled back by the platform": _with(
        make_card(RolloutState.ROLLED_BACK),
        failure=FAILURE,
        outcome="1.0 is serving again, brought back by AWS ECS main/myapp.",
    ),
    "cancelled": _with(
        make_card(RolloutState.CANCELLED),
        cancelled_by=ALICE,
        outcome="Cancelled by <@U01ALICE>; 1.0 is serving again.",
    ),
    "superseded": _with(
        make_card(RolloutState.CANCELLED), outcome="Superseded by D-1043 (1.2).", started_at=None
    ),
    "rejected": _with(
        make_card(RolloutState.REJECTED),
        outcome="Rejected by <@U02BOB>: wait for <!channel>",
        started_at=None,
    ),
    "expired": _with(make_card(RolloutState.EXPIRED), outcome="Nobody decided in time."),
    "cannot tell": _with(
        make_card(RolloutState.UNKNOWN),
        outcome="Another change took its place. Look at the platform.",
    ),
}
