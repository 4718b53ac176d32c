"""Calls told apart into rounds by the quiet between them."""

from __future__ import annotations

from bench.ecs import Rounds


def test_calls_close_together_are_one_round() -> None:
    rounds = Rounds([])
    for count, at in [(0, 0.0), (4, 3.0), (5, 3.1), (1, 3.2), (0, 3.3)]:
        rounds.note(count, at)

    assert rounds.calls == [10]


def test_a_quiet_parts_two_rounds() -> None:
    rounds = Rounds([])
    for count, at in [(10, 3.0), (0, 4.0), (10, 6.0), (2, 6.1)]:
        rounds.note(count, at)

    assert rounds.calls == [10, 12]
