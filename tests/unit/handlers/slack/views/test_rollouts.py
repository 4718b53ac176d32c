"""The card of every state: as it was agreed on, and within Slack's limits whatever people write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from handlers.slack.ids import decode_button
from handlers.slack.views.blocks import Message
from handlers.slack.views.card import Card
from handlers.slack.views.rollouts import draw
from handlers.slack.views.shipments import Shipped, ShippedCommit
from handlers.slack.views.thread import ended_reply, evidence
from handlers.tickets import Ticket
from operations.actor import Actor, ActorKind
from operations.deployment.progress import Failure, Step, StepState
from operations.deployment.release import Release
from operations.deployment.rollout import Rollout, RolloutKind, RolloutState, Vote, VoteKind
from operations.deployment.target import ApprovalRule
from tests.factories import NOON, make_rollout
from tests.slack_blocks import all_text, labels, message_faults, text_faults
from tests.unit.handlers.slack.views.cards import EXAMPLES, make_card

BUTTONS = {
    "waiting": ["Approve", "Reject"],
    "waiting, of a component": ["Approve", "Reject"],
    "queued": ["Cancel"],
    "running": ["Cancel"],
    "running, cannot be stopped": [],
    "running, being stopped": [],
    "verifying": ["Cancel"],
    "live": ["Roll back"],
    "live no more": [],
    "failed": ["Retry"],
    "rolled back": ["Retry"],
    "cancelled": ["Retry"],
    "superseded": [],
    "rejected": [],
    "expired": ["Retry"],
    "cannot tell": [],
}
HOSTILE = ("<!channel>", "<@U99EVIL>", "&lt;", "*bold*", "`code`", "```", "_it_ ~no~", "a\nb", "😀")


def _readable(drawn: Message) -> str:
    return f"{drawn.text}\n---\n{all_text(drawn.blocks)}\n---\n{labels(drawn.blocks)}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_card(name: str, snapshot: SnapshotAssertion) -> None:
    """What people read; a change of these snapshots is a change of the product."""
    assert _readable(draw(EXAMPLES[name])) == snapshot


@pytest.mark.parametrize("name", EXAMPLES)
def test_card_is_taken_by_slack(name: str) -> None:
    """By its shape, its limits and its escaping."""
    drawn = draw(EXAMPLES[name])

    assert message_faults(drawn.blocks) == []
    assert list(text_faults(drawn.text)) == []


@pytest.mark.parametrize("name", BUTTONS)
def test_only_buttons_that_work(name: str) -> None:
    """A decided or finished message has no button that would no longer work."""
    assert labels(draw(EXAMPLES[name]).blocks) == BUTTONS[name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_first_line_is_state_what_where(name: str) -> None:
    """A glance, a push notification and a screen reader are told the same."""
    drawn = draw(EXAMPLES[name])
    first = all_text(drawn.blocks).split("\n", 1)[0]
    version = EXAMPLES[name].rollout.release.version

    assert f": myapp {version} → prod*" in first
    words = first.split("*")[1].split(":")[0]
    assert drawn.text.startswith(words)


def test_block_ids_change_with_the_revision() -> None:
    """Else Slack keeps the state of elements that were replaced."""
    before, after = make_card(RolloutState.QUEUED), make_card(RolloutState.QUEUED)
    after = replace(after, rollout=replace(after.rollout, revision=2))

    ids = [{str(block["block_id"]) for block in draw(card).blocks} for card in (before, after)]

    assert ids[0].isdisjoint(ids[1])
    assert all(block_id.startswith("D-1042.card.") for block_id in ids[0] | ids[1])


def test_buttons_carry_id_and_revision_only() -> None:
    """What they mean is read from the database."""
    row = draw(EXAMPLES["waiting"]).blocks[-1]["elements"]
    assert isinstance(row, list)

    values = [decode_button(button["value"]) for button in row]

    assert all(value is not None and value.number == 1042 for value in values)


words = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.text(alphabet="&<>*`_x ", min_size=200, max_size=1200),
    st.builds(lambda text: text * 2500, st.sampled_from(HOSTILE)),
)
names = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=120))
actors = st.builds(
    Actor,
    id=st.sampled_from(["U01ALICE", "W1", "cli:x<y", "component:a&b", "U<!here>"]),
    kind=st.sampled_from(ActorKind),
    name=names,
)
releases = st.builds(
    Release, version=names, artifact=st.just("a"), pin=st.one_of(st.just(""), names)
)
times = st.timedeltas(timedelta(0), timedelta(days=9)).map(lambda span: NOON + span)
steps = st.builds(
    Step,
    name=words,
    state=st.sampled_from(StepState),
    detail=words,
    ready=st.integers(-1, 9),
    total=st.integers(-1, 9),
    at=st.none() | times,
)
failures = st.builds(
    Failure, summary=words, reason=words, evidence=st.lists(words, max_size=60).map(tuple)
)
votes = st.builds(Vote, actor=actors, kind=st.sampled_from(VoteKind), at=times)


@st.composite
def rollouts(draw_from: st.DrawFn) -> Rollout:
    """Any rollout that the database could hold, and some that it could not."""
    return make_rollout(
        project=draw_from(names),
        environment=draw_from(names),
        state=draw_from(st.sampled_from(RolloutState)),
        kind=draw_from(st.sampled_from(RolloutKind)),
        release=draw_from(releases),
        previous=draw_from(st.none() | releases),
        requested_by=draw_from(actors),
        reason=draw_from(words),
        warnings=tuple(draw_from(st.lists(words, max_size=8))),
        votes=tuple(draw_from(st.lists(votes, max_size=9))),
        votes_required=draw_from(st.integers(0, 9)),
        emergency=draw_from(st.booleans()),
        steps=tuple(draw_from(st.lists(steps, max_size=20))),
        started_at=draw_from(st.none() | times),
        ended_at=draw_from(st.none() | times),
        cancelled_by=draw_from(st.none() | actors),
        failure=draw_from(st.none() | failures),
        outcome=draw_from(words),
    )


shipments = st.builds(
    Shipped,
    commits=st.lists(
        st.builds(ShippedCommit, commit=names, title=words, author=names), max_size=9
    ).map(tuple),
    url=st.sampled_from(["", "https://x/a|b>c", "javascript:1"]),
    span=names,
)


tickets = st.none() | st.builds(
    Ticket, words, st.sampled_from(["", "https://tracker/%3Cb%3E", "https://tracker/a|b>c"])
)


@settings(max_examples=100, deadline=None)
@given(
    rollout=rollouts(),
    title=words,
    shipped=st.none() | shipments,
    voters=st.frozensets(st.sampled_from(["U1", "S1", "<!channel>", "x"]), max_size=4),
    ticket=tickets,
)
def test_no_words_break_a_card(
    rollout: Rollout,
    title: str,
    shipped: Shipped | None,
    voters: frozenset[str],
    ticket: Ticket | None,
) -> None:
    """Whatever people and platforms write, Slack takes it and nobody is mentioned by it."""
    card = Card(
        rollout=rollout,
        now=NOON + timedelta(days=1),
        title=title,
        rule=ApprovalRule(required=2, voters=voters),
        behind=rollout,
        can_cancel=rollout.emergency,
        can_roll_back=not rollout.emergency,
        shipped=shipped,
        ticket=ticket,
    )
    for drawn in (draw(card), ended_reply(rollout, ticket), evidence(rollout)):
        assert message_faults(drawn.blocks) == []
        assert list(text_faults(drawn.text)) == []
        assert 0 < len(drawn.text) < 300
