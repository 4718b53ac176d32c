from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.actor import Actor, ActorKind
from operations.deployment import policy, voting
from operations.deployment.policy import Identity, Question, assess
from operations.deployment.rollout import (
    ENDED,
    Rollout,
    RolloutState,
    TargetLock,
    Vote,
    VoteKind,
)
from operations.deployment.target import ApprovalRule, Target, Window
from operations.errors import Blocked, InvalidRequest, NotPermitted, StaleDecision, UnknownTarget
from tests.factories import ALICE, BOB, CAROL, NOBODY, NOON, make_catalog, make_rollout, make_target

LONDON = ZoneInfo("Europe/London")
OFFICE = Window(
    days=frozenset(range(5)),
    start=time(9),
    end=time(17, 30),
    timezone=LONDON,
    text="mon-fri 09:00-17:30 Europe/London",
)


def ask(target: Target, who: Actor = ALICE, **changes: object) -> policy.Answer:
    question = Question(target=target, identity=Identity(who), now=NOON, **changes)  # type: ignore[arg-type]
    return assess(question)


def test_a_deploy_asks_for_the_targets_votes() -> None:
    assert ask(make_target(approval=ApprovalRule(required=2))).votes_required == 2


def test_a_target_without_a_rule_needs_no_votes() -> None:
    assert ask(make_target(approval=None)).rule is None


def test_nothing_stands_in_the_way_of_an_open_target() -> None:
    assert ask(make_target()).obstacles == ()


def test_only_those_named_may_deploy() -> None:
    target = make_target(deployers=frozenset({"U02BOB"}))

    (obstacle,) = ask(target).obstacles

    assert isinstance(obstacle, NotPermitted)
    assert "<@U02BOB>" in obstacle.hint


def test_a_member_of_a_named_group_may_deploy() -> None:
    target = make_target(deployers=frozenset({"S01OPS"}))
    identity = Identity(ALICE, frozenset({"S01OPS"}))

    assert assess(Question(target=target, identity=identity, now=NOON)).obstacles == ()


def test_somebody_elses_lock_stands_in_the_way() -> None:
    (obstacle,) = ask(make_target(), lock=make_lock()).obstacles

    assert isinstance(obstacle, Blocked)
    assert "quarter end" in obstacle.message


def test_the_holder_of_a_lock_may_deploy() -> None:
    assert ask(make_target(), BOB, lock=make_lock()).obstacles == ()


def test_a_way_back_passes_locks_and_windows_and_needs_no_votes() -> None:
    target = make_target(windows=(closed_window(),))

    answer = ask(target, lock=make_lock(), is_rollback=True)

    assert answer.obstacles == ()
    assert answer.votes_required == 0


def test_a_closed_window_stands_in_the_way_and_says_when_it_opens() -> None:
    (obstacle,) = ask(make_target(windows=(closed_window(),))).obstacles

    assert closed_window().text in obstacle.message


def test_an_emergency_passes_windows_with_one_vote_of_an_admin() -> None:
    target = make_target(
        windows=(closed_window(),), admins=frozenset({"U02BOB"}), approval=ApprovalRule(required=3)
    )

    answer = ask(target, emergency=True, reason="checkout is down")

    assert answer.obstacles == ()
    assert answer.rule is not None
    assert (answer.rule.required, answer.rule.voters) == (1, frozenset({"U02BOB"}))


def test_an_emergency_needs_a_reason() -> None:
    target = make_target(admins=frozenset({"U02BOB"}))

    assert isinstance(ask(target, emergency=True).obstacles[0], InvalidRequest)


def test_an_emergency_is_refused_when_no_admin_could_consent() -> None:
    assert isinstance(ask(make_target(), emergency=True, reason="x").obstacles[0], Blocked)


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 8, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 17, 30, tzinfo=UTC), False),
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), False),
        # in July London is an hour ahead of UTC
        (datetime(2026, 7, 20, 8, 30, tzinfo=UTC), True),
    ],
    ids=["opens", "before", "closes", "sunday", "summer time"],
)
def test_a_window_is_read_by_its_own_wall_clock(when: datetime, is_open: bool) -> None:
    assert policy.is_open(OFFICE, when) is is_open


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        (datetime(2026, 11, 27, 23, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 28, 1, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 28, 23, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 27, 1, 0, tzinfo=UTC), False),
    ],
    ids=["friday night", "saturday early", "saturday night", "friday early"],
)
def test_a_night_window_belongs_to_the_day_on_which_it_begins(
    when: datetime, is_open: bool
) -> None:
    night = Window(
        days=frozenset({4}), start=time(22), end=time(2), timezone=ZoneInfo("UTC"), text="fri night"
    )

    assert policy.is_open(night, when) is is_open


def vote(rollout: Rollout, who: Actor, **target: object) -> object:
    return voting.vote_obstacle(rollout, make_target(**target), Identity(who), NOON)


