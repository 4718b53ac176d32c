"""Of errors that nobody saw before so many get a group of their own; the rest is counted as one."""

from __future__ import annotations

from datetime import timedelta

from operations.monitoring.errors.event import Level
from operations.monitoring.errors.newcomers import admit
from operations.monitoring.errors.tally import Bundle
from tests.factories import NOON
from tests.unit.operations.monitoring.errors.logbook import MINUTE, make_event


def make_bundle(times: int, *, level: Level = Level.ERROR, ago: timedelta = MINUTE) -> Bundle:
    """So many equal errors, a second apart, the last one so long ago."""
    events = [
        make_event(at=NOON - ago - timedelta(seconds=n), level=level)
        for n in reversed(range(times))
    ]
    made = Bundle("no answer", events[0], events[0])
    for event in events:
        made.add(event)
    return made


def test_all_get_their_own_group_while_there_is_room() -> None:
    unknown = {"a": make_bundle(1), "b": make_bundle(2)}

    assert admit(unknown, 2) == (unknown, None)


def test_the_worst_and_then_the_most_frequent_get_what_room_there_is() -> None:
    unknown = {
        "once": make_bundle(1),
        "often": make_bundle(5),
        "bad": make_bundle(1, level=Level.CRITICAL),
        "twice": make_bundle(2),
    }

    own, _ = admit(unknown, 2)

    assert list(own) == ["bad", "often"]


def test_what_finds_no_room_is_one_bundle_that_counts_all_of_it() -> None:
    unknown = {"a": make_bundle(3, ago=MINUTE), "b": make_bundle(2, ago=3 * MINUTE)}

    own, other = admit(unknown, 0)

    assert own == {}
    assert other is not None
    assert (len(other.events), other.minutes.total()) == (5, 5)
    assert (other.first.at, other.newest.at) == (
        NOON - 3 * MINUTE - timedelta(seconds=1),
        NOON - MINUTE,
    )


def test_room_that_was_used_up_beyond_its_end_lets_nobody_in() -> None:
    own, other = admit({"a": make_bundle(1)}, -3)

    assert own == {}
    assert other is not None
