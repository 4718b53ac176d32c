"""The stand-in's pod logs give out, and refuse, what a kubelet and an API server do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.kubernetes.logs import PodLogs, select
from sandbox.kubernetes.statuses import ApiError

NOON = datetime(2026, 11, 24, 12, 0, 0, 500_000, UTC)
SECOND = timedelta(seconds=1)
WRITTEN = [(NOON + n * SECOND, f"line {n}") for n in range(3)]


def test_times_have_nine_digits() -> None:
    assert select(WRITTEN[:1], {"timestamps": "true"}) == "2026-11-24T12:00:00.500000000Z line 0\n"


def test_since_a_time_counts_from_its_whole_second() -> None:
    given = {"sinceTime": "2026-11-24T12:00:01.900Z"}

    assert select(WRITTEN, given) == "line 1\nline 2\n"


def test_a_limit_of_bytes_keeps_the_front_and_cuts_a_line() -> None:
    assert select(WRITTEN, {"limitBytes": "9"}) == "line 0\nli"


@pytest.mark.parametrize(
    "query",
    [
        {"sinceTime": "2026-11-24T12:00:00Z", "sinceSeconds": "5"},
        {"sinceTime": "2026-11-24T12:00:00"},
        {"sinceTime": "noon"},
        {"sinceSeconds": "0"},
        {"limitBytes": "0"},
        {"tailLines": "-1"},
    ],
)
def test_what_the_real_one_refuses_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError):
        select(WRITTEN, query)


def test_the_instance_before_is_kept_and_the_one_before_that_is_not() -> None:
    logs = PodLogs()
    for word in ("first", "second", "third"):
        logs.begin("uid", word)

    assert _texts(logs, previous=False, is_running=True) == ["third"]
    assert _texts(logs, previous=True, is_running=True) == ["second"]
    # While none runs, the last one that did is the present one and the former one.
    assert _texts(logs, previous=True, is_running=False) == ["third"]


def test_a_pod_that_never_ran_has_no_log() -> None:
    assert PodLogs().of("uid", previous=False, is_running=False) is None


def _texts(logs: PodLogs, *, previous: bool, is_running: bool) -> list[str]:
    found = logs.of("uid", previous=previous, is_running=is_running)
    return [text for _, text in found or []]
