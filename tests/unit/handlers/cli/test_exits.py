"""Which exit code an error and a state mean."""

from __future__ import annotations

import pytest

from handlers.cli.exits import code_of_error, code_of_state
from operations.deployment.rollout import RolloutState
from operations.errors import (
    Blocked,
    InvalidRequest,
    NotPermitted,
    OperationError,
    OutcomeUnknown,
    ProviderUnavailable,
    StaleDecision,
    StorageUnavailable,
    UnknownRollout,
    UnknownTarget,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidRequest, 2),
        (UnknownTarget, 2),
        (UnknownRollout, 2),
        (NotPermitted, 3),
        (Blocked, 3),
        (StaleDecision, 3),
        (ProviderUnavailable, 4),
        (OutcomeUnknown, 4),
        (StorageUnavailable, 4),
        (OperationError, 1),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_an_error_has_its_exit_code(error: type[OperationError], code: int) -> None:
    assert code_of_error(error("no")) == code


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RolloutState.SUCCEEDED, 0),
        (RolloutState.FAILED, 1),
        (RolloutState.ROLLED_BACK, 1),
        (RolloutState.UNKNOWN, 1),
        (RolloutState.REJECTED, 3),
        (RolloutState.EXPIRED, 3),
        (RolloutState.CANCELLED, 3),
    ],
)
def test_an_ended_rollout_has_its_exit_code(state: RolloutState, code: int) -> None:
    assert code_of_state(state) == code
