"""Ids are unique, and what a button carries is read strictly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.slack.ids import (
    ActionId,
    ButtonValue,
    FormBlock,
    ViewId,
    decode_button,
    decode_channel,
    kind_of_block,
    subject_of_block,
)
from operations.outbox import NoticeKind


def test_ids_are_unique_and_short() -> None:
    """Of two listeners with the same id, Bolt calls the first and the other is dead."""
    ids = [*ActionId, *ViewId, *FormBlock]

    assert len(set(ids)) == len(ids)
    assert all(len(name) <= 255 for name in ids)


@given(st.integers(1, 10**12 - 1), st.integers(0, 10**9 - 1))
def test_a_button_is_read_back(rollout_id: int, revision: int) -> None:
    """Whatever ids the database gives."""
    value = ButtonValue(rollout_id, revision)

    assert decode_button(value.encode()) == value


@pytest.mark.parametrize(
    "text", ["", "1042", "1042:", ":7", "01:1", "1:1 ", "1:-1", "١:1", "1:1:1"]
)
def test_anything_else_is_no_button(text: str) -> None:
    """None, never a guess."""
    assert decode_button(text) is None


@pytest.mark.parametrize(
    ("text", "channel"), [("C01GEN", "C01GEN"), ("", ""), ("<x>", ""), ("c1", "")]
)
def test_a_form_carries_a_channel_or_nothing(text: str, channel: str) -> None:
    """private_metadata comes back from a client."""
    assert decode_channel(text) == channel


@pytest.mark.parametrize(
    ("block_id", "subject"),
    [
        ("A-17.card.3.buttons", "A-17"),
        ("D-1042.card.7.head", "D-1042"),
        ("A-17", ""),
        ("A-017.card.", ""),
        ("deploy.project", ""),
        ("errors.E-12.3.buttons", ""),
        ("", ""),
    ],
)
def test_a_block_tells_whose_message_it_is_on(block_id: str, subject: str) -> None:
    """An alert's message has a button of a rollout."""
    assert subject_of_block(block_id) == subject


@pytest.mark.parametrize(
    ("block_id", "kind"),
    [
        ("D-1042.card.7.head", NoticeKind.CARD),
        ("D-1042.errors.7.buttons", NoticeKind.ERRORS),
        ("D-1042.unheard_of.7", NoticeKind.CARD),
        ("errors.E-12.3.buttons", NoticeKind.CARD),
    ],
)
def test_a_block_tells_which_message_of_its_subject_it_is_on(
    block_id: str, kind: NoticeKind
) -> None:
    """A reply that moves must not be redrawn as the card."""
    assert kind_of_block(block_id) is kind
