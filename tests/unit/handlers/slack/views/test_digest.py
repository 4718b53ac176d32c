"""A digest's message: as it was agreed on, within Slack's limits whatever it is about, item by item."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from handlers.slack.ids import ActionId, decode_button
from handlers.slack.views.blocks import BLOCKS_LIMIT, Message
from handlers.slack.views.digest import DigestCard, chart_block, draw, draw_preview, posted
from handlers.slack.views.native_chart import native_chart
from operations.monitoring.alert import AlertState
from operations.monitoring.digest.digest import Digest, Errors
from operations.monitoring.digest.digests import DigestReport
from operations.monitoring.digest.span import Span
from operations.monitoring.errors.group import GroupState
from tests.digests import BUSY, LATE, QUIET, STORM, make_report, store
from tests.error_groups import make_group
from tests.factories import BOB, NOON
from tests.slack_blocks import all_text, labels, message_faults, text_faults
from tests.unit.handlers.slack.views.alarms import make_alert

HOUR = timedelta(hours=1)
DIGESTS = {"busy": BUSY, "quiet": QUIET, "late": LATE, "storm": STORM}


def card(report: DigestReport, **changes: object) -> DigestCard:
    plain = DigestCard(report=report, now=NOON, chart=chart_block("F01", report.stored.digest))
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def readable(drawn: Message) -> str:
    return f"{drawn.text}\n---\n{all_text(drawn.blocks)}\n---\n{labels(drawn.blocks)}"


@pytest.mark.parametrize("name", ["busy", "quiet", "late"])
def test_message(name: str, snapshot: SnapshotAssertion) -> None:
    """What people read; a change of these snapshots is a change of the product."""
    assert readable(draw(card(make_report(DIGESTS[name])))) == snapshot


def test_preview(snapshot: SnapshotAssertion) -> None:
    """The same, without buttons."""
    assert readable(draw_preview(BUSY)) == snapshot


@pytest.mark.parametrize("name", DIGESTS)
def test_slack_takes_it(name: str) -> None:
    """By its shape, its limits and its escaping; the private answer too."""
    for drawn in (draw(card(make_report(DIGESTS[name]))), draw_preview(DIGESTS[name])):
        assert message_faults(drawn.blocks) == []
        assert list(text_faults(drawn.text)) == []
        assert len(drawn.blocks) <= BLOCKS_LIMIT


def test_a_storm_keeps_the_buttons_of_every_item_that_is_shown() -> None:
    drawn = draw(card(make_report(STORM)))

    assert labels(drawn.blocks).count("Resolve") == 10
    assert labels(drawn.blocks).count("Acknowledge") == 5
    assert "the first 5 of 50,000" in all_text(drawn.blocks)


def test_every_block_of_it_names_the_digest() -> None:
    drawn = draw(card(make_report(BUSY)))
    named = [str(block["block_id"]) for block in drawn.blocks if "block_id" in block]

    assert all(name.startswith("G-3.card.") for name in named)
    assert len(set(named)) == len(named)


def test_a_button_carries_its_items_id_and_revision() -> None:
    group = make_group(id=12, revision=5)
    drawn = draw(card(make_report(BUSY, groups={12: group})))
    [actions] = [b for b in drawn.blocks if b.get("block_id") == "G-3.card.E-12.buttons"]
    elements = actions["elements"]
    assert isinstance(elements, list)
    button = elements[0]

    assert button["action_id"] == ActionId.ERROR_RESOLVE
    value = decode_button(button["value"])
    assert value is not None
    assert (value.number, value.revision) == (12, 5)


def test_what_somebody_dealt_with_is_marked_and_its_numbers_stay() -> None:
    resolved = make_group(id=12, state=GroupState.RESOLVED, resolved_by=BOB, resolved_at=NOON)
    silenced = make_group(id=13, silenced_by=BOB, silenced_until=NOON + HOUR)
    looked_after = make_alert(
        id=17, state=AlertState.ACKNOWLEDGED, acknowledged_by=BOB, acknowledged_at=NOON
    )
    report = make_report(BUSY, {17: looked_after}, {12: resolved, 13: silenced})

    drawn = draw(card(report))

    text = all_text(drawn.blocks)
    assert "resolved by <@U02BOB>" in text
    assert "silenced until" in text
    assert "👀 <@U02BOB> looks after it" in text
    assert "312 times" in text
    assert labels(drawn.blocks) == ["Resolve", "Resolve", "Silence 1h"]


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        (make_alert(state=AlertState.RESOLVED, resolved_at=NOON), "🟢 Well again"),
        (make_alert(state=AlertState.RESOLVED, resolved_by=BOB), "⚪ Resolved by <@U02BOB>"),
    ],
)
def test_an_alert_that_ended_since_says_so(alert: object, words: str) -> None:
    drawn = draw(card(make_report(BUSY, {17: alert})))  # type: ignore[dict-item]  # an alert

    assert words in all_text(drawn.blocks)
    assert "Acknowledge" not in labels(drawn.blocks)


def test_what_is_not_kept_any_more_has_no_buttons() -> None:
    report = replace(make_report(BUSY), alerts={}, groups={})

    assert labels(draw(card(report)).blocks) == []


def test_who_had_it_posted_is_told_where() -> None:
    assert posted(store(BUSY, key="now:1")).text.startswith(
        "G-3 goes to <#C02OPS>: Digest: Mon 23 Nov"
    )


@pytest.mark.parametrize("hours", [23, 24, 25])
def test_slacks_own_chart_keeps_its_limits_on_days_of_every_length(hours: int) -> None:
    """With 25 hours from midnight of the day on which London's clocks go back, 01:00 comes twice."""
    until = NOON.replace(month=10, day=25, hour=23)
    digest = Digest(
        span=Span(until - hours * HOUR, until),
        zone="Europe/London",
        errors=Errors(hours=tuple(range(hours)), hours_before=(1,) * 24),
    )

    block = native_chart(digest)

    assert message_faults([block]) == []
    shape = json.loads(json.dumps(block))
    series = shape["chart"]["series"][0]["data"]
    assert sum(point["value"] for point in series) == sum(range(hours))
