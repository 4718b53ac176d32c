"""Joining two looks at one log."""

from __future__ import annotations

import pytest

from handlers.cli.asking import unseen


@pytest.mark.parametrize(
    ("shown", "newest", "fresh"),
    [
        ("", "ab", "ab"),
        ("ab", "ab", ""),
        ("ab", "abc", "c"),
        ("ab", "xabc", "c"),
        ("abc", "bcd", "d"),
        ("abc", "xyz", "xyz"),
        ("abc", "", ""),
    ],
)
def test_only_lines_after_those_shown_are_new(shown: str, newest: str, fresh: str) -> None:
    assert "".join(unseen(list(shown), list(newest))) == fresh
