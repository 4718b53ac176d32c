"""Which logs a configuration has read, and how often."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.config import load_config
from bot.config.sections.monitoring import ErrorSource
from bot.log_sources import build_sources, is_in_line
from operations.monitoring.errors.log_ports import LogKind

ROOT = Path(__file__).parents[3]


def section(**given: object) -> ErrorSource:
    return ErrorSource.model_validate({"target": "myapp/prod", **given})


def test_the_examples_sources_are_read() -> None:
    cloudwatch, pods = build_sources(load_config(ROOT / "hms.example.yaml").errors.sources)

    assert (cloudwatch.id, cloudwatch.kind, cloudwatch.group, cloudwatch.pattern) == (
        "cloudwatch:myapp/prod:/ecs/myapp",
        LogKind.CLOUDWATCH,
        "/ecs/myapp",
        None,
    )
    assert (pods.id, pods.kind, pods.pattern) == (
        "pods:myapp/staging",
        LogKind.PODS,
        "ERROR|Traceback",
    )


def test_forge_is_asked_once_a_minute() -> None:
    (site,) = build_sources([section(site=True)])

    assert (site.kind, site.every) == (LogKind.SITE, timedelta(minutes=1))


def test_a_log_that_is_named_twice_has_two_cursors() -> None:
    sources = build_sources([section(pods=True, pattern="a"), section(pods=True, pattern="b")])

    assert [source.id for source in sources] == ["pods:myapp/prod", "pods:myapp/prod#2"]


def test_a_pattern_that_would_take_for_ever_matches_nothing() -> None:
    assert not is_in_line("(a+)+$", "a" * 10_000 + "!")
    assert is_in_line("(a+)+$", "aaa")
