"""An alert's message at every turn: as it was agreed on, and within Slack's limits whatever pages say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from handlers.slack.ids import decode_button
from handlers.slack.views.alerts import AlertCard, draw, ended_reply
from handlers.slack.views.blocks import Message
from handlers.slack.views.escalations import escalation
from operations.actor import Actor, ActorKind
from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.grouping import AlertGroup
from tests.factories import BOB, NOON, make_rollout
from tests.slack_blocks import all_text, labels, message_faults, text_faults
from tests.unit.handlers.slack.views.alarms import (
    BY_HAND,
    ERRORS,
    ESCALATED,
    EXAMPLES,
    LIVE,
    WELL,
    make_alert,
    make_alert_card,
)

BUTTONS = {
    "firing": ["Acknowledge", "Silence 1h", "Resolve"],
    "firing after a rollout": ["Acknowledge", "Silence 1h", "Resolve", "Roll back"],
    "firing after what serves no more": ["Acknowledge", "Silence 1h", "Resolve"],
    "flapping": ["Acknowledge", "Silence 1h", "Resolve"],
    "acknowledged": ["Silence 1h", "Resolve"],
    "silenced": ["Acknowledge", "Resolve"],
    "silence is over": ["Acknowledge", "Silence 1h", "Resolve"],
    "acknowledged and silenced": ["Resolve"],
    "well again": [],
    "resolved by hand": [],
    "three at once": ["Acknowledge", "Silence 1h", "Resolve"],
    "three at once, the first is well": ["Acknowledge", "Silence 1h", "Resolve"],
    "two at once, well again": [],
    "cannot be asked": ["Acknowledge", "Silence 1h", "Resolve"],
    "no longer watched": [],
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
    """What was done already, or is over, has no button."""
    assert labels(draw(EXAMPLES[name]).blocks) == BUTTONS[name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_first_line_is_state_what_where(name: str) -> None:
    """A glance, a push notification and a screen reader are told the same."""
    drawn = draw(EXAMPLES[name])
    first = all_text(drawn.blocks).split("\n", 1)[0]

    words = first.split("*")[1]
    assert drawn.text.startswith(words)
    assert first.endswith("· myapp/prod")


def test_secrets_of_an_address_are_not_shown() -> None:
    """Neither as words nor as a link."""
    shown = str(draw(EXAMPLES["an address with a secret"]).blocks)

    assert "myapp.example.com:8443/healthz" in shown
    assert "pw" not in shown
    assert "abc" not in shown


def test_the_text_of_a_card_mentions_nobody() -> None:
    """It stands in notifications, where a mention is but an id."""
    assert all("<@" not in draw(card).text for card in EXAMPLES.values())


def test_reply_names_who_looked_after_it(snapshot: SnapshotAssertion) -> None:
    """An edit notifies nobody."""
    assert _readable(ended_reply(AlertGroup(WELL))) == snapshot


def test_reply_of_what_nobody_acknowledged(snapshot: SnapshotAssertion) -> None:
    """Nobody is called."""
    assert _readable(ended_reply(AlertGroup(replace(WELL, acknowledged_by=None)))) == snapshot


def test_reply_of_what_somebody_resolved(snapshot: SnapshotAssertion) -> None:
    """It says who, and does not call it well."""
    assert _readable(ended_reply(AlertGroup(BY_HAND))) == snapshot


def test_whoever_did_both_is_named_once() -> None:
    """Acknowledged and resolved by the same person."""
    both = replace(BY_HAND, acknowledged_by=BY_HAND.resolved_by)

    assert all_text(ended_reply(AlertGroup(both)).blocks).count("<@") == 1


ELSEWHERE = {
    "nobody looks after it": AlertGroup(ESCALATED, (ERRORS,)),
    "somebody does": AlertGroup(
        replace(ESCALATED, acknowledged_by=BOB, acknowledged_at=NOON + timedelta(minutes=4))
    ),
    "it is over": AlertGroup(
        replace(ESCALATED, state=AlertState.RESOLVED, resolved_at=NOON + timedelta(minutes=9))
    ),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_told_elsewhere(name: str, snapshot: SnapshotAssertion) -> None:
    """A call, then who heard it, then how it ended: never a button that does nothing."""
    drawn = escalation(ELSEWHERE[name], NOON + timedelta(minutes=5))

    assert _readable(drawn) == snapshot
    assert all(str(b["block_id"]).startswith("A-17.escalated.") for b in drawn.blocks)


def test_block_ids_change_with_the_revision() -> None:
    """Else Slack keeps the state of elements that were replaced."""
    cards = [draw(make_alert_card(make_alert(revision=number))) for number in (1, 2)]
    ids = [{str(block["block_id"]) for block in card.blocks} for card in cards]

    assert ids[0].isdisjoint(ids[1])
    assert all(block_id.startswith("A-17.card.") for block_id in ids[0] | ids[1])


def test_buttons_carry_the_alert_but_roll_back_the_rollout() -> None:
    """It is the rollout's own button, with all its rules."""
    row = draw(EXAMPLES["firing after a rollout"]).blocks[-1]["elements"]
    assert isinstance(row, list)
    values = [decode_button(button["value"]) for button in row]

    assert [value.number for value in values if value] == [17, 17, 17, 1042]
    assert row[-1]["action_id"] == "rollout.roll_back"


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
times = st.timedeltas(timedelta(0), timedelta(days=9)).map(lambda span: NOON + span)
alerts = st.builds(
    Alert,
    id=st.integers(1, 10**9),
    check_id=names,
    name=names,
    project=names,
    environment=names,
    channel=st.just("C02OPS"),
    state=st.sampled_from(AlertState),
    since=times,
    seen=st.integers(1, 10**6),
    reason=words,
    is_flapping=st.booleans(),
    rollout=st.sampled_from(["", "D-1042", "<!here>"]),
    source=st.sampled_from(["", "alertmanager", "<!here>"]),
    url=words,
    fired_at=times,
    is_unasked=st.booleans(),
    well_at=st.none() | times,
    escalated_at=st.none() | times,
    escalated_to=st.lists(st.sampled_from(["C09BOSS", "U03CAROL", "<!here>"])).map(tuple),
    acknowledged_by=st.none() | actors,
    acknowledged_at=st.none() | times,
    silenced_by=st.none() | actors,
    silenced_until=st.none() | times,
    resolved_at=st.none() | times,
    resolved_by=st.none() | actors,
)
addresses = (
    st.sampled_from(
        [
            "",
            "https://x/a|b>c",
            "https://x y/",
            "javascript:1",
            "https://[x",
            "tcp://<!here>:5",
            "http://x:99999",
        ]
    )
    | words
)


@settings(max_examples=150, deadline=None)
@given(
    group=st.builds(AlertGroup, alerts, st.lists(alerts, max_size=12).map(tuple)),
    address=addresses,
    version=names,
    may=st.booleans(),
)
def test_no_words_break_a_card(group: AlertGroup, address: str, version: str, may: bool) -> None:
    """Whatever a page answers, Slack takes it and nobody is mentioned by it."""
    rollout = replace(
        make_rollout() if may else LIVE, release=replace(LIVE.release, version=version)
    )
    card = AlertCard(
        group=group,
        now=NOON + timedelta(days=1),
        addresses={alert.check_id: address for alert in group.alerts},
        rollout=rollout,
        can_roll_back=may,
    )
    for drawn in (draw(card), ended_reply(group), escalation(group, card.now)):
        assert message_faults(drawn.blocks) == []
        assert list(text_faults(drawn.text)) == []
        assert 0 < len(drawn.text) < 300


def test_how_long_is_left_out_while_it_is_nothing_yet() -> None:
    card = make_alert_card(make_alert(), now=NOON)

    assert " (0 s)" not in all_text(draw(card).blocks)