def test_somebody_else_may_approve() -> None:
    assert vote(make_rollout(), BOB) is None


def test_requesters_may_not_decide_on_their_own() -> None:
    assert isinstance(vote(make_rollout(), ALICE), NotPermitted)


def test_requesters_may_approve_their_own_where_that_is_configured() -> None:
    rule = ApprovalRule(required=1, self_approval=True)

    assert vote(make_rollout(), ALICE, approval=rule) is None


def test_only_named_voters_may_decide() -> None:
    rule = ApprovalRule(required=1, voters=frozenset({"U03CAROL"}))

    assert isinstance(vote(make_rollout(), BOB, approval=rule), NotPermitted)


def test_the_vote_of_an_unmapped_login_counts_for_nothing() -> None:
    assert isinstance(vote(make_rollout(), NOBODY), NotPermitted)


def test_a_second_vote_of_the_same_person_does_not_count() -> None:
    rollout = make_rollout(
        votes_required=2, votes=(Vote(actor=BOB, kind=VoteKind.APPROVE, at=NOON),)
    )

    assert isinstance(vote(rollout, BOB), StaleDecision)


def test_an_expired_question_takes_no_votes() -> None:
    rollout = make_rollout(expires_at=NOON)

    assert isinstance(vote(rollout, BOB), StaleDecision)


@pytest.mark.parametrize("state", sorted(ENDED | {RolloutState.QUEUED, RolloutState.RUNNING}))
def test_a_decided_rollout_takes_no_votes(state: RolloutState) -> None:
    assert isinstance(vote(make_rollout(state=state), BOB), StaleDecision)


def test_an_emergency_is_decided_by_admins_only() -> None:
    rollout = make_rollout(emergency=True)

    assert isinstance(vote(rollout, BOB, admins=frozenset({"U03CAROL"})), NotPermitted)
    assert vote(rollout, CAROL, admins=frozenset({"U03CAROL"})) is None


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(VoteKind)), max_size=8),
    st.integers(1, 5),
)
def test_nothing_is_approved_with_too_few_votes_or_a_refusal(
    votes: list[tuple[int, VoteKind]], required: int
) -> None:
    cast = tuple(
        Vote(actor=Actor(id=f"U{n}", kind=ActorKind.SLACK), kind=kind, at=NOON) for n, kind in votes
    )

    approved = voting.is_approved(make_rollout(votes=cast, votes_required=required))

    in_favour = [v for v in cast if v.kind is VoteKind.APPROVE]
    assert approved == (len(in_favour) >= required and len(in_favour) == len(cast))


def test_requesters_may_cancel_their_own() -> None:
    target = make_target(admins=frozenset({"U02BOB"}))

    assert voting.cancel_obstacle(make_rollout(), target, Identity(ALICE)) is None


def test_others_may_not_cancel_where_admins_are_named() -> None:
    target = make_target(admins=frozenset({"U02BOB"}))

    assert isinstance(voting.cancel_obstacle(make_rollout(), target, Identity(CAROL)), NotPermitted)


def test_an_ended_rollout_cannot_be_cancelled() -> None:
    ended = make_rollout(state=RolloutState.SUCCEEDED)

    assert isinstance(voting.cancel_obstacle(ended, make_target(), Identity(ALICE)), StaleDecision)


def make_lock() -> TargetLock:
    return TargetLock(
        project="myapp",
        environment="prod",
        actor=BOB,
        reason="quarter end",
        at=NOON,
        until=NOON + timedelta(hours=2),
    )


def closed_window() -> Window:
    return Window(
        days=frozenset({6}), start=time(9), end=time(10), timezone=LONDON, text="sun 09:00-10:00"
    )


def test_who_votes_a_second_time_hears_that_the_first_one_counted() -> None:
    vote = Vote(actor=BOB, kind=VoteKind.APPROVE, at=NOON)
    rollout = make_rollout(state=RolloutState.RUNNING, votes=(vote,))

    found = voting.vote_obstacle(rollout, make_target(), Identity(BOB), NOON)

    assert found is not None
    assert found.message == (
        "Your earlier vote was counted: D-1042 is approved and rolling out (by <@U02BOB>)."
    )


def test_who_votes_twice_before_it_is_decided_hears_what_is_missing() -> None:
    vote = Vote(actor=BOB, kind=VoteKind.APPROVE, at=NOON)
    rollout = make_rollout(votes=(vote,), votes_required=2)

    found = voting.vote_obstacle(rollout, make_target(), Identity(BOB), NOON)

    assert found is not None
    assert found.hint == "It needs 1 more vote, of somebody else."


def test_an_unknown_word_before_a_project_is_told_from_an_unknown_project() -> None:
    with pytest.raises(UnknownTarget) as caught:
        make_catalog().find("frog", "myapp")

    assert caught.value.hint == ("“myapp” is one: leave “frog” out, or say a provider (k8s).")
