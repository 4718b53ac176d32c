"""The atoms: escaping and limits in one place."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.slack.views import blocks
from operations.actor import Actor, ActorKind
from tests.factories import ALICE, NOON
from tests.slack_blocks import message_faults, text_faults


def test_escape_leaves_nothing_to_slack() -> None:
    """The three characters."""
    assert blocks.escape("<!here> & >") == "&lt;!here&gt; &amp; &gt;"


def test_said_keeps_mentions_and_completes_commands() -> None:
    """Operations speak of people by id and of commands without the slash."""
    told = blocks.said("<@U02BOB> and <!subteam^S01OPS> can: `approve D-1`, not <!channel> or `x`")

    assert told == (
        "<@U02BOB> and <!subteam^S01OPS> can: `/hms approve D-1`, not &lt;!channel&gt; or `x`"
    )


def test_one_line_cannot_pretend_to_be_two() -> None:
    """A reason with a line break could look like a line of ours."""
    assert blocks.one_line("fix\n🟢 *Live*") == "fix 🟢 *Live*"


def test_code_cannot_be_left() -> None:
    """A backtick within would end it."""
    assert blocks.code("a`b") == "`aˋb`"


def test_fence_keeps_the_end() -> None:
    """Where platforms put the reason."""
    fenced = blocks.fence("start " + "x" * 5000 + " the reason")

    assert fenced.endswith(" the reason\n```")
    assert len(fenced) < 3000


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (ALICE, "<@U01ALICE>"),
        (Actor(id="cli:bob", kind=ActorKind.CLI, name="bob"), "bob"),
        (Actor(id="U<x", kind=ActorKind.SLACK, name="<b>"), "&lt;b&gt;"),
    ],
)
def test_person(actor: Actor, expected: str) -> None:
    """A mention for those whom Slack knows."""
    assert blocks.person(actor) == expected


def test_times_are_in_the_readers_zone() -> None:
    """Of day when near, with the date when not, and readable where Slack does not draw them."""
    stamp = int(NOON.timestamp())

    assert blocks.clock(NOON, NOON) == f"<!date^{stamp}^{{time}}|12:00 UTC>"
    assert blocks.clock(NOON, NOON + timedelta(days=2)) == (
        f"<!date^{stamp}^{{date_short}} {{time}}|23 Nov 12:00 UTC>"
    )


@pytest.mark.parametrize(
    ("ready", "total", "expected"),
    [
        (0, 3, "`░░░░░░░░`"),
        (2, 3, "`█████░░░`"),
        (3, 3, "`████████`"),
        (9, 3, "`████████`"),
        (1, 0, "`░░░░░░░░`"),
    ],
)
def test_bar(ready: int, total: int, expected: str) -> None:
    """Eight cells in proportion, whatever a platform counts."""
    assert blocks.bar(ready, total) == expected


@given(st.lists(st.text(alphabet="ab&<>`\n ", max_size=4000), max_size=70))
def test_any_sum_of_sections_fits(texts: list[str]) -> None:
    """However much somebody has to say."""
    made = blocks.message("x", [blocks.section(blocks.escape(text)) for text in texts])

    if made.blocks:
        shown = [b for b in made.blocks if blocks.text_of(b).strip()]
        assert message_faults(shown) == [] if shown else True
    assert sum(len(blocks.text_of(block)) for block in made.blocks) <= blocks.TOTAL_LIMIT


@given(st.text(alphabet="a&<>` ", max_size=900))
def test_a_cut_never_tears_an_entity(text: str) -> None:
    """Cut mrkdwn is still mrkdwn."""
    assert list(text_faults(blocks.message(blocks.escape(text), []).text)) == []
