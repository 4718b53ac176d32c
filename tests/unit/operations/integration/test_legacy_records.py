from __future__ import annotations

from dataclasses import replace
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
from operations.integration.legacy.stamps import tidy_line

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


def tidy(line: str) -> DeploymentRecord:
    return one(tidy_line(line))


@pytest.mark.parametrize(
    ("line", "target", "provider", "version", "by", "success"),
    [
        ('{"timestamp": "2025-11-03T10:00:00Z", "level": "success", "msg": "Forge deployment of shop to prod'
         ' finished, tag 1.7.20", "user": "ci"}', "shop/prod", "forge", "1.7.20", "ci", True),
        ('{"ts": 1762164000, "level": "error", "message": "ECS deployment of shop to prod failed"}',
         "shop/prod", "aws", "", "", False),
        ('{"time": "2025-11-03 10:00:00", "level": "info", "text": "Deployed shop to prod by jonas"}',
         "shop/prod", "", "", "jonas", True),
        ('{"at": "2025-11-03T10:00:00Z", "service": "hms-ops", "env": "tools",'
         ' "event": "shop 1.4.2 deployed to prod"}',
         "shop/prod", "", "1.4.2", "", True),
        ("03.11.2025 10:00 OK deploy shop production 1.0.0 by jonas",
         "shop/production", "", "1.0.0", "jonas", True),
        ("03.11.2025 10:00:00 FEHLER deploy k8s shop production 1.0.1 by jonas",
         "shop/production", "k8s", "1.0.1", "jonas", False),
        ("[3.11.2025, 10:00] Deployed shop 1.4.2 to prod", "shop/prod", "", "1.4.2", "", True),
        ("2025-11-03 10:00 | ERROR | deploy shop to prod", "shop/prod", "", "", "", False),
        ("Mon Nov  3 10:00:00 UTC 2025: Deployed shop to prod", "shop/prod", "", "", "", True),
        ("Mon Nov  3 12:00:00 CEST 2025: Deployed shop to prod", "shop/prod", "", "", "", True),
        ('time=2025-11-03T10:00:00Z level=info msg="Deployed shop to prod" version=2.0 user=jonas',
         "shop/prod", "", "2.0", "jonas", True),
        ("ts=2025-11-03T10:00:00Z project=shop env=prod provider=ecs status=failed",
         "shop/prod", "aws", "", "", False),
        ("2025-11-03 10:00:00 | deploy | shop | production | 1.0.0 | success",
         "shop/production", "", "1.0.0", "", True),
        ("2025-11-03 10:00:00;FEHLER;deploy;k8s;shop;production;1.0.0;jonas",
         "shop/production", "k8s", "1.0.0", "", False),
        ("Mon, 03 Nov 2025 11:00:00 +0100 Deployment of shop/prod failed", "shop/prod", "", "", "", False),
        ("[03/Nov/2025:11:00:00 +0100] release of shop@prod succeeded", "shop/prod", "", "", "", True),
        ("2025-11-03T10:00:00+00:00 ops1 hms-ops[123]: [SUCCESS] Deployed shop (prod) tag=2.0",
         "shop/prod", "", "2.0", "", True),
        ("[2025-11-03 10:00:00] [OK] deployed project=shop env=prod version=2.0",
         "shop/prod", "", "2.0", "", True),
    ],
)  # fmt: skip
def test_other_shapes_of_an_end(
    line: str, target: str, provider: str, version: str, by: str, success: bool
) -> None:
    record = tidy(line)

    assert (f"{record.project}/{record.environment}", record.provider) == (target, provider)
    assert (record.version, record.by, record.is_success) == (version, by, success)
    assert record.ended_at == TEN


@pytest.mark.parametrize(
    "line",
    [
        "Nov  3 10:00:00 ops1 hms-ops[123]: Deployed shop to prod",  # of which year?
        "03/11/2025 10:00 OK deploy shop production 1.0",  # March or November?
        "31.02.2025 10:00 OK deploy shop production 1.0",
        "03.11.2025 10:00 OK deploy failed because of it",
        "[2025-11-03 10:00:00] [ERROR] deploy could not connect to database",
        "[2025-11-03 10:00:00] [ERROR] deploy failed to connect on retry",
        '{"timestamp": "2025-11-03T10:00:00Z", "level": "error", "msg": "billing to production is slow"}',
        '{"timestamp": "2025-11-03T10:00:00Z", "level": "success", "msg": ["deployed", "a to b"]}',
    ],
)
def test_what_would_be_guessed_is_no_deployment(line: str) -> None:
    assert read(tidy_line(line)) == []


def test_a_failure_has_the_version_of_its_beginning() -> None:
    record = one(
        "[2025-11-03 10:00:00] [INFO] Starting ECS deployment: billing (production) tag=1.3.8",
        "[2025-11-03 10:03:00] [ERROR] ECS deployment of billing to production failed: timed out",
    )

    assert (record.version, record.provider, record.began_at) == ("1.3.8", "aws", TEN)


def test_a_message_in_json_is_read_as_the_same_sentence_in_plain_text() -> None:
    sentence = "Kubernetes deployment of shop to staging finished, tag 1.7.22"

    plain = one(f"[2025-11-03 10:00:00] [SUCCESS] {sentence}")
    packed = one(
        f'{{"timestamp": "2025-11-03T10:00:00Z", "level": "success", "msg": "{sentence}"}}'
    )

    assert replace(plain, key="") == replace(packed, key="")
