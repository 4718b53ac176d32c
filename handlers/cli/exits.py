"""Exit codes (interface §1)."""

from __future__ import annotations

from operations.deployment.rollout import RolloutState
from operations.errors import InvalidRequest, OperationError, ProviderError, Refused, StorageError

DONE = 0
FAILED = 1
USAGE = 2
REFUSED = 3
UNREACHABLE = 4
INTERRUPTED = 130
"""Ctrl-C, as shells expect it."""

_BY_ERROR: tuple[tuple[type[OperationError], int], ...] = (
    (InvalidRequest, USAGE),
    (Refused, REFUSED),
    (ProviderError, UNREACHABLE),
    (StorageError, UNREACHABLE),
)
_BY_STATE = {
    RolloutState.FAILED: FAILED,
    RolloutState.ROLLED_BACK: FAILED,
    RolloutState.UNKNOWN: FAILED,
    RolloutState.REJECTED: REFUSED,
    RolloutState.EXPIRED: REFUSED,
    RolloutState.CANCELLED: REFUSED,
}


def code_of_error(error: OperationError) -> int:
    """How a command ends that raised this."""
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), FAILED)


def code_of_state(state: RolloutState) -> int:
    """How a command ends that waited for a rollout; what goes on is no failure."""
    return _BY_STATE.get(state, DONE)
