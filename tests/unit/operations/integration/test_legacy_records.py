from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.integration.legacy.records import (
    DeploymentRecord,
    Deployments,
    read_deployment,
)

TEN = datetime(2025, 11, 3, 10, tzinfo=UTC)


def read(*lines: str, zone: tzinfo = UTC) -> list[DeploymentRecord]:
    """Every deployment that ended."""
    deployments = Deployments()
    told = (read_deployment(line, zone) for line in lines)
    taken = (deployments.take(line) for line in told if line is not None)
    return [record for record in taken if record is not None]


def one(*lines: str) -> DeploymentRecord:
    (record,) = read(*lines)
    return record


def test_a_beginning_and_its_end_are_one_deployment() -> None:
    record = one(
        "[2025-11-03 10:00:00] [INFO] Deploying myapp to staging via k8s by user alice",
        "[2025-11-03 10:02:30] [SUCCESS] Deployed myapp to staging via k8s version 1.3.9",
    )

    assert (record.project, record.environment, record.provider) == ("myapp", "staging", "k8s")
    assert (record.version, record.by, record.is_success) == ("1.3.9", "alice", True)
    assert (record.began_at, record.ended_at) == (TEN, TEN + timedelta(seconds=150))


@pytest.mark.parametrize(
    ("line", "success"),
    [
        ("[2025-11-03 10:00:00] [ERROR] Deployment of site to prod via forge failed: exit 1", False),
        ("2025-11-03T10:00:00Z ERROR deploy site to prod timed out", False),
        ("[2025-11-03 10:00:00] [INFO] Deployment of site to prod completed successfully", True),
        ("2025-11-03 10:00:00,123 - INFO - deployed site on prod via ecs", True),
        ('{"timestamp": "2025-11-03T10:00:00Z", "app": "site", "env": "prod", "status": "success"}', True),
        ('{"time": "2025-11-03 10:00:00", "project": "site", "stage": "prod", "result": "failed"}', False),
    ],
)  # fmt: skip
def test_shapes_of_an_end(line: str, success: bool) -> None:
    record = one(line)

    assert (record.project, record.environment, record.is_success) == ("site", "prod", success)
    assert record.ended_at.replace(microsecond=0) == TEN


@pytest.mark.parametrize(
    "line",
    [
        "[2025-11-03 10:00:00] [INFO] Deploying myapp to staging via k8s",
        "[2025-11-03 10:00:00] [INFO] Status of myapp on prod: ok",
        "[2025-99-03 10:00:00] [SUCCESS] Deployed myapp to staging",
        "Deployed myapp to staging",
        '{"timestamp": "2025-11-03", "status": "success"}',
        '{"broken',
        "[2025-11-03 10:00:00] [SUCCESS] Deployed $(id) to prod",
        "[2025-11-03 10:00:00] [SUCCESS] Deployed a;b to prod",
        '{"time": "2025-11-03T10:00:00Z", "app": "a b", "env": "prod", "status": "success"}',
        "[[[[[",
    ],
)
def test_what_tells_of_no_end_is_no_deployment(line: str) -> None:
    assert read(line) == []


def test_a_beginning_that_is_long_past_belongs_to_no_end() -> None:
    record = one(
        "[2025-11-01 10:00:00] [INFO] Deploying myapp to staging version 1.0",
        "[2025-11-03 10:00:00] [SUCCESS] Deployed myapp to staging",
    )

    assert (record.began_at, record.version) == (TEN, "")


def test_times_without_a_zone_are_in_the_one_that_was_named() -> None:
    line = "[2025-11-03 10:00:00] [SUCCESS] Deployed a to b"

    (record,) = read(line, zone=ZoneInfo("Europe/Berlin"))

    assert record.ended_at == TEN - timedelta(hours=1)


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    line = "[2025-10-26 02:30:00] [SUCCESS] Deployed a to b"

    (record,) = read(line, zone=ZoneInfo("Europe/Berlin"))

    assert record.ended_at == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)


def test_the_same_line_has_the_same_key_in_whatever_zone() -> None:
    line = "[2025-11-03 10:00:00] [SUCCESS] Deployed a to b"

    assert read(line)[0].key == read(line, zone=ZoneInfo("Europe/Berlin"))[0].key


def test_secrets_do_not_get_into_history() -> None:
    record = one("[2025-11-03 10:00:00] [ERROR] Deploy of a to b failed: token=abcdef123456")

    assert "abcdef123456" not in record.text


@given(st.lists(st.text(max_size=120), max_size=5))
def test_the_same_lines_have_the_same_keys(lines: list[str]) -> None:
    assert [each.key for each in read(*lines)] == [each.key for each in read(*lines)]
