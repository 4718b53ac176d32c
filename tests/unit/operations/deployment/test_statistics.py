"""What is counted of deploying, and what is not."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.deployment.rollout import RolloutKind, RolloutState
from operations.deployment.statistics import (
    REGRET,
    EnvironmentFigures,
    Middle,
    PastRollout,
    figures_of,
)
from tests.factories import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
_IDS = itertools.count(1)


def deploy(
    hour: float,
    state: RolloutState = RolloutState.SUCCEEDED,
    *,
    kind: RolloutKind = RolloutKind.DEPLOY,
    project: str = "myapp",
    environment: str = "prod",
) -> PastRollout:
    """Asked for a quarter of an hour before `hour`, begun then, and over in two minutes."""
    begun = NOON + hour * HOUR
    return PastRollout(
        id=next(_IDS),
        project=project,
        environment=environment,
        kind=kind,
        state=state,
        version="1.1",
        pin="",
        requested_at=begun - 15 * MINUTE,
        approved_at=None,
        started_at=begun,
        ended_at=begun + 2 * MINUTE,
    )


def rollback(hour: float, state: RolloutState = RolloutState.SUCCEEDED) -> PastRollout:
    return deploy(hour, state, kind=RolloutKind.ROLLBACK)


def prod(*rollouts: PastRollout) -> EnvironmentFigures:
    (found,) = figures_of(rollouts, {})
    return found


def test_nothing_that_ended_has_no_figures() -> None:
    assert figures_of([], {}) == ()


def test_deploys_that_went_live_are_counted_by_days_and_weeks() -> None:
    found = prod(deploy(0), deploy(1), deploy(30), rollback(31))

    assert (found.live, found.days, found.rollbacks) == (3, 2, 1)


@pytest.mark.parametrize(
    ("state", "changes", "failures"),
    [
        (RolloutState.SUCCEEDED, 1, 0),
        (RolloutState.FAILED, 1, 1),
        (RolloutState.ROLLED_BACK, 1, 1),
        (RolloutState.UNKNOWN, 0, 0),
        (RolloutState.CANCELLED, 0, 0),
        (RolloutState.REJECTED, 0, 0),
        (RolloutState.EXPIRED, 0, 0),
    ],
)
def test_what_is_a_change_and_which_of_them_failed(
    state: RolloutState, changes: int, failures: int
) -> None:
    found = prod(deploy(0, state))

    assert (found.changes, found.failures) == (changes, failures)
    assert found.outcomes == {state: 1}


def test_a_failure_that_never_began_is_no_change() -> None:
    assert prod(replace(deploy(0, RolloutState.FAILED), started_at=None)).changes == 0


def test_a_rollback_soon_after_makes_it_a_failure() -> None:
    assert prod(deploy(0), rollback(3)).failures == 1
    assert prod(deploy(0), rollback(3, RolloutState.FAILED)).failures == 1


def test_a_rollback_long_after_does_not() -> None:
    late = REGRET / HOUR + 2 / 60
    assert prod(deploy(0), rollback(late)).failures == 1
    assert prod(deploy(0), rollback(late + 0.01)).failures == 0


def test_a_rollback_takes_back_the_newest_deploy_only() -> None:
    assert prod(deploy(0), deploy(1), rollback(2)).failures == 1


def test_a_rollback_that_never_began_takes_nothing_back() -> None:
    withdrawn = replace(rollback(3, RolloutState.CANCELLED), started_at=None)
    assert prod(deploy(0), withdrawn).failures == 0


def test_a_rollback_elsewhere_takes_nothing_back() -> None:
    elsewhere = replace(rollback(1), project="other")
    assert prod(deploy(0), elsewhere).failures == 0


def test_one_that_was_brought_back_by_itself_is_restored_at_its_own_end() -> None:
    assert prod(deploy(0, RolloutState.ROLLED_BACK)).restore == Middle(1, 2 * MINUTE)


def test_one_that_was_left_is_restored_by_whatever_goes_live_next() -> None:
    found = prod(deploy(0, RolloutState.FAILED), deploy(1, RolloutState.FAILED), deploy(3))

    assert found.restore == Middle(2, (3 * HOUR + 2 * HOUR) / 2 + 2 * MINUTE)
    assert found.unrestored == 0


def test_one_that_was_taken_back_is_restored_by_its_rollback() -> None:
    assert prod(deploy(0), rollback(1)).restore == Middle(1, HOUR + 2 * MINUTE)


def test_one_that_nothing_followed_is_not_restored_yet() -> None:
    found = prod(deploy(0), deploy(1, RolloutState.FAILED))

    assert (found.unrestored, found.restore) == (1, Middle())


def test_lead_time_is_of_those_whose_commit_is_known() -> None:
    known, unknown = deploy(0), deploy(1)
    (found,) = figures_of([known, unknown], {known.id: known.ended_at - 5 * HOUR})

    assert found.lead == Middle(1, 5 * HOUR)


def test_a_clock_that_is_ahead_makes_no_negative_span() -> None:
    known = deploy(0)
    (found,) = figures_of([known], {known.id: known.ended_at + HOUR})

    assert found.lead == Middle(1, timedelta(0))


def test_the_wait_for_approval_is_until_the_last_vote() -> None:
    voted = replace(deploy(0), approved_at=NOON - 5 * MINUTE)

    assert prod(voted, deploy(1)).wait == Middle(1, 10 * MINUTE)


def test_environments_with_the_most_deploys_come_first() -> None:
    found = figures_of([deploy(0, environment=e) for e in ("qa", "prod", "prod")], {})

    assert [each.environment for each in found] == ["prod", "qa"]


_MOMENTS = st.integers(-500, 500).map(lambda hours: NOON + hours * HOUR)


@st.composite
def _histories(draw: st.DrawFn) -> list[PastRollout]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        begun: datetime | None = draw(st.none() | _MOMENTS)
        ended = draw(_MOMENTS) if begun is None else begun + draw(st.integers(0, 90)) * MINUTE
        found.append(
            replace(
                deploy(0),
                id=number,
                project=draw(st.sampled_from(["myapp", "site"])),
                kind=draw(st.sampled_from(RolloutKind)),
                state=draw(st.sampled_from(RolloutState)),
                approved_at=draw(st.none() | _MOMENTS),
                started_at=begun,
                ended_at=ended,
            )
        )
    return found


@given(_histories(), st.randoms())
def test_the_order_in_which_they_are_read_does_not_matter(
    history: Sequence[PastRollout], random: Random
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)

    assert figures_of(history, {}) == figures_of(shuffled, {})


@given(_histories())
def test_figures_of_one_environment_agree_with_each_other(history: Sequence[PastRollout]) -> None:
    for found in figures_of(history, {}):
        assert sum(found.outcomes.values()) == len(history)
        assert 0 <= found.failures <= found.changes <= len(history) - found.rollbacks
        assert found.unrestored + found.restore.count == found.failures
        assert found.days <= found.live
        assert all(
            middle.span is None or middle.span >= timedelta(0)
            for middle in (found.restore, found.duration, found.wait)
        )


@given(_histories(), _histories())
def test_another_environment_changes_nothing(
    here: Sequence[PastRollout], there: Sequence[PastRollout]
) -> None:
    others = [replace(each, environment="staging", id=each.id + 100) for each in there]

    found = figures_of([*here, *others], {})

    assert tuple(each for each in found if each.environment == "prod") == figures_of(here, {})
