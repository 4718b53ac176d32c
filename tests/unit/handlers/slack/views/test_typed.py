"""A person's words are shown as they typed them."""

from __future__ import annotations

import pytest

from handlers.slack.views.blocks import typed


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("fix *all* of it", "fix ∗all∗ of it"),
        ("run `make` first", "run ˋmakeˋ first"),
        ("~not~ now", "∼not∼ now"),
        ("_really_ a snake_case name", "ˍreallyˍ a snake_case name"),
        ("<!channel> & more", "&lt;!channel&gt; &amp; more"),
        ("two\nlines", "two lines"),
    ],
)
def test_nothing_of_it_is_formatted(words: str, shown: str) -> None:
    assert typed(words) == shown
