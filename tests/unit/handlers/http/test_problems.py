from __future__ import annotations

import json

import pytest

from handlers.http.problems import (
    MOST_FAULTS,
    BodyFault,
    FaultyRequest,
    Unauthenticated,
    UnknownAddress,
    UnreadableBody,
    UnsupportedBody,
    problem_of,
    status_of,
)
from operations.errors import (
    Blocked,
    InvalidRequest,
    LeaseLost,
    NotPermitted,
    OperationError,
    OutcomeUnknown,
    Overloaded,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
    Refused,
    StaleDecision,
    StorageError,
    StorageUnavailable,
    UnknownAlert,
    UnknownRollout,
    UnknownTarget,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Unauthenticated, 401),
        (NotPermitted, 403),
        (UnknownAddress, 404),
        (UnknownRollout, 404),
        (UnknownAlert, 404),
        (UnreadableBody, 400),
        (UnsupportedBody, 415),
        (InvalidRequest, 422),
        (UnknownTarget, 422),
        (Refused, 409),
        (Blocked, 409),
        (StaleDecision, 409),
        (Overloaded, 429),
        (ProviderUnavailable, 503),
        (ProviderRejected, 502),
        (ProviderUnauthorized, 502),
        (OutcomeUnknown, 502),
        (StorageError, 503),
        (StorageUnavailable, 503),
        (LeaseLost, 503),
        (OperationError, 500),
    ],
)
def test_each_kind_of_error_has_its_status(kind: type[OperationError], status: int) -> None:
    assert status_of(kind("no")) == status


def test_mentions_of_slack_become_plain_names() -> None:
    error = Blocked("It is locked by <@U01ALICE>.", hint="<!subteam^S01OPS> can lift it.")
    body = problem_of(error).body

    assert isinstance(body, bytes)
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "It is locked by U01ALICE.",
        "hint": "S01OPS can lift it.",
    }


def test_of_many_faults_the_first_are_told_and_the_rest_counted() -> None:
    faults = [BodyFault("level", "is missing", index) for index in range(MOST_FAULTS + 3)]
    body = problem_of(FaultyRequest("Wrong.", faults)).body

    assert isinstance(body, bytes)
    told = json.loads(body)
    assert told["errors"][0] == {"index": 0, "at": "level", "message": "is missing"}
    assert (len(told["errors"]), told["errors_left_out"]) == (MOST_FAULTS, 3)


@pytest.mark.parametrize(("seconds", "header"), [(0.0001, "1"), (1.0, "1"), (2.1, "3")])
def test_the_time_to_wait_is_in_whole_seconds(seconds: float, header: str) -> None:
    answer = problem_of(Overloaded("later", retry_after=seconds))

    assert answer.headers["Retry-After"] == header
