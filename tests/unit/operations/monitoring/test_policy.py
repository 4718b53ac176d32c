"""What an answer changes: damping, flapping, and what changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.monitoring.check import CheckRecord, CheckState, Flip, Observation, Outcome
from operations.monitoring.policy import FLAPPING_FLIPS, MISSES, forget, observe
from tests.factories import NOON
from tests.unit.operations.monitoring.lookouts import make_check

CHECK = make_check(failures=3, recoveries=2)
LETTERS = {
    "o": Outcome.OK,
    "f": Outcome.FAILING,
    "e": Outcome.ERROR,
    "?": Outcome.INCONCLUSIVE,
}
MINUTE = timedelta(minutes=1)


def follow(
    letters: str, record: CheckRecord | None = None, *, apart: timedelta = MINUTE
) -> tuple[CheckRecord, list[Flip]]:
    """One answer for each letter, so far apart."""
    record = record or CheckRecord(check_id=CHECK.id)
    start = record.last.at + apart if record.last else NOON
    flips: list[Flip] = []
    for number, letter in enumerate(letters):
        seen = Observation(outcome=LETTERS[letter], at=start + number * apart, detail=letter)
        step = observe(CHECK, record, seen)
        record = step.record
        flips += [step.flip] if step.flip else []
    return record, flips


def states(flips: Iterable[Flip]) -> str:
    """The new states as letters."""
    return "".join({"ok": "o", "failing": "f", "unknown": "u"}[flip.new] for flip in flips)


@pytest.mark.parametrize(
    ("answers", "state", "flips"),
    [
        ("", CheckState.UNKNOWN, ""),
        ("?", CheckState.UNKNOWN, ""),
        ("o", CheckState.OK, "o"),
        ("ff", CheckState.UNKNOWN, ""),
        ("fff", CheckState.FAILING, "f"),
        ("off", CheckState.OK, "o"),
        ("offoff", CheckState.OK, "o"),
        ("offf", CheckState.FAILING, "of"),
        ("oeee", CheckState.FAILING, "of"),
        ("ofef", CheckState.FAILING, "of"),
        ("of?f", CheckState.OK, "o"),
        ("of?f??f", CheckState.FAILING, "of"),
        ("offfo", CheckState.FAILING, "of"),
        ("offfofo", CheckState.FAILING, "of"),
        ("offfo?o", CheckState.OK, "ofo"),
        ("offfoo", CheckState.OK, "ofo"),
        ("offfooff", CheckState.OK, "ofo"),
    ],
)
def test_answers_in_a_row_decide(answers: str, state: CheckState, flips: str) -> None:
    record, found = follow(answers)

    assert (record.state, states(found)) == (state, flips)


def test_a_flip_tells_what_it_was_and_why() -> None:
    _, flips = follow("offf")

    assert flips[-1] == Flip(
        check_id=CHECK.id,
        old=CheckState.OK,
        new=CheckState.FAILING,
        reason="f",
        at=NOON + 3 * MINUTE,
    )


def test_the_first_miss_of_a_row_is_remembered() -> None:
    record, _ = follow("ofof?ff")

    assert record.first_bad_at == NOON + 3 * MINUTE


def test_could_not_ask_changes_nothing_but_the_newest_answer() -> None:
    before, _ = follow("offfo")
    after, flips = follow("?", before)

    assert not flips
    assert after.last is not None
    assert after.last.outcome is Outcome.INCONCLUSIVE
    assert after.unasked_since == after.last.at
    heard = replace(after, unasked_since=None)
    assert CheckRecord(**_all_but_last(heard)) == CheckRecord(**_all_but_last(before))  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ["o", "f"])
def test_an_answer_of_any_kind_is_one(answer: str) -> None:
    record, _ = follow(f"o??{answer}")

    assert record.unasked_since is None


def _all_but_last(record: CheckRecord) -> dict[str, object]:
    names = (name for name in CheckRecord.__dataclass_fields__ if name != "last")
    return {name: getattr(record, name) for name in names}


def test_a_check_that_changes_its_mind_too_often_is_flapping() -> None:
    before, _ = follow("o" + "fffoo" * 2)
    after, _ = follow("fff", before)

    assert not before.is_flapping
    assert after.is_flapping


def test_changes_far_apart_are_no_flapping() -> None:
    record, flips = follow("o" + "fffoo" * 4, apart=timedelta(minutes=10))

    assert len(flips) == 9
    assert not record.is_flapping


def test_the_first_good_answer_is_no_change_of_mind() -> None:
    record, _ = follow("o")

    assert record.flips == ()


def test_flapping_ends_when_it_has_been_quiet() -> None:
    flapping, _ = follow("o" + "fffoo" * 3)
    assert flapping.is_flapping

    still, _ = follow("o" * 22, flapping)  # too few changes to begin, too many to be over
    quiet, _ = follow("o" * 30, flapping)

    assert still.is_flapping
    assert not quiet.is_flapping


def test_flips_are_not_kept_for_ever() -> None:
    record, _ = follow("fffoo" * 50, apart=timedelta(seconds=1))

    assert len(record.flips) == FLAPPING_FLIPS


def test_forgetting_makes_a_failing_check_prove_it_again() -> None:
    failing, _ = follow("offf")

    step = forget(failing, "A-1 was resolved by hand", NOON)

    assert step.flip is not None
    assert (step.flip.old, step.flip.new) == (CheckState.FAILING, CheckState.UNKNOWN)
    assert states(follow("ff", step.record)[1]) == ""
    assert states(follow("fff", step.record)[1]) == "f"
    assert states(follow("o", step.record)[1]) == "o"


def test_forgetting_what_is_not_known_is_no_flip() -> None:
    assert forget(CheckRecord(check_id=CHECK.id, bad=2), "", NOON).flip is None


@given(st.text(alphabet="ofe?", max_size=60))
def test_it_is_never_failing_with_fewer_misses_in_a_row(answers: str) -> None:
    record = CheckRecord(check_id=CHECK.id)
    misses = 0
    for number, letter in enumerate(answers):
        outcome = LETTERS[letter]
        misses = misses + 1 if outcome in MISSES else 0 if outcome is Outcome.OK else misses
        step = observe(CHECK, record, Observation(outcome=outcome, at=NOON + number * MINUTE))
        if step.flip and step.flip.new is CheckState.FAILING:
            assert misses == CHECK.failures
        assert (step.flip is None) == (step.record.state is record.state)
        record = step.record
    if misses >= CHECK.failures:
        assert record.state is CheckState.FAILING


@given(st.text(alphabet="ofe?", max_size=60))
def test_could_not_ask_never_matters(answers: str) -> None:
    with_them, flips = follow(answers, apart=timedelta(0))
    without, same = follow(answers.replace("?", ""), apart=timedelta(0))

    assert flips == same
    assert (with_them.bad, with_them.good, with_them.flips) == (
        without.bad,
        without.good,
        without.flips,
    )
