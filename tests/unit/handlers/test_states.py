"""The words beside the circle."""

from __future__ import annotations

import pytest

from handlers.states import rollout_circle, rollout_words
from operations.deployment.rollout import Phase, RolloutState
from tests.factories import ALICE, make_rollout


@pytest.mark.parametrize("phase", [Phase.RESTORING, Phase.RETURNING])
def test_what_has_failed_says_so_while_the_former_release_is_on_its_way_back(phase: Phase) -> None:
    rollout = make_rollout(state=RolloutState.RUNNING, phase=phase)

    assert (rollout_circle(rollout), rollout_words(rollout)) == ("🔴", "Failed, rolling back")


def test_what_is_cancelled_has_not_failed() -> None:
    rollout = make_rollout(state=RolloutState.RUNNING, phase=Phase.RETURNING, cancelled_by=ALICE)

    assert (rollout_circle(rollout), rollout_words(rollout)) == ("🔵", "Cancelling")


def test_what_rolls_out_has_not_failed() -> None:
    rollout = make_rollout(state=RolloutState.RUNNING, phase=Phase.FOLLOWING)

    assert (rollout_circle(rollout), rollout_words(rollout)) == ("🔵", "Rolling out")
